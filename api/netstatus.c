/* SPDX-License-Identifier: Apache-2.0 */
#include "api/netstatus.h"

#include <string.h>

#include "api/annotations.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jwrite.h"

static const char *interface_of(const struct api_pod *pod)
{
	const char *name = api_annotations_text(&pod->annotations, API_ASKED_INTERFACE);

	return *name ? name : "eth1";
}

/* Entries of others: of another card, and not the one by which we name the primary's. */
static bool is_foreign(struct jspan entry, const char *interface)
{
	struct jspan v;

	if (jspan_type(entry) != JTYPE_OBJECT)
		return false;
	if (jspan_find(entry, "interface", &v) && jspan_is(v, interface))
		return false;
	return !jspan_find(entry, "name", &v) || !jspan_is(v, API_NETSTATUS_DEFAULT);
}

static bool is_default(struct jspan entry)
{
	struct jspan v;

	return jspan_find(entry, "default", &v) && jspan_type(v) == JTYPE_BOOL && *v.p == 't';
}

static void write_ips(struct jw *w, const struct ip_addr *ips, size_t n)
{
	char text[IP_ADDR_LEN];

	jw_kv_arr(w, "ips");
	for (size_t i = 0; i < n; i++) {
		if (ip_is_set(&ips[i]))
			jw_str(w, ip_format(&ips[i], text));
	}
	jw_end(w);
}

static void write_primary(struct jw *w, const struct api_pod *pod)
{
	jw_obj(w);
	jw_kv_str(w, "name", API_NETSTATUS_DEFAULT);
	jw_kv_str(w, "interface", "eth0");
	write_ips(w, pod->ips, ARRAY_SIZE(pod->ips));
	jw_kv_bool(w, "default", true);
	jw_kv_obj(w, "dns");
	jw_end(w);
	jw_end(w);
}

static void write_card(struct jw *w, const struct api_ip *card, const char *system_ns,
		       const char *interface)
{
	const struct ip_addr ips[] = {card->cidr.addr, card->cidr6.addr};
	AUTO(free) char *name = xasprintf("%s/%s", system_ns, card->subnet);
	bool single = str_eq(interface, "eth0");
	char mac[MAC_ADDR_LEN], gateway[IP_ADDR_LEN];

	jw_obj(w);
	jw_kv_str(w, "name", name);
	jw_kv_str(w, "interface", interface);
	write_ips(w, ips, ARRAY_SIZE(ips));
	jw_kv_str(w, "mac", mac_format(&card->mac, mac));
	if (single)
		jw_kv_bool(w, "default", true);
	/* Only where it is the pod's default gateway: that is what the key means. */
	if (!single && card->network.pod_default_gateway && ip_is_set(&card->network.gateway)) {
		jw_kv_arr(w, "gateway");
		jw_str(w, ip_format(&card->network.gateway, gateway));
		jw_end(w);
	}
	jw_kv_obj(w, "dns");
	jw_end(w);
	jw_end(w);
}

char *api_netstatus_text(const struct api_pod *pod, const struct api_ip *card,
			 const char *system_ns, const char *old)
{
	const char *interface = interface_of(pod);
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jspan list = jspan_of(old), entry;
	bool primary = !str_eq(interface, "eth0");
	struct err ignored = {0};
	struct jw w = jw_init(&sb);

	if (!old || jscan_check("network-status", list, JSCAN_BIG_INTS, &ignored) < 0)
		list = jspan_of(NULL);
	for (struct jspan_iter it = jspan_begin(list); jspan_next_element(&it, &entry);)
		primary &= !(is_foreign(entry, interface) && is_default(entry));
	jw_arr(&w);
	if (primary)
		write_primary(&w, pod);
	for (struct jspan_iter it = jspan_begin(list); jspan_next_element(&it, &entry);) {
		if (is_foreign(entry, interface))
			jw_raw(&w, entry);
	}
	write_card(&w, card, system_ns, interface);
	jw_end(&w);
	jw_finish(&w);
	return sb_take(&sb);
}
