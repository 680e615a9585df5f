#include <stdarg.h>
#include <stdio.h>
#include "../harness.h"
#include "record.h"

struct record *record;
struct lines known_calls;

static void append(struct lines *lines, const char *format, va_list arguments)
{
	if (lines->count < MAX_LINES)
		vsnprintf(lines->text[lines->count++], LINE, format, arguments);
}

static void append_text(struct lines *lines, const char *text)
{
	if (lines->count < MAX_LINES)
		snprintf(lines->text[lines->count++], LINE, "%s", text);
}

void host_event(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	append(&record->events, format, arguments);
	va_end(arguments);
}

void host_bug(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	append(&record->bugs, format, arguments);
	va_end(arguments);
}

void host_returned(int value)
{
	if (record->return_count < MAX_RETURNS)
		record->returns[record->return_count++] = value;
}

int host_fails(const char *call)
{
	if (!record->armed)
		return 0;
	append_text(&record->calls, call);
	if (record->calls.count != record->failing)
		return 0;
	record->reached = 1;
	append_text(&record->events, "this call fails");
	return 1;
}
