/* SPDX-License-Identifier: Apache-2.0 */
#include "services/entry/pod.h"

#include <string.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/bpf/map.h"
#include "lib/json/jread.h"
#include "lib/json/jscan.h"
#include "meta/attachment/state.h"
#include "services/entry/addr.h"
#include "services/entry/entry.h"

/* The key under which runtimes pass them. */
#define POD_ANNOTATIONS "io.kubernetes.cri.pod-annotations"

/* What the injectors of meshes leave on a pod; NULL = whatever the value. */
static const struct {
	const char *key, *value;
} skipped[] = {
	{ENTRY_ANNOTATION, "off"},
	{"sidecar.istio.io/status", NULL},
	{"linkerd.io/proxy-version", NULL},
	{"kuma.io/sidecar-injected", "true"},
	{"consul.hashicorp.com/connect-inject-status", "injected"},
};

static bool is_skipped(const char *runtime_config)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root, all;
	struct err e = {0};

	if (!runtime_config ||
	    jdoc_parse_odd("runtimeConfig", jspan_of(runtime_config), &doc, &e) < 0)
		return false;
	root = jdoc_root(doc);
	if (jget_obj(&root, POD_ANNOTATIONS, &all, &e) <= 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(skipped); i++) {
		const char *value = "";

		if (jget_str(&all, skipped[i].key, &value, &e) > 0 &&
		    (!skipped[i].value || str_eq(value, skipped[i].value)))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------------------- the card */
/* "address 192.168.1.5/24 dev eth1": of the lines of macvlan/made.h those of the card, the first of each family. */
static void read_addresses(const struct state *s, struct ip_net out[2])
{
	AUTO(free) char *lines = xstrdup(s->made ? s->made : "");
	AUTO(free) char *dev = xasprintf(" dev %s", s->card);
	char *save = NULL, *line;

	for (line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *end = str_starts(line, "address ") ? strstr(line, dev) : NULL;
		struct ip_net net;

		if (!end || !str_eq(end, dev))
			continue;
		*end = '\0';
		if (ip_net_parse(line + strlen("address "), &net) == 0 &&
		    !out[net.addr.family == AF_INET6].addr.family)
			out[net.addr.family == AF_INET6] = net;
	}
}

/* Macvlan in mode private, vepa or passthru does not meet the pods of its own node. */
static bool meets_neighbours(const struct state *s)
{
	return s->link && s->mode && (str_starts(s->link, "ipvlan") || str_eq(s->mode, "bridge"));
}

static void fill_card(const struct state *s, struct svc_pod *out)
{
	struct ip_net nets[2] = {0};
	/* Old files do not tell how the subnet names the NIC: mostly by its name. */
	const char *master = s->told_master ? s->told_master : s->master;
	struct mac_addr mac;
	bool single = !s->delegate;

	read_addresses(s, nets);
	for (int i = 0; i < 2; i++) {
		if (nets[i].addr.family)
			out->addr[i] = entry_addr(&nets[i].addr);
	}
	if (s->card_mac && mac_parse(s->card_mac, &mac) == 0)
		memcpy(out->mac, mac.b, sizeof(out->mac));
	if (master && meets_neighbours(s) && (nets[0].addr.family || nets[1].addr.family))
		out->scope =
			entry_scope(master, s->vlan, nets[0].addr.family ? &nets[0] : &nets[1]);
	if (single)
		out->flags |= SVC_POD_SINGLE;
	if (single && !s->host.parent)
		out->flags |= SVC_POD_CUT;
}

int entry_of_state(const struct state *s, struct svc_pod *out)
{
	*out = (struct svc_pod){0};
	if (s->card)
		fill_card(s, out);
	if (is_skipped(s->runtime_config))
		out->flags |= SVC_POD_SKIP;
	return s->card || out->flags;
}

/* ------------------------------------------------------------------------------- the map */
int entry_enter(const struct state *s, int netns_fd, const char *dir, struct err *e)
{
	AUTO(fd) int map = -1;
	struct svc_pod pod;
	uint64_t cookie = 0;
	int rc = entry_map(dir, &map, e);

	if (rc <= 0 || !entry_of_state(s, &pod))
		return rc < 0 ? -1 : 0;
	if (entry_cookie(netns_fd, dir, &cookie, e) < 0)
		return -1;
	return bpf_map_set(map, &cookie, &pod, e);
}

int entry_leave(int netns_fd, const char *dir, struct err *e)
{
	AUTO(fd) int map = -1;
	uint64_t cookie = 0;
	int rc = entry_map(dir, &map, e);

	if (rc <= 0)
		return rc;
	if (entry_cookie(netns_fd, dir, &cookie, e) < 0)
		return -1;
	return bpf_map_drop(map, &cookie, e) < 0 ? -1 : 0;
}
