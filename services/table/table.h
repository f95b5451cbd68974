/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Services in the pinned maps, as one list that knows what stands there.
 *
 * A change is a flip: the backends of the next generation first, then the Service's value, then the old ones go. Whoever
 * connects meanwhile finds the one or the other. There is never half a list: where the maps are full, that Service is
 * left out whole. All writers hold table_lock().
 */
#ifndef SERVICES_TABLE_TABLE_H
#define SERVICES_TABLE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/ip.h"
#include "services/decide/layout.h"
#include "services/entry/addr.h"

#define TABLE_BACKENDS_MAX 65536 /* of one Service */

struct table;

struct table_endpoint {
	struct ip_addr addr;
	uint16_t port; /* host order */
};

/* One Service as it is to be, or as it stands. */
struct table_service {
	struct table_endpoint at;
	uint8_t proto; /* IPPROTO_TCP, IPPROTO_UDP */
	uint32_t scope;
	uint32_t id; /* given by the table */
	uint32_t affinity_s;
	uint32_t flags; /* enum svc_flags */
	struct table_endpoint *backends;
	size_t n_backends;
};

/** table_lock - one writer at a time; waits until the deadline. The caller closes *out_fd. ERR_IO, ERR_TIMEOUT. */
int table_lock(const char *file, int64_t deadline_ms, int *out_fd, struct err *e) FN_MUST;

/**
 * table_open - the maps pinned in dir, and all that stands in them.
 *
 * ERR_NOT_FOUND: nothing is loaded there. ERR_KERNEL. End it with table_free().
 */
int table_open(const char *dir, struct table **out, struct err *e) FN_MUST;
void table_free(struct table *t);
DEFINE_AUTO(struct table, table_free)

/**
 * table_put - make or change a Service; does nothing where it stands so already.
 * @out_changed: may be NULL
 *
 * ERR_CONFLICT: it was made by hand and s was not, or the other way round. ERR_KERNEL with num ENOSPC: the maps are
 * full, and the Service is not there any more.
 */
int table_put(struct table *t, const struct table_service *s, bool *out_changed,
	      struct err *e) FN_MUST;

/** table_remove - 1: it is gone; 0: it was not there; -1: ERR_KERNEL, ERR_CONFLICT as table_put(). by_hand: who asks. */
int table_remove(struct table *t, const struct table_service *s, bool by_hand,
		 struct err *e) FN_MUST;

/* A backend that the Service does not have any more. */
typedef void table_gone_fn(void *ctx, const struct table_service *s,
			   const struct table_endpoint *backend);

/** table_on_gone - have fn told of each; ctx is lent. */
void table_on_gone(struct table *t, table_gone_fn *fn, void *ctx);

/** table_list - all Services, by their ids. *out's pointers are lent until the next change; the caller frees the array. */
size_t table_list(const struct table *t, const struct table_service ***out);

/** table_conf, table_set_conf - the common switches, as they stand. */
int table_conf(const struct table *t, struct svc_conf *out, struct err *e) FN_MUST;
int table_set_conf(const struct table *t, const struct svc_conf *conf, struct err *e) FN_MUST;

#endif
