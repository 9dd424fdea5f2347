/* Sentences on standard error, the statuses they end with, and memory that is there. */
#ifndef RUN_SAY_H
#define RUN_SAY_H

#include <stddef.h>

enum { DONE = 0, FAILED = 1, WRONG_USE = 2, STOPPED = 130 };

#if defined(__GNUC__)
#define SAYS(text, first) __attribute__((format(printf, text, first)))
#else
#define SAYS(text, first)
#endif

/* Both write "cconv-run: <sentence>" and return 0, to be returned by what failed. */
int say(const char *format, ...) SAYS(1, 2);
int say_about(const char *path, const char *format, ...) SAYS(2, 3);

/* count elements of the size; NULL, and said, where memory is short. Given back by free. */
void *room(size_t count, size_t size);

#endif
