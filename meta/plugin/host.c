/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/host.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "macvlan/apply.h"
#include "macvlan/host.h"
#include "macvlan/plan_host.h"
#include "meta/plugin/app.h"
#include "meta/plugin/card.h"
#include "meta/attachment/state.h"

/* Taking away has time of its own: the deadline may be what has just run out. */
#define LEAVE_MS 4000

static void fill_state(struct state *s, const char *parent, const struct macvlan_card *m)
{
	const struct ip_addr *addrs[] = {&m->addr.addr, &m->addr6.addr};
	char device[IFNAMSIZ], text[IP_ADDR_LEN];
	size_t n = 0, i;

	macvlan_host_name(parent, device);
	s->host.parent = xstrdup(parent);
	s->host.device = xstrdup(device);
	for (i = 0; i < ARRAY_SIZE(addrs); i++) {
		if (ip_is_set(addrs[i]))
			s->host.addrs[n++] = xstrdup(ip_format(addrs[i], text));
	}
}

int host_join(struct app *app, struct state *s, const struct macvlan_link *l, struct card *c,
	      struct err *e)
{
	const char *parent = macvlan_link_parent(l);
	struct mac_addr mac = macvlan_link_mac(l);
	int lock = -1, r;

	if (!c->m.host_access)
		return 0;
	/* The one that it will have in the end. */
	if (mac_is_usable(&c->m.mac))
		mac = c->m.mac;
	fill_state(s, parent, &c->m);
	if (state_save(app->dir, s, e) < 0 ||
	    state_lock_parent(app->dir, parent, app->deadline_ms, &lock, e) < 0)
		return -1;
	r = macvlan_host_join(&c->m, parent, &mac, &c->m.host, e);
	state_unlock_parent(app->dir, parent, &lock);
	return r;
}

int host_leave(struct app *app, struct state *s, struct err *e)
{
	struct macvlan_host_user user = {.parent = s->host.parent, .device = s->host.device};
	int64_t deadline_ms = clock_now_ms() + LEAVE_MS;
	struct ip_addr addrs[ARRAY_SIZE(s->host.addrs)];
	int lock = -1, r;
	size_t i;

	if (!s->host.parent)
		return 0;
	for (i = 0; i < ARRAY_SIZE(addrs); i++) {
		if (s->host.addrs[i] && ip_parse(s->host.addrs[i], &addrs[user.n_addrs]) == 0)
			user.n_addrs++;
	}
	user.addrs = addrs;
	if (state_lock_parent(app->dir, s->host.parent, deadline_ms, &lock, e) < 0) {
		/* A read-only disk must not keep a pod from ending. */
		if (e->kind != ERR_IO)
			return -1;
		log_warn("no lock, going on without it", "error", e->msg);
		err_clear(e);
	}
	r = macvlan_host_leave(&user, deadline_ms, e);
	if (lock >= 0)
		state_unlock_parent(app->dir, s->host.parent, &lock);
	if (r == 0)
		state_host_clear(&s->host);
	return r;
}
