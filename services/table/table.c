/* SPDX-License-Identifier: Apache-2.0 */
#include "services/table/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/bpf/map.h"

#define NAME_LEN      72
#define LOCK_AGAIN_MS 10

/* One Service as it stands in the maps. */
struct row {
	char name[NAME_LEN]; /* its key, as text */
	struct svc_key key;
	struct svc_value value;
	struct table_service s; /* the same, for others */
};

struct table {
	int conf, svc, slot, live;
	struct map rows; /* struct row, by name */
	table_gone_fn *gone;
	void *gone_ctx;
};

/* ------------------------------------------------------------------------------- forms */
static struct svc_key key_of(const struct table_service *s)
{
	return (struct svc_key){.addr = entry_addr(&s->at.addr),
				.port = htons(s->at.port),
				.proto = s->proto,
				.scope = s->scope};
}

static void name_of(const struct svc_key *k, char out[NAME_LEN])
{
	const unsigned char *b = (const unsigned char *)k;

	for (size_t i = 0; i < sizeof(*k); i++)
		snprintf(out + 2 * i, 3, "%02x", b[i]);
}

static struct svc_live live_of(const struct table_endpoint *b, uint32_t id)
{
	return (struct svc_live){.addr = entry_addr(&b->addr), .port = htons(b->port), .id = id};
}

static bool endpoint_eq(const struct table_endpoint *a, const struct table_endpoint *b)
{
	return a->port == b->port && ip_eq(&a->addr, &b->addr);
}

static bool has_backend(const struct table_service *s, const struct table_endpoint *b)
{
	for (size_t i = 0; i < s->n_backends; i++) {
		if (endpoint_eq(&s->backends[i], b))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------------------- opening */
int table_lock(const char *file, int64_t deadline_ms, int *out_fd, struct err *e)
{
	AUTO(fd) int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_errno(e, ERR_IO, errno, "open the lock %s", file);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		struct timespec pause = {.tv_nsec = LOCK_AGAIN_MS * 1000000L};

		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_errno(e, ERR_IO, errno, "lock %s", file);
		if (clock_left_ms(deadline_ms) == 0)
			return err_set(e, ERR_TIMEOUT, 0, "%s: another program has the lock", file);
		nanosleep(&pause, NULL);
	}
	*out_fd = fd_steal(&fd);
	return 0;
}

static void row_free(struct row *r)
{
	free(r->s.backends);
	free(r);
}

void table_free(struct table *t)
{
	struct row *r;

	if (!t)
		return;
	for (size_t i = 0; (r = map_each(&t->rows, &i));)
		row_free(r);
	map_done(&t->rows);
	fd_auto(&t->conf);
	fd_auto(&t->svc);
	fd_auto(&t->slot);
	fd_auto(&t->live);
	free(t);
}

static int open_maps(struct table *t, const char *dir, struct err *e)
{
	const struct {
		const char *name;
		uint32_t key, value;
		int *fd;
	} maps[] = {
		{"conf", sizeof(uint32_t), sizeof(struct svc_conf), &t->conf},
		{"svc", sizeof(struct svc_key), sizeof(struct svc_value), &t->svc},
		{"slot", sizeof(struct svc_slot_key), sizeof(struct svc_slot), &t->slot},
		{"live", sizeof(struct svc_live), sizeof(uint32_t), &t->live},
	};

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		int rc = bpf_map_open(dir, maps[i].name, maps[i].key, maps[i].value, maps[i].fd, e);

		if (rc == 0)
			return err_set(
				e, ERR_NOT_FOUND, 0,
				"%s/%s is not there: the programs are not loaded; tandem-services load",
				dir, maps[i].name);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int read_backends(const struct table *t, struct row *r, struct err *e)
{
	struct svc_slot_key k = {.id = r->value.id, .gen = r->value.gen};

	if (r->value.n > TABLE_BACKENDS_MAX)
		return err_set(e, ERR_KERNEL, EINVAL, "a Service in the map has %u backends",
			       r->value.n);
	r->s.backends = xcalloc(r->value.n + 1, sizeof(*r->s.backends));
	for (k.slot = 0; k.slot < r->value.n; k.slot++) {
		struct svc_slot v;
		int rc = bpf_map_get(t->slot, &k, &v, e);

		if (rc < 0)
			return -1;
		if (rc == 0) /* its writer was killed; the next table_put() mends it */
			continue;
		r->s.backends[r->s.n_backends++] =
			(struct table_endpoint){.addr = entry_ip(&v.addr), .port = ntohs(v.port)};
	}
	return 0;
}

static struct row *row_new(const struct svc_key *k, const struct svc_value *v)
{
	struct row *r = xcalloc(1, sizeof(*r));

	r->key = *k;
	r->value = *v;
	name_of(k, r->name);
	r->s.at = (struct table_endpoint){.addr = entry_ip(&k->addr), .port = ntohs(k->port)};
	r->s.proto = k->proto;
	r->s.scope = k->scope;
	r->s.id = v->id;
	r->s.affinity_s = v->affinity_s;
	r->s.flags = v->flags;
	return r;
}

static int read_rows(struct table *t, struct err *e)
{
	struct svc_key k, next;
	struct svc_value v;
	int rc = bpf_map_next(t->svc, NULL, &next, e);

	for (; rc > 0; rc = bpf_map_next(t->svc, &k, &next, e)) {
		struct row *r;

		k = next;
		rc = bpf_map_get(t->svc, &k, &v, e);
		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		r = row_new(&k, &v);
		map_put(&t->rows, r->name, r);
		if (read_backends(t, r, e) < 0)
			return -1;
	}
	return rc;
}

int table_open(const char *dir, struct table **out, struct err *e)
{
	AUTO(table_free) struct table *t = xcalloc(1, sizeof(*t));

	t->conf = t->svc = t->slot = t->live = -1;
	if (open_maps(t, dir, e) < 0 || read_rows(t, e) < 0)
		return -1;
	*out = STEAL(t);
	return 0;
}

void table_on_gone(struct table *t, table_gone_fn *fn, void *ctx)
{
	t->gone = fn;
	t->gone_ctx = ctx;
}

int table_conf(const struct table *t, struct svc_conf *out, struct err *e)
{
	uint32_t zero = 0;

	return bpf_map_get(t->conf, &zero, out, e) < 0 ? -1 : 0;
}

int table_set_conf(const struct table *t, const struct svc_conf *conf, struct err *e)
{
	uint32_t zero = 0;

	return bpf_map_set(t->conf, &zero, conf, e);
}

/* ------------------------------------------------------------------------------- writing */
/* The row as it stands in the map now: the daemon and the tool write into the same one. 1, 0 or -1. */
static int refresh(struct table *t, const struct svc_key *k, struct row **out, struct err *e)
{
	char name[NAME_LEN];
	struct svc_value v;
	struct row *r;
	int rc = bpf_map_get(t->svc, k, &v, e);

	if (rc < 0)
		return -1;
	name_of(k, name);
	r = map_get(&t->rows, name);
	if (r && (rc == 0 || memcmp(&r->value, &v, sizeof(v)) != 0)) {
		map_remove(&t->rows, name);
		row_free(r);
		r = NULL;
	}
	if (rc && !r) {
		r = row_new(k, &v);
		map_put(&t->rows, r->name, r);
		if (read_backends(t, r, e) < 0)
			return -1;
	}
	*out = r;
	return rc;
}

static int check_owner(const struct row *r, bool by_hand, struct err *e)
{
	bool is_by_hand = r->value.flags & SVC_BY_HAND;
	char ip[IP_ADDR_LEN];

	if (is_by_hand == by_hand)
		return 0;
	return err_set(e, ERR_CONFLICT, 0, "%s port %u %s", ip_format(&r->s.at.addr, ip),
		       r->s.at.port,
		       is_by_hand ? "was made by hand; svc del removes it"
				  : "is the cluster's, not made by hand");
}

/* Of the slots of a generation; those that are not there do not count. */
static int drop_slots(const struct table *t, uint32_t id, uint32_t gen, uint32_t n, struct err *e)
{
	struct svc_slot_key k = {.id = id, .gen = gen};
	int rc = 0;

	for (k.slot = 0; k.slot < n; k.slot++) {
		if (bpf_map_drop(t->slot, &k, e) < 0)
			rc = -1;
	}
	return rc;
}

/* Of those that a Service had, what the wanted one (NULL = nothing) does not have. */
static int drop_live(const struct table *t, const struct table_service *had, uint32_t id,
		     const struct table_service *want, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < had->n_backends; i++) {
		struct svc_live k = live_of(&had->backends[i], id);

		if (want && has_backend(want, &had->backends[i]))
			continue;
		if (t->gone)
			t->gone(t->gone_ctx, had, &had->backends[i]);
		if (bpf_map_drop(t->live, &k, e) < 0)
			rc = -1;
	}
	return rc;
}

static int write_backends(const struct table *t, const struct table_service *s,
			  const struct svc_value *v, struct err *e)
{
	const uint32_t one = 1;

	for (uint32_t i = 0; i < v->n; i++) {
		struct svc_live live = live_of(&s->backends[i], v->id);
		struct svc_slot_key k = {.id = v->id, .gen = v->gen, .slot = i};
		struct svc_slot slot = {
			.addr = live.addr, .port = live.port, .id = v->id, .gen = v->gen};

		if (bpf_map_set(t->live, &live, &one, e) < 0 ||
		    bpf_map_set(t->slot, &k, &slot, e) < 0)
			return -1;
	}
	return 0;
}

static int new_id(const struct table *t, uint32_t *out, struct err *e)
{
	struct svc_conf conf;

	if (table_conf(t, &conf, e) < 0)
		return -1;
	*out = ++conf.next_id;
	return table_set_conf(t, &conf, e);
}

static void forget(struct table *t, struct row *r)
{
	map_remove(&t->rows, r->name);
	row_free(r);
}

static int remove_row(struct table *t, struct row *r, struct err *e)
{
	int rc = bpf_map_drop(t->svc, &r->key, e);

	if (rc < 0)
		return -1;
	/* It is out of use: what cannot be dropped now only takes place. */
	IGNORE(drop_slots(t, r->value.id, r->value.gen, r->value.n, e), "out of use");
	IGNORE(drop_live(t, &r->s, r->value.id, NULL, e), "out of use");
	err_clear(e);
	forget(t, r);
	return 1;
}

/* Half a list of backends is worse than none: others serve what is not there. */
static int leave_out(struct table *t, struct row *old, const struct table_service *s,
		     const struct svc_value *v, struct err *e)
{
	struct err ignored = {0};
	char ip[IP_ADDR_LEN];

	IGNORE(drop_slots(t, v->id, v->gen, v->n, &ignored), "the first error counts");
	IGNORE(drop_live(t, s, v->id, NULL, &ignored), "the first error counts");
	if (old)
		IGNORE(remove_row(t, old, &ignored), "the first error counts");
	if (e->num != E2BIG && e->num != ENOMEM)
		return -1;
	return err_set(e, ERR_KERNEL, ENOSPC,
		       "%s port %u with %u backends is left out: the map is full",
		       ip_format(&s->at.addr, ip), s->at.port, v->n);
}

static bool stands_so(const struct row *r, const struct table_service *s)
{
	if (r->value.flags != s->flags || r->value.affinity_s != s->affinity_s ||
	    r->value.n != s->n_backends || r->s.n_backends != s->n_backends)
		return false;
	for (size_t i = 0; i < s->n_backends; i++) {
		if (!endpoint_eq(&r->s.backends[i], &s->backends[i]))
			return false;
	}
	return true;
}

/* Out of use since the flip: what cannot be dropped only takes place. */
static void drop_old(struct table *t, struct row *old, const struct table_service *s)
{
	struct err e = {0};

	IGNORE(drop_slots(t, old->value.id, old->value.gen, old->value.n, &e), "see above");
	IGNORE(drop_live(t, &old->s, old->value.id, s, &e), "see above");
	forget(t, old);
}

static int flip(struct table *t, struct row *old, const struct table_service *s,
		const struct svc_value *v, struct err *e)
{
	struct svc_key k = key_of(s);
	struct row *r;

	if (write_backends(t, s, v, e) < 0 || bpf_map_set(t->svc, &k, v, e) < 0)
		return leave_out(t, old, s, v, e);
	if (old)
		drop_old(t, old, s);
	r = row_new(&k, v);
	r->s.backends = xcalloc(v->n + 1, sizeof(*r->s.backends));
	if (v->n)
		memcpy(r->s.backends, s->backends, v->n * sizeof(*s->backends));
	r->s.n_backends = v->n;
	map_put(&t->rows, r->name, r);
	return 0;
}

int table_put(struct table *t, const struct table_service *s, bool *out_changed, struct err *e)
{
	struct svc_value v = {.gen = 1, .affinity_s = s->affinity_s, .flags = s->flags};
	struct svc_key k = key_of(s);
	struct row *old = NULL;

	if (s->n_backends > TABLE_BACKENDS_MAX)
		return err_set(e, ERR_CONFIG, 0, "more than %d backends", TABLE_BACKENDS_MAX);
	if (out_changed)
		*out_changed = false;
	if (refresh(t, &k, &old, e) < 0 || (old && check_owner(old, s->flags & SVC_BY_HAND, e) < 0))
		return -1;
	if (old && stands_so(old, s))
		return 0;
	v.n = (uint32_t)s->n_backends;
	v.check = svc_check(&k);
	if (old) {
		v.id = old->value.id;
		v.gen = old->value.gen + 1;
	} else if (new_id(t, &v.id, e) < 0) {
		return -1;
	}
	if (out_changed)
		*out_changed = true;
	return flip(t, old, s, &v, e);
}

int table_remove(struct table *t, const struct table_service *s, bool by_hand, struct err *e)
{
	struct svc_key k = key_of(s);
	struct row *r = NULL;
	int rc = refresh(t, &k, &r, e);

	if (rc <= 0)
		return rc;
	return check_owner(r, by_hand, e) < 0 ? -1 : remove_row(t, r, e);
}

/* ------------------------------------------------------------------------------- reading */
static int by_id(const void *a, const void *b)
{
	const struct table_service *x = *(const struct table_service *const *)a;
	const struct table_service *y = *(const struct table_service *const *)b;

	return (x->id > y->id) - (x->id < y->id);
}

size_t table_list(const struct table *t, const struct table_service ***out)
{
	const struct table_service **v = xcalloc(t->rows.count + 1, sizeof(struct table_service *));
	struct row *r;
	size_t n = 0;

	for (size_t i = 0; (r = map_each(&t->rows, &i));)
		v[n++] = &r->s;
	qsort(v, n, sizeof(struct table_service *), by_id);
	*out = v;
	return n;
}
