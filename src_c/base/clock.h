/* Time that only goes forward, whatever is done to the calendar. */
#ifndef CC_CLOCK_H
#define CC_CLOCK_H

/* Seconds since some moment, for differences. */
double cc_seconds(void);

#endif
