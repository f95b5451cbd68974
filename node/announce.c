/* SPDX-License-Identifier: Apache-2.0 */
#include "node/announce.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>

#include "api/ip.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/nl/link.h"
#include "lib/nl/nl.h"
#include "lib/nl/watch.h"
#include "node/card.h"
#include "node/files.h"
#include "node/herald.h"
#include "node/tell.h"

struct announcer {
	const struct tell *tell;
	struct nl *host;
	int watch;
	struct herald herald;
	uint64_t n_announced;
	bool has_files; /* what was there at the start has not just come */
};

int announcer_new(const struct tell *tell, struct announcer **out, struct err *e)
{
	AUTO(announcer_free) struct announcer *a = xcalloc(1, sizeof(*a));

	a->tell = tell;
	a->watch = -1;
	if (nl_open(&a->host, e) < 0 || nl_watch_links(&a->watch, e) < 0)
		return -1;
	announcer_look(a);
	*out = STEAL(a);
	return 0;
}

void announcer_free(struct announcer *a)
{
	if (!a)
		return;
	herald_done(&a->herald);
	nl_close(a->host);
	fd_auto(&a->watch);
	free(a);
}

int announcer_fd(const struct announcer *a)
{
	return a->watch;
}

uint64_t announcer_n_announced(const struct announcer *a)
{
	return a->n_announced;
}

void announcer_drain(struct announcer *a)
{
	nl_watch_drain(a->watch);
}

void announcer_look(struct announcer *a)
{
	AUTO(free) struct nl_link *links = NULL;
	AUTO(free) struct herald_seen *seen = NULL;
	struct err e = {0};
	size_t n = 0;

	if (nl_link_list(a->host, &links, &n, &e) < 0) {
		log_warn("the node's links cannot be read", "error", e.msg);
		return;
	}
	seen = xcalloc(n, sizeof(*seen));
	for (size_t i = 0; i < n; i++)
		seen[i] = (struct herald_seen){links[i].index, links[i].carrier_changes,
					       links[i].carrier && (links[i].flags & IFF_UP)};
	herald_look(&a->herald, seen, n, clock_now_ms());
}

static bool is_complete(const struct node_file *f)
{
	return f->complete && f->this_boot && *f->card && *f->netns;
}

void announcer_files(struct announcer *a, struct files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		struct node_file *f = files->v[i];

		if (f->fresh && a->has_files && is_complete(f))
			herald_add_new(&a->herald, f->name, clock_now_ms());
		f->fresh = false;
	}
	a->has_files = true;
}

/* ------------------------------------------------------------------------------- what is due */

static const struct node_file *find(const struct files *files, const char *name)
{
	for (size_t i = 0; i < files->n; i++) {
		if (str_eq(files->v[i]->name, name))
			return files->v[i];
	}
	return NULL;
}

static void announce(struct announcer *a, const struct node_file *f, int parent)
{
	const struct api_ip *rec = tell_record(a->tell, f);
	struct err e = {0};
	int rc;

	if (!rec || api_ip_is_ending(rec))
		return;
	struct card_place place = {
		.netns = f->netns,
		.name = f->card,
		.mac = f->mac,
		.parent = parent,
		.addrs = {rec->cidr.addr, rec->cidr6.addr},
	};

	rc = card_announce(&place, &e);
	a->n_announced += rc > 0;
	if (rc < 0)
		log_warn("card cannot be announced", "container", f->container_id, "error", e.msg);
	else if (rc > 0)
		log_debug("card announced again", "container", f->container_id, "pod-uid", f->uid);
}

/* Most links of a node come and go with pods, and nobody's card is on them: that shall cost nothing. */
static void take_round(struct announcer *a, const struct files *files, int index, int64_t now_ms)
{
	char link[IF_NAMESIZE];
	size_t n = 0;

	if (!if_indextoname((unsigned int)index, link))
		return;
	for (size_t i = 0; i < files->n; i++) {
		const struct node_file *f = files->v[i];

		if (is_complete(f) && (!*f->parent || str_eq(f->parent, link)))
			herald_add(&a->herald, f->name, index, n++, now_ms);
	}
}

int64_t announcer_run(struct announcer *a, const struct files *files)
{
	int64_t now_ms = clock_now_ms();
	struct herald_task task;
	int index = 0;

	while (herald_round(&a->herald, now_ms, &index))
		take_round(a, files, index, now_ms);
	while (herald_take(&a->herald, now_ms, &task)) {
		AUTO(free) char *name = task.file;
		const struct node_file *f = find(files, name);

		if (f && is_complete(f))
			announce(a, f, task.parent);
	}
	return herald_when(&a->herald);
}
