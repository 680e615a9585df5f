/* What one scenario leaves behind. It lies in shared memory, so that the parent can read it after the child has crashed. */
#ifndef RECORD_H
#define RECORD_H

enum { MAX_LINES = 4000, LINE = 160, MAX_RETURNS = 64 };

struct lines {
	int count;
	char text[MAX_LINES][LINE];
};

struct record {
	struct lines events, bugs, calls;
	int returns[MAX_RETURNS], return_count;
	/* The call that is to fail, from 1; 0 when none is. */
	int failing;
	/* Calls fail and are counted only while probe runs. */
	int armed;
	/* Whether the call that was to fail was reached. */
	int reached;
};

extern struct record *record;

/* The calls of the run in which none fails. Up to the call that is to fail, those of the other runs are the same. */
extern struct lines known_calls;

#endif
