/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/conflict.h"

#include "lib/base/str.h"

#define PROXY_S 60

/* One machine that answers for address after address is a router with proxy ARP, not a rival. */
static bool is_proxy(const struct conflict_in *in)
{
	struct mac_addr mac;
	int n = 1;

	if (!api_ip_rival_mac(in->rec->message, &mac))
		return false;
	for (size_t i = 0; i < in->n_recent; i++) {
		const struct ipam_conflict *c = &in->recent[i];

		n += c->at + PROXY_S >= in->now_s && mac_eq(&c->mac, &mac);
	}
	return n >= CONFLICT_PROXY || mac_eq(&in->proxy, &mac);
}

enum conflict_step conflict_step(const struct api_ip *rec, bool reports)
{
	if (!reports)
		return CONFLICT_FREE;
	if (!rec->meta.deletion)
		return CONFLICT_MARK;
	return api_ip_card_is_down(rec) ? CONFLICT_FREE : CONFLICT_WAIT;
}

/* A node of an earlier release takes the phase away with its answer. */
static bool is_answered(const struct conflict_in *in)
{
	return in->asked && !in->in_use && in->rec->phase == API_IP_PHASE_NONE &&
	       conflict_step(in->rec, true) == CONFLICT_FREE;
}

enum conflict_verdict conflict_decide(const struct conflict_in *in)
{
	unsigned int of_subnet = 0, of_pod = 0;

	if (is_answered(in))
		return CONFLICT_QUARANTINE;
	if (in->rec->phase != API_IP_CONFLICT)
		return CONFLICT_NONE;
	if (in->in_use || in->off)
		return CONFLICT_TELL;
	if (in->ending)
		return CONFLICT_QUARANTINE;
	for (size_t i = 0; i < in->n_recent; i++) {
		const struct ipam_conflict *c = &in->recent[i];

		of_subnet += c->at + IPAM_CONFLICTS_S > in->now_s;
		of_pod += str_eq(c->pod_uid, in->rec->pod_id);
	}
	if (is_proxy(in))
		return CONFLICT_PROXY_ARP;
	if (of_pod >= CONFLICT_POD_MAX || in->of_pod >= CONFLICT_POD_MAX)
		return CONFLICT_POD_LIMIT;
	if (of_subnet >= IPAM_CONFLICTS_MAX)
		return CONFLICT_SUBNET_LIMIT;
	return CONFLICT_QUARANTINE;
}
