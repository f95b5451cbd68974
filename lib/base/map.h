/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table from strings to pointers. */
#ifndef LIB_BASE_MAP_H
#define LIB_BASE_MAP_H

#include <stddef.h>

#include "lib/base/auto.h"

struct map_slot {
	const char *key;
	void *value;
};

struct map {
	struct map_slot *slots;
	size_t n_slots;
	size_t count;
};

/** map_done - free the table, neither keys nor values. */
void map_done(struct map *m);
DEFINE_AUTO_VALUE(struct map, map_done)

/** map_get - the value or NULL. */
void *map_get(const struct map *m, const char *key);
/** map_put - key must not be there yet; it is lent and lives as long as its value. */
void map_put(struct map *m, const char *key, void *value);
/** map_remove - the value that was there, or NULL. */
void *map_remove(struct map *m, const char *key);
/** map_each - for (size_t i = 0; (v = map_each(m, &i));). Not while it changes. */
void *map_each(const struct map *m, size_t *pos);

#endif
