/* A hash table with open addressing: a key lies where its address says, or in the next free place behind. */
#include "base/map.h"
#include "base/alloc.h"
#include <stdint.h>

/* Where a key is, or would be put. */
static cc_map_entry *place_of(const cc_map *map, const void *key)
{
    const uint64_t mixed = (uint64_t)(uintptr_t)key * 0x9E3779B97F4A7C15u; /* the golden ratio: neighbours go apart */
    for (size_t i = (size_t)(mixed >> 32);; ++i) {
        cc_map_entry *entry = &map->entries[i & (map->capacity - 1)];
        if (!entry->key || entry->key == key) return entry;
    }
}

int cc_map_find(const cc_map *map, const void *key)
{
    return map->n ? place_of(map, key)->number : 0;
}

static bool grow(cc_map *map)
{
    cc_map larger = {.n = map->n, .capacity = map->capacity ? 2 * map->capacity : 32};
    larger.entries = cc_alloc_zero(larger.capacity * sizeof *larger.entries);
    if (!larger.entries) return false;
    for (size_t i = 0; i < map->capacity; ++i)
        if (map->entries[i].key) *place_of(&larger, map->entries[i].key) = map->entries[i];
    cc_free(map->entries);
    *map = larger;
    return true;
}

bool cc_map_put(cc_map *map, const void *key, int number)
{
    if (2 * (map->n + 1) > map->capacity && !grow(map)) return false;
    cc_map_entry *entry = place_of(map, key);
    map->n += !entry->key;
    *entry = (cc_map_entry){key, number};
    return true;
}

void cc_map_free(cc_map *map)
{
    cc_free(map->entries);
    *map = (cc_map){0};
}
