/* How long a run takes. */
#ifndef RUN_BENCH_H
#define RUN_BENCH_H

#include "model.h"

/* Runs the planned model o->bench times on m->arrays, after some to warm up, and prints the latency. The exit status. */
int bench_runs(model *m, const options *o);

#endif
