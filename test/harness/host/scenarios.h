#ifndef SCENARIOS_H
#define SCENARIOS_H

struct scenario {
	const char *name;
	/* Runs it for a kind of device, in a process of its own. */
	void (*run)(int type);
	/* Run once more for each call in probe that can fail, with that call failing. */
	int fails_each_call;
	/* The old model has nothing like it. */
	int only_new_model;
};

/* Ends with an entry without a name. */
extern const struct scenario scenarios[];

#endif
