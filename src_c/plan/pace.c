/* One thread or a team, by what runs of each took lately. */
#include "plan/pace.h"

/* Seconds. A scheduler gives and takes processors for milliseconds: what a run takes is luck for anything shorter than a turn. In
 * a long run threads take over each other's parts (base/shares.h), and one thread alone would cost much even now and then. */
static const double TURN = 0.04, LATELY = 0.2, LONG_RUN = 0.1;

enum { MOST_TURNS = 16 }; /* between trials */

static double pace_mean(const cc_pace *pace, bool alone)
{
    return pace->seconds[alone] / pace->runs[alone];
}

void cc_pace_add(cc_pace *pace, double seconds)
{
    if (seconds > LONG_RUN) {
        *pace = (cc_pace){.least = pace->least};
        return;
    }
    const bool now = pace->alone;
    if (now && (pace->least <= 0 || seconds < pace->least)) pace->least = seconds;
    const double kept = 1 - seconds / LATELY;
    pace->seconds[now] = pace->seconds[now] * kept + seconds;
    pace->runs[now] = pace->runs[now] * kept + 1;
    pace->spent += seconds;
    if (pace->spent < TURN) return;
    pace->spent = 0;
    if (pace->trial) {
        const bool won = pace_mean(pace, now) < pace_mean(pace, !now);
        pace->lost = won ? 0 : pace->lost + 1; /* one that won may have been luck */
        if (!won) pace->alone = !now;
        pace->trial = false;
        pace->turns = 0;
    } else if (!now && pace_mean(pace, false) < pace->least) {
        pace->turns = 0;
    } else if (++pace->turns >= (pace->lost < 3 ? 2 << pace->lost : MOST_TURNS)) {
        pace->trial = true;
        pace->alone = !now;
        pace->seconds[!now] = pace->runs[!now] = 0; /* what it took once says nothing about now */
    }
}
