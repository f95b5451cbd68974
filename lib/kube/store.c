/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/store.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/json.h"

/* Open addressing, linear probing, a power of two, at most three quarters full. */
#define FIRST_SLOTS 64

struct entry {
	uint64_t hash;
	char *key;         /* "namespace/name", and after its NUL the resourceVersion */
	void *obj;         /* NULL = known, but not of interest or malformed */
	unsigned int list; /* number of the list it was last seen in */
};

struct kube_store {
	const struct kube_store_ops *ops;
	void *ctx;
	struct entry *slots;
	size_t n_slots, n_entries, n_objects;
	unsigned int list;     /* the present or last one's number */
	unsigned int complete; /* how many came to their end */
	bool listing;
};

struct kube_store *kube_store_new(const struct kube_store_ops *ops, void *ctx)
{
	struct kube_store *s = xcalloc(1, sizeof(*s));

	s->ops = ops;
	s->ctx = ctx;
	s->n_slots = FIRST_SLOTS;
	s->slots = xcalloc(s->n_slots, sizeof(*s->slots));
	return s;
}

void kube_store_free(struct kube_store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_slots; i++) {
		if (s->slots[i].obj)
			s->ops->free(s->slots[i].obj);
		free(s->slots[i].key);
	}
	free(s->slots);
	free(s);
}

/* ------------------------------------------------------------------ the table */

static uint64_t hash_key(const char *key)
{
	return hash_fnv1a(HASH_FNV1A_INIT, key, strlen(key));
}

/* FNV's low bits are its weak ones. */
static size_t home(const struct kube_store *s, uint64_t hash)
{
	return (size_t)((hash ^ hash >> 32) & (s->n_slots - 1));
}

/* The entry's slot, or the free one where it would go. */
static struct entry *probe(const struct kube_store *s, uint64_t hash, const char *key)
{
	size_t i = home(s, hash);

	while (s->slots[i].key && (s->slots[i].hash != hash || !str_eq(s->slots[i].key, key)))
		i = (i + 1) & (s->n_slots - 1);
	return &s->slots[i];
}

static void grow(struct kube_store *s)
{
	struct entry *old = s->slots;
	size_t n_old = s->n_slots;

	s->n_slots *= 2;
	s->slots = xcalloc(s->n_slots, sizeof(*s->slots));
	for (size_t i = 0; i < n_old; i++) {
		if (old[i].key)
			*probe(s, old[i].hash, old[i].key) = old[i];
	}
	free(old);
}

/* Close the gap: entries that had been pushed beyond it move back (Knuth 6.4, algorithm R). */
static void drop_slot(struct kube_store *s, struct entry *entry)
{
	size_t mask = s->n_slots - 1;
	size_t gap = (size_t)(entry - s->slots);

	free(STEAL(entry->key));
	for (size_t i = (gap + 1) & mask; s->slots[i].key; i = (i + 1) & mask) {
		size_t wants = home(s, s->slots[i].hash);

		if (((i - wants) & mask) < ((i - gap) & mask))
			continue;
		s->slots[gap] = s->slots[i];
		s->slots[i] = (struct entry){0};
		gap = i;
	}
	s->n_entries--;
}

static const char *version_of(const struct entry *entry)
{
	return entry->key + strlen(entry->key) + 1;
}

static char *new_key(const char *key, const char *version)
{
	size_t key_len = strlen(key), version_len = strlen(version);
	char *both = xmalloc(key_len + version_len + 2);

	memcpy(both, key, key_len + 1);
	memcpy(both + key_len + 1, version, version_len + 1);
	return both;
}

/* "namespace/name" or "name" into buf, the allocated result when it is longer. */
static const char *join(const char *ns, const char *name, char *buf, size_t size)
{
	size_t ns_len = ns ? strlen(ns) : 0, name_len = strlen(name);

	if (!ns_len)
		return name;
	if (ns_len + name_len + 2 > size)
		return NULL;
	memcpy(buf, ns, ns_len);
	buf[ns_len] = '/';
	memcpy(buf + ns_len + 1, name, name_len + 1);
	return buf;
}

/* A namespace has at most 63 characters, a name 253. */
#define KEY_MAX 512

/* ------------------------------------------------------------------ lookups */

void *kube_store_get_key(const struct kube_store *s, const char *key)
{
	return probe(s, hash_key(key), key)->obj;
}

void *kube_store_get(const struct kube_store *s, const char *ns, const char *name)
{
	char buf[KEY_MAX];
	const char *key = join(ns, name, buf, sizeof(buf));

	return key ? kube_store_get_key(s, key) : NULL;
}

const char *kube_store_version(const struct kube_store *s, const char *key)
{
	const struct entry *entry = probe(s, hash_key(key), key);

	return entry->obj ? version_of(entry) : NULL;
}

size_t kube_store_count(const struct kube_store *s)
{
	return s->n_objects;
}

bool kube_store_is_synced(const struct kube_store *s)
{
	return s->complete > 0;
}

unsigned int kube_store_lists(const struct kube_store *s)
{
	return s->complete;
}

void *kube_store_each(const struct kube_store *s, size_t *pos, const char **out_key)
{
	while (*pos < s->n_slots) {
		const struct entry *entry = &s->slots[(*pos)++];

		if (!entry->obj)
			continue;
		if (out_key)
			*out_key = entry->key;
		return entry->obj;
	}
	return NULL;
}

/* ------------------------------------------------------------------ changes */

static int key_of(const struct jval *obj, char buf[KEY_MAX], const char **out, struct err *e)
{
	const char *name = kube_json_meta(obj, "name");
	const char *key = name ? join(kube_json_meta(obj, "namespace"), name, buf, KEY_MAX) : NULL;

	if (!key) {
		jerr(obj, "metadata", e, ERR_DECODE, "no usable name");
		return -1;
	}
	*out = key;
	return 0;
}

static void replace(struct kube_store *s, struct entry *entry, void *obj)
{
	void *old = entry->obj;

	entry->obj = obj;
	s->n_objects += (obj != NULL);
	s->n_objects -= (old != NULL);
	if ((old || obj) && s->ops->changed)
		s->ops->changed(s->ctx, entry->key, old, obj);
	if (old)
		s->ops->free(old);
}

static void take(struct kube_store *s, struct entry *entry, const struct jval *obj)
{
	struct err why = {0};
	void *made = NULL;

	if (s->ops->decode(s->ctx, obj, &made, &why)) {
		made = NULL;
		if (s->ops->bad)
			s->ops->bad(s->ctx, entry->key, &why);
	}
	replace(s, entry, made);
}

void kube_store_reconsider(struct kube_store *s)
{
	for (size_t i = 0; i < s->n_slots; i++) {
		struct entry *entry = &s->slots[i];

		if (entry->key && !entry->obj)
			entry->key[strlen(entry->key) + 1] = '\0';
	}
}

int kube_store_set(struct kube_store *s, const struct jval *obj, struct err *e)
{
	const char *version = kube_json_meta(obj, "resourceVersion");
	const char *key = NULL;
	struct entry *entry;
	char buf[KEY_MAX];
	uint64_t hash;

	if (key_of(obj, buf, &key, e))
		return -1;
	if (!version)
		version = "";
	if (s->n_entries + 1 > s->n_slots / 4 * 3)
		grow(s);
	hash = hash_key(key);
	entry = probe(s, hash, key);
	if (entry->key && *version && str_eq(version_of(entry), version)) {
		entry->list = s->list;
		return 0;
	}
	s->n_entries += !entry->key;
	free(entry->key);
	entry->key = new_key(key, version);
	entry->hash = hash;
	entry->list = s->list;
	take(s, entry, obj);
	return 0;
}

int kube_store_remove(struct kube_store *s, const struct jval *obj, struct err *e)
{
	const char *key = NULL;
	char buf[KEY_MAX];

	if (key_of(obj, buf, &key, e))
		return -1;
	kube_store_remove_key(s, key);
	return 0;
}

void kube_store_remove_key(struct kube_store *s, const char *key)
{
	struct entry *entry = probe(s, hash_key(key), key);

	if (!entry->key)
		return;
	replace(s, entry, NULL);
	drop_slot(s, entry);
}

void kube_store_unreadable(struct kube_store *s, const char *key, const struct err *why)
{
	struct entry *entry = probe(s, hash_key(key), key);

	if (entry->key)
		entry->list = s->list;
	if (s->ops->bad)
		s->ops->bad(s->ctx, key, why);
}

void kube_store_list_begin(struct kube_store *s)
{
	s->list++;
	s->listing = true;
}

void kube_store_list_end(struct kube_store *s)
{
	if (!s->listing)
		return;
	s->listing = false;
	for (size_t i = 0; i < s->n_slots;) {
		struct entry *entry = &s->slots[i];

		if (!entry->key || entry->list == s->list) {
			i++;
			continue;
		}
		replace(s, entry, NULL);
		/* What moves into the gap is looked at next. */
		drop_slot(s, entry);
	}
	s->complete++;
	if (s->ops->synced)
		s->ops->synced(s->ctx);
}
