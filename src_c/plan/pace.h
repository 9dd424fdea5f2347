/* Whether one thread or a team is through with a run sooner where other processes use the processors too.
 *
 * It depends on which processors they use. With one of two kept busy, one thread has the other for itself, and a team waits for
 * whoever is off his; with both kept busy, one thread is off half of the time, and of a team's threads those that are on wait
 * asleep, so that soon they are on together. Nobody says which it is, and it changes: runs are made in turns of some time by
 * what was sooner lately, and now and then one by the other as a trial; after one that is lost, twice as many turns pass until the
 * next. While the team is sooner than one thread ever was, there is nothing to try. */
#ifndef CC_PACE_H
#define CC_PACE_H

#include <stdbool.h>

typedef struct cc_pace {        /* zeroed: begins with the team */
    double seconds[2], runs[2]; /* lately: of the team, of one thread */
    double least;               /* that a run of one thread has taken, of all so far; 0: there was none */
    double spent;               /* seconds in this turn */
    int turns, lost;            /* since the last trial; trials lost in a row */
    bool trial;                 /* this turn is one */
    bool alone;                 /* the next run is for one thread */
} cc_pace;

/* A run by what pace->alone said took so many seconds, above 0. */
void cc_pace_add(cc_pace *pace, double seconds);

#endif
