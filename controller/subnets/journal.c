/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/subnets/journal.h"

#include <stdio.h>
#include <string.h>

#include "api/ip.h"
#include "controller/subnets/internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jwrite.h"

#define STATUS_BYTES (250 * 1024) /* of the 256 KiB that a status may have */
#define FURTHER_MS   (10 * 60 * 1000)

static bool is_on(const struct subnet *subnet)
{
	return subnet->all->in.journal;
}

char *journal_note(const struct api_ip *rec, const char *why)
{
	AUTO(free) char *pod = xasprintf("%s/%s", rec->meta.ns, rec->meta.name);
	char mac[MAC_ADDR_LEN];
	const struct api_change c = {
		.pod = pod,
		.pod_uid = rec->pod_id,
		.node = rec->node,
		.mac = api_ip_is_allocated(rec) ? mac_format(&rec->mac, mac) : NULL,
		.record_uid = rec->meta.uid,
		.why = why,
	};

	return api_change_tail(&c);
}

static void add(struct subnet *subnet, struct api_lines *to, bool given, const struct ip_addr *addr,
		const char *tail)
{
	const struct api_change c = {
		.at = process_now_s(subnet->all->in.process), .given = given, .addr = *addr};

	if (ip_is_set(addr))
		api_lines_add(to, api_change_line(&c, tail));
}

/* ------------------------------------------------------------------------------- what a write changes */

/* What was in flight for a record that nobody has seen with an address. */
static char *note_of_inflight(const struct subnet *subnet, const char *uid)
{
	const struct ipam_inflight *f = ipam_allocation_inflight_find(&subnet->record, uid);
	AUTO(free) char *pod = f ? xasprintf("%s/%s", f->ns, f->name) : NULL;
	const struct api_change c = {
		.pod = pod,
		.pod_uid = f ? f->pod_uid : NULL,
		.record_uid = uid,
		.why = f ? "taken-back" : "no-record",
	};

	return api_change_tail(&c);
}

static void compose_ends(struct subnet *subnet)
{
	for (size_t i = 0; i < subnet->n_sent_releases; i++) {
		const struct plan_entry *entry = &subnet->releases.items[i];
		AUTO(free) char *tail = NULL;

		/* It may have been asked for twice, and have another holder by now. */
		if (!ipam_set_has(&subnet->record.pool.used, &entry->addr) ||
		    ipam_set_has(&subnet->next.pool.used, &entry->addr))
			continue;
		tail = entry->note ? xstrdup(entry->note)
				   : note_of_inflight(subnet, entry->record_uid);
		add(subnet, &subnet->next_lines, false, &entry->addr, tail);
	}
}

static void compose_adopts(struct subnet *subnet)
{
	for (size_t i = 0; i < subnet->n_sent_adopts; i++) {
		const struct plan_entry *entry = &subnet->adopts.items[i];

		if (!ipam_set_has(&subnet->record.pool.used, &entry->addr) &&
		    ipam_set_has(&subnet->next.pool.used, &entry->addr))
			add(subnet, &subnet->next_lines, true, &entry->addr, entry->note);
	}
}

static void compose_grants(struct subnet *subnet)
{
	for (size_t i = 0; i < subnet->n_sent; i++) {
		const struct plan_want *want = &subnet->wants[i];
		AUTO(free) char *pod = xasprintf("%s/%s", want->ns, want->name);
		AUTO(free) char *tail = NULL;
		char mac[MAC_ADDR_LEN];
		const struct api_change c = {
			.pod = pod,
			.pod_uid = want->pod_uid,
			.node = want->node,
			.mac = mac_format(&want->mac, mac),
			.record_uid = want->record_uid,
		};

		tail = api_change_tail(&c);
		add(subnet, &subnet->next_lines, true, &want->addr, tail);
		add(subnet, &subnet->next_lines, true, &want->addr6, tail);
	}
}

void journal_compose(struct subnet *subnet)
{
	if (!is_on(subnet))
		return;
	/* These came before whatever is done by this write. */
	for (size_t i = 0; i < subnet->further.n; i++)
		api_lines_add(&subnet->next_lines, xstrdup(subnet->further.v[i]));
	subnet->n_sent_further = subnet->further.n;
	compose_ends(subnet);
	compose_adopts(subnet);
	compose_grants(subnet);
	/* Another subnet of the name may have been here before: none of its numbers comes again. */
	if (!subnet->lines.next)
		subnet->lines.next = (uint64_t)process_now_s(subnet->all->in.process) * 1000;
}

char *journal_text(const struct subnet *subnet, size_t taken)
{
	size_t left = taken < STATUS_BYTES ? STATUS_BYTES - taken : 0;
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w;

	if (!subnet->next_lines.n && !subnet->lines_stale)
		return xstrdup("");
	sb_puts(&sb, ",\"journal\":");
	w = jw_init(&sb);
	api_lines_write(&w, &subnet->lines, &subnet->next_lines,
			left < API_JOURNAL_WAITING_BYTES ? left : API_JOURNAL_WAITING_BYTES);
	jw_finish(&w);
	return sb_take(&sb);
}

/* ------------------------------------------------------------------------------- and has changed */

/* As JSON, to whoever collects the log. */
static void log_change(const struct subnet *subnet, const char *line, uint64_t number)
{
	AUTO(free) char *copy = xstrdup(line);
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);
	struct api_change c;

	if (api_change_parse(copy, &c) < 0)
		return;
	api_change_json(&c, subnet->name, number, &w);
	jw_finish(&w);
	log_text(LOG_LEVEL_INFO, sb_get(&sb));
}

static void cut_further(struct subnet *subnet, size_t n)
{
	api_lines_cut(&subnet->further, api_lines_number(&subnet->further, n));
	if (!subnet->further.n)
		subnet->further_ms = 0;
}

void journal_committed(struct subnet *subnet)
{
	struct api_lines *next = &subnet->next_lines;

	for (size_t i = 0; i < next->n; i++) {
		log_change(subnet, next->v[i], subnet->lines.next);
		api_lines_add(&subnet->lines, STEAL(next->v[i]));
	}
	cut_further(subnet, subnet->n_sent_further);
	subnet->lines_stale = false;
	journal_drop(subnet);
}

void journal_drop(struct subnet *subnet)
{
	api_lines_done(&subnet->next_lines);
	subnet->n_sent_further = 0;
}

void journal_take(struct subnet *subnet, struct api_lines *read)
{
	struct api_lines *l = &subnet->lines;
	uint64_t known = l->next;

	if (read->next <= known)
		return;
	for (size_t i = 0; i < read->n; i++) {
		uint64_t number = api_lines_number(read, i);

		if (number < known)
			continue;
		/* What stands between has been put away, or had no room. */
		l->next = l->n ? l->next : number;
		if (known)
			log_change(subnet, read->v[i], number);
		api_lines_add(l, xstrdup(read->v[i]));
	}
	l->next = read->next;
}

/* ------------------------------------------------------------------------------- told by the records */

void subnet_note_end(struct subnet *subnet, const struct ip_addr *addr, const struct api_ip *rec,
		     const char *why)
{
	struct plan_entry *entry;

	if (subnet->state < SUBNET_SETTLING || !ip_is_set(addr))
		return;
	entry = plan_list_add(&subnet->releases, addr, rec->meta.uid);
	if (!entry->note)
		entry->note = journal_note(rec, why);
}

void subnet_note_pod(struct subnet *subnet, const struct api_ip *rec, const char *why)
{
	AUTO(free) char *tail = journal_note(rec, why);

	if (!is_on(subnet))
		return;
	add(subnet, &subnet->further, !why, &rec->cidr.addr, tail);
	add(subnet, &subnet->further, !why, &rec->cidr6.addr, tail);
	if (!subnet->further_ms)
		subnet->further_ms = clock_now_ms() + FURTHER_MS;
}

int64_t journal_due(struct subnet *subnet, int64_t now_ms)
{
	if (subnet->further_ms && subnet->further_ms <= now_ms) {
		subnet->further_ms = 0;
		subnet_soft(subnet);
		return subnet->soft_ms;
	}
	return subnet->further_ms;
}

/* ------------------------------------------------------------------------------- for the journal */

const struct api_lines *subnet_lines(const struct subnet *subnet)
{
	return &subnet->lines;
}

void subnet_lines_kept(struct subnet *subnet, uint64_t below)
{
	size_t n = subnet->lines.n;

	api_lines_cut(&subnet->lines, below);
	subnet->lines_stale |= subnet->lines.n != n;
}
