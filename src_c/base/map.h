/* From addresses to numbers: which variable is which. */
#ifndef CC_MAP_H
#define CC_MAP_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cc_map_entry {
    const void *key; /* NULL: free */
    int number;
} cc_map_entry;

typedef struct cc_map { /* {0} is an empty one */
    cc_map_entry *entries;
    size_t n, capacity; /* a power of two, more than n */
} cc_map;

/* The number of a key, 0 of one that is not there. */
int cc_map_find(const cc_map *map, const void *key);

/* Gives a key (not NULL) a number; false, with the error text set, without memory. */
bool cc_map_put(cc_map *map, const void *key, int number);

void cc_map_free(cc_map *map);

#endif
