/* SPDX-License-Identifier: Apache-2.0 */
/* k8s.v1.cni.cncf.io/network-status: what tools that know several cards per pod read. */
#ifndef API_NETSTATUS_H
#define API_NETSTATUS_H

#include "api/ip.h"
#include "api/pod.h"

/* The name of the primary's network in it: the controller does not know the nodes' confs. */
#define API_NETSTATUS_DEFAULT "cluster-default"

/**
 * api_netstatus_text - the annotation's value for a pod whose card is attached.
 * @system_ns: the network is named "<system_ns>/<subnet>"
 * @old: the value that stands; what others have written in it, of other cards, is kept as it is.
 *	NULL, or no JSON array: nothing is
 *
 * The caller frees it.
 */
char *api_netstatus_text(const struct api_pod *pod, const struct api_ip *card,
			 const char *system_ns, const char *old);

#endif
