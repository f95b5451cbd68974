/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What pods have left on "<parent>.host" devices of which no attachment tells any more: its state file was
 * lost, or the parent was renamed, so that no DEL could take it away.
 */
#ifndef MACVLAN_STRAY_H
#define MACVLAN_STRAY_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/ip.h"

/* One of our devices. */
struct macvlan_stray_device {
	int index;
	char name[IFNAMSIZ];
	char parent[IFNAMSIZ]; /* as it is called now: the one to lock */
};

/** macvlan_stray_devices - all of ours in the calling namespace. The caller frees *out. ERR_KERNEL. */
int macvlan_stray_devices(struct macvlan_stray_device **out, size_t *out_n, struct err *e) FN_MUST;

/* What the attachments of this boot tell. Lent. */
struct macvlan_stray_known {
	const struct ip_addr *addrs; /* of pods */
	size_t n_addrs;
	bool device; /* one of them names the device */
};

/**
 * macvlan_stray_end - remove the routes and neighbours of pods that nobody knows, and a device without any.
 * @out_ended: how many of these there were
 *
 * Under the parent's lock, @known having been read under it. A card that is up has its MAC in the
 * parent's list of addresses, in whatever namespace it is: it keeps its access though its file was
 * lost. So do routes on the device that we don't make. What is gone meanwhile is a success. ERR_KERNEL.
 */
int macvlan_stray_end(const struct macvlan_stray_device *d, const struct macvlan_stray_known *known,
		      size_t *out_ended, struct err *e) FN_MUST;

#endif
