/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry answers to the subnet in which it waits. */
#include <stdlib.h>

#include "api/workload.h"
#include "controller/records/internal.h"
#include "controller/rules/plan.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

static struct entry *of(const struct waiter *w)
{
	return CONTAINER_OF(w, struct entry, waiter);
}

/* A StatefulSet's pods take the entries of a list in their own order. */
static size_t ordinal_of(const struct entry *entry)
{
	AUTO(free) char *set = NULL;
	int64_t n = -1;

	if (entry->pod && api_pod_is_stateful(entry->pod))
		n = api_workload_ordinal(entry->pod->meta.name, &set);
	return n > 0 ? (size_t)n : 0;
}

static void want(const struct waiter *w, struct plan_want *out)
{
	const struct entry *entry = of(w);

	*out = (struct plan_want){
		.request = &entry->request,
		.pod_uid = entry->pod ? entry->pod->meta.uid : "",
		.ns = entry->pod ? entry->pod->meta.ns : "",
		.name = entry->pod ? entry->pod->meta.name : "",
		.node = entry->pod ? entry->pod->node : NULL,
		.owner = entry->owner,
		.first = ordinal_of(entry),
	};
	if (entry->lost && str_eq(entry->lost->subnet, subnet_name(w->subnet))) {
		out->keep = entry->lost->cidr.addr;
		out->keep6 = entry->lost->cidr6.addr;
		if (api_ip_has_own_mac(entry->lost))
			out->keep_mac = entry->lost->mac;
	}
}

static void granted(struct waiter *w)
{
	struct entry *entry = of(w);
	const struct api_ip *lost = entry->lost;

	entry->prefix = lost ? lost->cidr.prefix : subnet_prefix_of(w->subnet, &w->addr);
	entry->prefix6 = lost ? lost->cidr6.prefix : subnet_prefix_of(w->subnet, &w->addr6);
	entry->probe = !lost && (subnet_must_probe(w->subnet, &w->addr) ||
				 subnet_must_probe(w->subnet, &w->addr6));
	/* The CIDR was edited meanwhile: the record goes, then the address. */
	if (!entry->prefix || (ip_is_set(&w->addr6) && !entry->prefix6))
		entry->forced_anew = true;
	entry_claim(entry);
	entry_mark(entry);
}

static void refused(struct waiter *w, const struct plan_want *want)
{
	struct entry *entry = of(w);

	entry_tell_waiting(w->subnet, entry, want);
	/* Another of its subnets may have one. */
	if (entry->request.others)
		entry_mark(entry);
}

static void look_again(struct waiter *w)
{
	entry_mark(of(w));
}

const struct waiter_ops entry_waiter_ops = {
	.want = want, .granted = granted, .refused = refused, .look_again = look_again};
