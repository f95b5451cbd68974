/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/bpf/map.h"
#include "lib/json/jwrite.h"
#include "lib/nl/netns.h"
#include "services/card.h"
#include "services/entry/entry.h"
#include "services/table/table.h"
#include "services/tool.h"

static int open_map(const struct tool_options *o, int *out_fd, struct err *e)
{
	AUTO(free) char *dir = load_dir(o->where.pins);
	int rc = entry_map(dir, out_fd, e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, 0, "%s: nothing is loaded; tandem-services load",
			       dir);
	return rc < 0 ? -1 : 0;
}

static int open_netns(const struct tool_options *o, int *out_fd, struct err *e)
{
	if (!o->netns)
		return err_set(e, ERR_CONFIG, 0, "--netns FILE is missing");
	return netns_open(o->netns, out_fd, e);
}

int tool_ep_add(const struct tool_options *o, struct sb *out, struct err *e)
{
	AUTO(free) char *dir = load_dir(o->where.pins);
	struct svc_pod pod = {0};
	AUTO(fd) int lock = -1;
	AUTO(fd) int netns = -1;
	AUTO(fd) int map = -1;
	uint64_t cookie = 0;

	(void)out;
	if (open_netns(o, &netns, e) < 0 || tool_lock(o->lock, &lock, e) < 0 ||
	    tool_have_loaded(o, e) < 0 || open_map(o, &map, e) < 0 ||
	    card_read(netns, o->ifname, &pod, e) < 0 || entry_cookie(netns, dir, &cookie, e) < 0)
		return -1;
	pod.scope = o->scope;
	pod.flags = SVC_POD_BY_HAND | (o->skip ? SVC_POD_SKIP : 0) |
		    (o->single || o->cut ? SVC_POD_SINGLE : 0) | (o->cut ? SVC_POD_CUT : 0);
	return bpf_map_set(map, &cookie, &pod, e);
}

int tool_ep_del(const struct tool_options *o, struct sb *out, struct err *e)
{
	AUTO(free) char *dir = load_dir(o->where.pins);
	AUTO(fd) int lock = -1;
	AUTO(fd) int netns = -1;
	AUTO(fd) int map = -1;
	uint64_t cookie = 0;
	int rc;

	(void)out;
	if (open_netns(o, &netns, e) < 0 || tool_lock(o->lock, &lock, e) < 0 ||
	    open_map(o, &map, e) < 0 || entry_cookie(netns, dir, &cookie, e) < 0)
		return -1;
	rc = bpf_map_drop(map, &cookie, e);
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, 0, "%s is not an endpoint", o->netns);
	return rc < 0 ? -1 : 0;
}

/* ------------------------------------------------------------------------------- ls */
struct line {
	uint64_t cookie;
	struct svc_pod pod;
};

static int by_cookie(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return (x->cookie > y->cookie) - (x->cookie < y->cookie);
}

static int read_lines(int map, struct line **out, size_t *out_n, struct err *e)
{
	AUTO(free) struct line *v = xcalloc(SERVICES_PODS_MAX, sizeof(*v));
	uint64_t key = 0, next = 0;
	size_t n = 0;
	int rc = bpf_map_next(map, NULL, &next, e);

	for (; rc > 0 && n < SERVICES_PODS_MAX; rc = bpf_map_next(map, &key, &next, e)) {
		key = next;
		v[n].cookie = key;
		rc = bpf_map_get(map, &key, &v[n].pod, e);
		if (rc < 0)
			return -1;
		n += rc > 0;
	}
	if (rc < 0)
		return -1;
	qsort(v, n, sizeof(*v), by_cookie);
	*out = STEAL(v);
	*out_n = n;
	return 0;
}

/* The first of its card's addresses; "" where nobody knows one. */
static char *address_of(const struct svc_pod *p, char buf[IP_ADDR_LEN])
{
	struct ip_addr ip = {0};

	for (int i = 1; i >= 0; i--) {
		if (p->addr[i].w[0] || p->addr[i].w[1] || p->addr[i].w[2] || p->addr[i].w[3])
			ip = entry_ip(&p->addr[i]);
	}
	return ip_format(&ip, buf);
}

static void mac_text(const uint8_t b[6], char buf[MAC_ADDR_LEN])
{
	struct mac_addr mac;

	memcpy(mac.b, b, sizeof(mac.b));
	mac_format(&mac, buf);
}

static void write_json(struct jw *w, const struct line *l, size_t id)
{
	char ip[IP_ADDR_LEN], mac[MAC_ADDR_LEN], node[MAC_ADDR_LEN];

	mac_text(l->pod.mac, mac);
	mac_text(l->pod.node_mac, node);
	jw_obj(w);
	jw_kv_i64(w, "id", (int64_t)id);
	jw_kv_i64(w, "cookie", (int64_t)l->cookie);
	jw_kv_str(w, "ip", address_of(&l->pod, ip));
	jw_kv_bool(w, "host", false);
	jw_kv_i64(w, "ifindex", l->pod.ifindex);
	jw_kv_str(w, "lxcmac", mac);
	jw_kv_str(w, "nodemac", node);
	jw_kv_i64(w, "scope", l->pod.scope);
	jw_kv_bool(w, "skip", l->pod.flags & SVC_POD_SKIP);
	jw_kv_bool(w, "single", l->pod.flags & SVC_POD_SINGLE);
	jw_kv_bool(w, "cut", l->pod.flags & SVC_POD_CUT);
	jw_kv_bool(w, "byHand", l->pod.flags & SVC_POD_BY_HAND);
	jw_end(w);
}

static void add_line(struct grid *g, const struct line *l, size_t id)
{
	AUTO(free) char *number = xasprintf("%zu", id);
	AUTO(free) char *index = xasprintf("%u", l->pod.ifindex);
	char ip[IP_ADDR_LEN], mac[MAC_ADDR_LEN], node[MAC_ADDR_LEN];

	mac_text(l->pod.mac, mac);
	mac_text(l->pod.node_mac, node);
	grid_add(g,
		 (const char *const[]){number, address_of(&l->pod, ip), "false", index, mac, node},
		 6);
}

int tool_ep_ls(const struct tool_options *o, struct sb *out, struct err *e)
{
	AUTO(grid_done) struct grid g = {0};
	AUTO(free) struct line *v = NULL;
	struct jw w = jw_init(out);
	AUTO(fd) int map = -1;
	size_t n = 0;

	if (open_map(o, &map, e) < 0 || read_lines(map, &v, &n, e) < 0)
		return -1;
	grid_add(&g, (const char *const[]){"id", "ip", "host", "ifindex", "lxcmac", "nodemac"}, 6);
	if (o->json)
		jw_arr(&w);
	for (size_t i = 0; i < n; i++) {
		if (o->json)
			write_json(&w, &v[i], i + 1);
		else
			add_line(&g, &v[i], i + 1);
	}
	if (o->json) {
		jw_end(&w);
		sb_putc(out, '\n');
		return 0;
	}
	sb_printf(out, "Endpoint count: %zu\n", n);
	grid_print(&g, out);
	return 0;
}
