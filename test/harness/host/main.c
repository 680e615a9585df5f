/*
 * Runs every scenario in a child of its own, once for each kind of device and, where the scenario says so, once for each call in probe that can
 * fail. Prints one line of JSON for each run. The exit status is 0 whatever was found: judging is the reader's part.
 */
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../harness.h"
#include "memory.h"
#include "record.h"
#include "scenarios.h"

enum { MAX_FAILURES = 200, SECONDS = 20 };

static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar((unsigned char)*text < ' ' ? ' ' : *text);
	}
	putchar('"');
}

static void print_lines(const char *key, const struct lines *lines)
{
	printf(",\"%s\":[", key);
	for (int i = 0; i < lines->count; i++) {
		if (i)
			putchar(',');
		print_string(lines->text[i]);
	}
	putchar(']');
}

static void print_record(const char *scenario, int type, const char *failed)
{
	printf("{\"scenario\":");
	print_string(scenario);
	printf(",\"type\":%d,\"failed\":", type);
	if (failed)
		print_string(failed);
	else
		printf("null");
	printf(",\"returns\":[");
	for (int i = 0; i < record->return_count; i++)
		printf("%s%d", i ? "," : "", record->returns[i]);
	putchar(']');
	print_lines("calls", &record->calls);
	print_lines("events", &record->events);
	print_lines("bugs", &record->bugs);
	printf("}\n");
	fflush(stdout);
}

/* What the sanitizer reports, and where in this program: run.ts knows the function, since the sanitizer's own look-up takes seconds. */
static void on_report(const char *report)
{
	const char *kind = strstr(report, "AddressSanitizer: "), *place = strstr(report, "/program+0x");
	char text[64] = "memory error";

	if (kind)
		sscanf(kind + strlen("AddressSanitizer: "), "%63s", text);
	host_bug("%s at 0x%lx", text, place ? strtoul(place + strlen("/program+"), NULL, 16) : 0);
}

/* The driver's own variables, to tell a counter that is not brought back. */
static void each_variable(unsigned char *copies, int compare)
{
	for (const struct variable *one = driver_variables; one->name; one++, copies += 16) {
		int before = 0, after = 0;

		if (!compare) {
			memcpy(copies, one->address, one->size);
			continue;
		}
		if (!memcmp(copies, one->address, one->size))
			continue;
		memcpy(&before, copies, one->size < 4 ? one->size : 4);
		memcpy(&after, one->address, one->size < 4 ? one->size : 4);
		if (one->size <= 4)
			host_bug("%s was %d and is %d", one->name, before, after);
		else
			host_bug("%s is not what it was", one->name);
	}
}

static void run_child(const struct scenario *scenario, int type)
{
	static unsigned char copies[16 * 1024];
	int before = fake_available(type), after;

	alarm(SECONDS);
	__asan_set_error_report_callback(on_report);
	each_variable(copies, 0);
	memory_start();
	scenario->run(type);
	if (fake_registered())
		host_bug("%d device(s) stay registered", fake_registered());
	if (fake_unfinished())
		host_bug("%d vfio_device(s) are never finished", fake_unfinished());
	after = fake_available(type);
	if (after != before)
		host_bug("available_instances was %d and is %d", before, after);
	each_variable(copies, 1);
	memory_report_leaks();
}

/* Returns whether the call that was to fail was reached. */
static int run(const struct scenario *scenario, int type, int failing, const char *failed)
{
	int status;
	pid_t child;

	memset(record, 0, sizeof(*record));
	record->failing = failing;
	child = fork();
	if (!child) {
		run_child(scenario, type);
		_exit(0);
	}
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status))
		host_bug("ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) && !record->bugs.count)
		host_bug("ended with exit status %d", WEXITSTATUS(status));
	if (failing && !record->reached)
		return 0;
	print_record(scenario->name, type, failing ? failed : NULL);
	return 1;
}

/* The name of the call that fails comes from the run in which none does: an old driver's container is known by then. */
static void run_failures(const struct scenario *scenario, int type)
{
	run(scenario, type, 0, NULL);
	known_calls = record->calls;
	for (int n = 1; n <= MAX_FAILURES; n++)
		if (!run(scenario, type, n, n <= known_calls.count ? known_calls.text[n - 1] : "?"))
			break;
}

int main(void)
{
	int status;

	record = mmap(NULL, sizeof(*record), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (record == MAP_FAILED)
		return 3;
	status = fake_load();
	if (status) {
		fprintf(stderr, "the module's init function returned %d\n", status);
		return 3;
	}
	for (int type = 0; type < fake_types(); type++) {
		for (const struct scenario *scenario = scenarios; scenario->name; scenario++) {
			if (scenario->only_new_model && !fake_is_new_model())
				continue;
			if (scenario->fails_each_call)
				run_failures(scenario, type);
			else
				run(scenario, type, 0, NULL);
		}
	}
	return 0;
}
