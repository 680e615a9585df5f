#ifndef MEMORY_H
#define MEMORY_H

/* Numbers allocations from 1 again; what was there before is the module's and no leak. */
void memory_start(void);
/* Makes a bug of everything that a scenario took and did not give back. */
void memory_report_leaks(void);

#endif
