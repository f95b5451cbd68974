/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/map.h"

#include <stdint.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"

#define FIRST_SLOTS 64

void map_done(struct map *m)
{
	free(m->slots);
	*m = (struct map){0};
}

/* Linear probing, a power of two; FNV's low bits are its weak ones. */
static size_t home(const struct map *m, const char *key)
{
	uint64_t h = hash_fnv1a(HASH_FNV1A_INIT, key, strlen(key));

	return (size_t)((h ^ h >> 32) & (m->n_slots - 1));
}

static size_t probe(const struct map *m, const char *key)
{
	size_t i = home(m, key);

	while (m->slots[i].key && !str_eq(m->slots[i].key, key))
		i = (i + 1) & (m->n_slots - 1);
	return i;
}

void *map_get(const struct map *m, const char *key)
{
	return m->n_slots ? m->slots[probe(m, key)].value : NULL;
}

static void grow(struct map *m)
{
	struct map_slot *old = m->slots;
	size_t n = m->n_slots;

	m->n_slots = n ? n * 2 : FIRST_SLOTS;
	m->slots = xcalloc(m->n_slots, sizeof(*m->slots));
	for (size_t i = 0; i < n; i++) {
		if (old[i].key)
			m->slots[probe(m, old[i].key)] = old[i];
	}
	free(old);
}

void map_put(struct map *m, const char *key, void *value)
{
	if ((m->count + 1) * 4 > m->n_slots * 3)
		grow(m);
	m->slots[probe(m, key)] = (struct map_slot){key, value};
	m->count++;
}

void *map_remove(struct map *m, const char *key)
{
	size_t mask = m->n_slots - 1, gap;
	void *value;

	if (!m->n_slots)
		return NULL;
	gap = probe(m, key);
	value = m->slots[gap].value;
	if (!m->slots[gap].key)
		return NULL;
	/* Entries that had been pushed beyond the gap move back into it. */
	for (size_t i = (gap + 1) & mask; m->slots[i].key; i = (i + 1) & mask) {
		size_t wants = home(m, m->slots[i].key);

		if (((i - wants) & mask) < ((i - gap) & mask))
			continue;
		m->slots[gap] = m->slots[i];
		gap = i;
	}
	m->slots[gap] = (struct map_slot){0};
	m->count--;
	return value;
}

void *map_each(const struct map *m, size_t *pos)
{
	while (*pos < m->n_slots) {
		const struct map_slot *s = &m->slots[(*pos)++];

		if (s->key)
			return s->value;
	}
	return NULL;
}
