/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of connected UDP sockets whose backend has gone: they never choose again by themselves. What their program
 * sees is ECONNABORTED; it connects anew, and is led elsewhere.
 *
 * Ended are sockets that are connected to exactly that backend by exactly that Service, as the programs have filed them
 * under their cookies. One that only sends datagrams chooses by itself; one that went to the backend by its own address is
 * nobody's business here.
 */
#ifndef SERVICES_ENDS_H
#define SERVICES_ENDS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "services/table/table.h"

struct ends_backend {
	uint32_t id; /* of the Service */
	struct svc_addr addr;
	uint16_t port; /* network order */
};

struct ends {
	struct ends_backend *v;
	size_t n;
};

/** ends_note - a table_gone_fn for a struct ends: UDP alone is noted. */
void ends_note(void *ctx, const struct table_service *s, const struct table_endpoint *backend);

/**
 * ends_run - end their sockets in every namespace that stands in netns_dir, and forget them.
 * @dir: where the maps are pinned
 *
 * *out_ended: how many. A namespace that cannot be entered is passed over. ERR_KERNEL, ERR_IO: nothing can be done.
 */
int ends_run(struct ends *ends, const char *netns_dir, const char *dir, size_t *out_ended,
	     struct err *e) FN_MUST;
void ends_done(struct ends *ends);
DEFINE_AUTO_VALUE(struct ends, ends_done)

#endif
