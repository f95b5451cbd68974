/* SPDX-License-Identifier: Apache-2.0 */
/* The rooms up to the records, for tests of what stands on them: caches that are fed by hand. */
#ifndef CONTROLLER_RECORDS_ROOMS_TEST_H
#define CONTROLLER_RECORDS_ROOMS_TEST_H

#include "lib/base/test.h"

#include <string.h>

#include "controller/addresses/holders.h"
#include "controller/addresses/reservations.h"
#include "controller/cluster/cluster.h"
#include "controller/cluster/owners.h"
#include "controller/process/process.h"
#include "controller/records/records.h"
#include "controller/subnets/subnet.h"
#include "lib/json/jread.h"
#include "lib/json/text_test.h"
#include "lib/kube/store.h"

struct rooms {
	struct records_options opt;
	struct process process;
	struct cluster *cluster;
	struct holders *holders;
	struct owners *owners;
	struct reservations *reservations;
	struct subnets *subnets;
	struct records *records;
};

/** rooms_begin - r->opt and r->process are there. */
static inline void rooms_begin(struct rooms *r)
{
	struct process *p = &r->process;
	struct cluster_options cluster = {.client = p->client};
	struct subnets_in subnets = {.process = p};
	struct records_in records = {.opt = &r->opt, .process = p};

	cluster.system_ns = p->system_ns = "kube-system";
	records.cluster = subnets.cluster = r->cluster = cluster_new(&cluster);
	records.holders = subnets.holders = r->holders = holders_new();
	r->owners = owners_new(p);
	r->reservations = reservations_new(r->cluster, r->owners);
	records.owners = subnets.owners = r->owners;
	records.reservations = subnets.reservations = r->reservations;
	records.subnets = r->subnets = subnets_new(&subnets);
	r->records = records_new(&records);
}

/** rooms_end - what stands on them has been freed, and the client is freed in between where there is one. */
static inline void rooms_end(struct rooms *r, void (*free_client)(struct rooms *r))
{
	cluster_free(r->cluster);
	owners_free(r->owners);
	if (free_client)
		free_client(r);
	records_free(r->records);
	subnets_free(r->subnets);
	reservations_free(r->reservations);
	holders_free(r->holders);
}

/** rooms_feed - that object is there, or is another one now. */
static inline void rooms_feed(struct rooms *r, enum cluster_kind kind, const char *text)
{
	AUTO(jdoc_free) struct jdoc *doc = json_text(text);
	struct jval root = jdoc_root(doc);
	struct err e = {0};

	assert_int_equal(kube_store_set(cluster_store(r->cluster, kind), &root, &e), 0);
}

#endif
