/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/contradict.h"

#include "api/ip.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

static bool is_conflict(const struct api_ip *was, const struct api_ip *now, bool in_use)
{
	if (now->phase != API_IP_CONFLICT || was->phase == API_IP_CONFLICT)
		return false;
	return in_use || was->phase == API_IP_ATTACHED;
}

static bool is_both(const struct api_ip *ip)
{
	return ip->phase == API_IP_ATTACHED && api_ip_card_is_down(ip);
}

/* Who makes a card for the pod takes the word away that it is down, before the card is reported. */
static bool is_down(const struct api_ip *was, const struct api_ip *now)
{
	if (is_both(was))
		return false;
	return is_both(now) || (api_ip_card_is_down(was) && now->phase == API_IP_ATTACHED);
}

static bool told_eq(const struct api_ip_told *a, const struct api_ip_told *b)
{
	return ip_eq(&a->ips[0], &b->ips[0]) && ip_eq(&a->ips[1], &b->ips[1]) &&
	       mac_eq(&a->mac, &b->mac);
}

/* A card of the record's address, in whichever order the two families are told. */
static bool is_of_record(const struct api_ip *ip)
{
	const struct api_ip_told *t = &ip->told;

	if (!ip_is_set(&t->ips[0]) || !api_ip_is_allocated(ip))
		return true;
	return (ip_eq(&t->ips[0], &ip->cidr.addr) || ip_eq(&t->ips[1], &ip->cidr.addr)) &&
	       (!api_ip_has_own_mac(ip) || mac_eq(&t->mac, &ip->mac));
}

/* A node answers once, and the record becomes what it has answered. */
static bool is_card(const struct api_ip *was, const struct api_ip *now)
{
	if (!api_ip_is_told(now))
		return false;
	if (api_ip_is_told(was) && !told_eq(&was->told, &now->told))
		return true;
	return !is_of_record(now) && (!api_ip_is_told(was) || is_of_record(was));
}

enum contradict contradict_of(const struct api_ip *was, const struct api_ip *now, bool in_use)
{
	/* A kept record that passes on: what was said is of the former pod's card. */
	if (!str_eq(was->pod_id, now->pod_id))
		return CONTRADICT_NONE;
	if (is_conflict(was, now, in_use))
		return CONTRADICT_CONFLICT;
	if (is_down(was, now))
		return CONTRADICT_DOWN;
	return is_card(was, now) ? CONTRADICT_CARD : CONTRADICT_NONE;
}

const char *contradict_name(enum contradict c)
{
	static const char *const names[CONTRADICT_KINDS] = {"", "conflict", "down", "card"};

	return c < ARRAY_SIZE(names) ? names[c] : "";
}
