/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ip.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/nl/link_type.h"

static int read_owner(const struct jval *meta, struct api_ip *ip, struct err *e)
{
	struct jval list = {0}, item;
	int rc = jget_arr(meta, "ownerReferences", &list, e);

	if (rc < 0)
		return -1;
	for (struct jiter it = jiter_of(&list); rc && jiter_next(&it, &item);) {
		const char *kind = "", *uid = "";

		if (jas_obj(&item, e) < 0 || jget_str(&item, "kind", &kind, e) < 0 ||
		    jget_str(&item, "uid", &uid, e) < 0)
			return -1;
		if (!ip->owner_pod_uid && str_eq(kind, "Pod"))
			ip->owner_pod_uid = xstrdup(uid);
	}
	if (!ip->owner_pod_uid)
		ip->owner_pod_uid = xstrdup("");
	return 0;
}

/* A time that cannot be read is none: the wait then begins again. */
static int read_annotations(const struct jval *meta, struct api_ip *ip, struct err *e)
{
	const char *text = "", *tell = "";
	struct jval all;
	int rc = jget_obj(meta, "annotations", &all, e);

	if (rc < 0 || (rc && (jget_str(&all, API_ANNOTATION_UNWITNESSED, &text, e) < 0 ||
			      jget_str(&all, API_ANNOTATION_TELL_CARD, &tell, e) < 0)))
		return -1;
	ip->tell_card = xstrdup(tell);
	if (*text && clock_parse_rfc3339(text, &ip->unwitnessed) < 0)
		ip->unwitnessed = 0;
	return 0;
}

static int read_metadata(const struct jval *obj, struct api_ip *ip, struct err *e)
{
	const char *node = "", *subnet = "";
	struct jval meta = {0}, labels = {0};
	int rc;

	if (api_meta_decode(obj, &ip->meta, e) < 0 || jneed_obj(obj, "metadata", &meta, e) < 0 ||
	    read_owner(&meta, ip, e) < 0 || read_annotations(&meta, ip, e) < 0)
		return -1;
	rc = jget_obj(&meta, "labels", &labels, e);
	if (rc < 0 || (rc && (jget_str(&labels, API_LABEL_NODE, &node, e) < 0 ||
			      jget_str(&labels, API_LABEL_SUBNET, &subnet, e) < 0)))
		return -1;
	ip->label_node = xstrdup(node);
	ip->label_subnet = xstrdup(subnet);
	return 0;
}

static int read_cidr(const struct jval *spec, const char *key, struct ip_net *out, struct err *e)
{
	const char *text = "";

	if (jget_str(spec, key, &text, e) < 0)
		return -1;
	if (*text && ip_net_parse(text, out) < 0)
		return jerr(spec, key, e, ERR_DECODE, "\"%.60s\" is not an address/prefix", text);
	return 0;
}

static int read_addresses(const struct jval *spec, struct api_ip *ip, struct err *e)
{
	const char *mac = "";

	if (read_cidr(spec, "cidr", &ip->cidr, e) < 0 ||
	    read_cidr(spec, "cidr6", &ip->cidr6, e) < 0 || jget_str(spec, "mac", &mac, e) < 0)
		return -1;
	if (*mac && mac_parse(mac, &ip->mac) < 0)
		return jerr(spec, "mac", e, ERR_DECODE, "\"%.40s\" is not a MAC", mac);
	if (ip_is_set(&ip->cidr.addr) != !!*mac)
		return jerr(spec, *mac ? "cidr" : "mac", e, ERR_DECODE,
			    "is missing: cidr and mac belong together");
	return 0;
}

static int read_spec(const struct jval *obj, struct api_ip *ip, struct err *e)
{
	const char *subnet = NULL, *pod = "", *node = "";
	struct jval spec;
	struct err why = {0};

	if (jneed_obj(obj, "spec", &spec, e) < 0 || jneed_str(&spec, "subnet", &subnet, e) < 0 ||
	    jget_str(&spec, "podId", &pod, e) < 0 || jget_str(&spec, "node", &node, e) < 0 ||
	    read_addresses(&spec, ip, e) < 0)
		return -1;
	if (!*pod && !api_ip_is_allocated(ip))
		return jerr(&spec, "podId", e, ERR_DECODE, "is missing, and so is cidr");
	ip->subnet = xstrdup(subnet);
	ip->pod_id = xstrdup(pod);
	ip->node = xstrdup(node);
	/* A subnet's mistake is the user's to mend (ERR_CONFIG); a record's is a malformed object. */
	if (api_network_decode(&spec, "spec", &ip->network, &why) < 0)
		return err_set(e, ERR_DECODE, 0, "%s", why.msg);
	return 0;
}

/* A node's answer that is none counts as not given: nothing is made of it. */
static int read_told(const struct jval *status, struct api_ip_told *out, struct err *e)
{
	const char *pod = "", *mac = "", *text;
	struct jval card, list = {0}, item;
	size_t n = 0;
	bool ok;
	int rc = jget_obj(status, "card", &card, e);

	if (rc <= 0)
		return rc;
	if (jget_str(&card, "podId", &pod, e) < 0 || jget_str(&card, "mac", &mac, e) < 0 ||
	    (rc = jget_arr(&card, "ips", &list, e)) < 0)
		return -1;
	ok = !*mac || mac_parse(mac, &out->mac) == 0;
	for (struct jiter it = jiter_of(&list); rc && jiter_next(&it, &item);) {
		if (jas_str(&item, &text, e) < 0)
			return -1;
		ok = ok && n < ARRAY_SIZE(out->ips) && ip_parse(text, &out->ips[n++]) == 0;
	}
	if (ok)
		out->pod_id = xstrdup(pod);
	return 0;
}

static int read_status(const struct jval *obj, struct api_ip *ip, struct err *e)
{
	const char *phase = "", *message = "", *down = "", *nic = "";
	struct jval status;
	int rc = jget_obj(obj, "status", &status, e);

	if (rc < 0 || (rc && (jget_str(&status, "phase", &phase, e) < 0 ||
			      jget_str(&status, "message", &message, e) < 0 ||
			      jget_str(&status, "cardDown", &down, e) < 0 ||
			      jget_str(&status, "master", &nic, e) < 0 ||
			      read_told(&status, &ip->told, e) < 0)))
		return -1;
	if (!ip->told.pod_id)
		ip->told.pod_id = xstrdup("");
	ip->message = xstrdup(message);
	ip->card_down = xstrdup(down);
	ip->nic = xstrdup(nic);
	if (!*phase)
		ip->phase = API_IP_PHASE_NONE;
	else if (str_eq(phase, "Attached"))
		ip->phase = API_IP_ATTACHED;
	else if (str_eq(phase, "Missing"))
		ip->phase = API_IP_MISSING;
	else if (str_eq(phase, "Conflict"))
		ip->phase = API_IP_CONFLICT;
	else
		ip->phase = API_IP_PHASE_OTHER;
	return 0;
}

int api_ip_decode(const struct jval *obj, struct api_ip **out, struct err *e)
{
	AUTO(api_ip_free) struct api_ip *ip = xcalloc(1, sizeof(*ip));

	if (read_metadata(obj, ip, e) < 0 || read_spec(obj, ip, e) < 0 ||
	    read_status(obj, ip, e) < 0)
		return -1;
	*out = STEAL(ip);
	return 0;
}

void api_ip_free(struct api_ip *ip)
{
	if (!ip)
		return;
	api_meta_done(&ip->meta);
	free(ip->owner_pod_uid);
	free(ip->label_node);
	free(ip->label_subnet);
	free(ip->subnet);
	free(ip->pod_id);
	free(ip->node);
	free(ip->message);
	free(ip->card_down);
	free(ip->nic);
	free(ip->tell_card);
	free(ip->told.pod_id);
	api_network_done(&ip->network);
	free(ip);
}

bool api_ip_is_allocated(const struct api_ip *ip)
{
	return ip_is_set(&ip->cidr.addr);
}

bool api_ip_is_vacant(const struct api_ip *ip)
{
	return !*ip->pod_id;
}

bool api_ip_card_is_down(const struct api_ip *ip)
{
	return *ip->pod_id && str_eq(ip->card_down, ip->pod_id);
}

bool api_ip_is_ending(const struct api_ip *ip)
{
	return ip->meta.deletion || ip->unwitnessed;
}

bool api_ip_is_asked(const struct api_ip *ip)
{
	return *ip->pod_id && str_eq(ip->tell_card, ip->pod_id) && !api_ip_is_allocated(ip);
}

bool api_ip_has_own_mac(const struct api_ip *ip)
{
	return nl_link_type_get(ip->network.link_type)->own_mac;
}

bool api_ip_is_told(const struct api_ip *ip)
{
	return *ip->pod_id && str_eq(ip->told.pod_id, ip->pod_id);
}

const char *api_ip_phase_name(const struct api_ip *ip)
{
	switch (ip->phase) {
	case API_IP_ATTACHED:
		return "Attached";
	case API_IP_MISSING:
		return "Missing";
	case API_IP_CONFLICT:
		return "Conflict";
	case API_IP_PHASE_NONE:
		return api_ip_is_allocated(ip) ? "Allocated" : "Pending";
	default:
		return "Unknown";
	}
}

char *api_ip_rival_format(const struct api_ip_rival *r, char buf[API_IP_RIVAL_LEN])
{
	char mac[MAC_ADDR_LEN], addr[IP_ADDR_LEN];

	/* The MAC comes first: nothing of what follows can be taken for one before it. */
	mac_format(&r->mac, mac);
	ip_format(&r->addr, addr);
	if (*r->link)
		snprintf(
			buf, API_IP_RIVAL_LEN,
			"MAC %s uses %s: it is an address of node %.253s itself, on its link %.15s",
			mac, addr, r->node, r->link);
	else
		snprintf(
			buf, API_IP_RIVAL_LEN,
			"MAC %s uses %s on the LAN, as node %.253s has found before it gave it to the pod",
			mac, addr, r->node);
	return buf;
}

bool api_ip_rival_mac(const char *message, struct mac_addr *out)
{
	static const char inside[] = "0123456789abcdefABCDEF:";
	size_t n;

	for (const char *at = message; *at; at += n) {
		char text[MAC_ADDR_LEN] = "";

		n = strspn(at, inside);
		if (n == MAC_ADDR_LEN - 1) {
			memcpy(text, at, n);
			if (mac_parse(text, out) == 0)
				return true;
		}
		n += strcspn(at + n, inside);
	}
	return false;
}

void api_ip_word_write(const struct api_ip_word *word, struct sb *out)
{
	struct jw w = jw_init(out);

	api_meta_begin_patch(&w, word->uid, word->version);
	jw_end(&w);
	jw_kv_obj(&w, "status");
	jw_kv_str(&w, "phase", word->phase);
	jw_kv_str(&w, "message", word->message);
	if (word->clear_card_down)
		jw_kv_str(&w, "cardDown", NULL);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
}

const char *api_label_value(const char *name, char buf[64])
{
	size_t n = strlen(name);

	if (n < 64) {
		memcpy(buf, name, n + 1);
		return buf;
	}
	/* The beginning stays readable; 40 + "-" + 16 hex digits. */
	snprintf(buf, 64, "%.40s-%016llx", name,
		 (unsigned long long)hash_fnv1a(HASH_FNV1A_INIT, name, n));
	return buf;
}
