/* SPDX-License-Identifier: Apache-2.0 */
#include "services/plan.h"

#include <stdlib.h>
#include <string.h>

#include "api/clusterip.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* Which endpoints are wanted: those of a family behind one port, of a LAN or of all. */
struct want {
	const struct api_cluster_port *port;
	uint8_t family;
	bool local;
	const struct plan_in *in;
	const struct plan_lan *lan; /* NULL = wherever they are */
	bool draining;              /* else the ready ones */
};

static bool lan_has(const struct plan_lan *lan, const struct ip_addr *a)
{
	return (lan->nets[0].addr.family && ip_net_has(&lan->nets[0], a)) ||
	       (lan->nets[1].addr.family && ip_net_has(&lan->nets[1], a));
}

static bool is_on_lan(const struct want *w, const struct ip_addr *a)
{
	if (!w->lan)
		return true;
	if (!lan_has(w->lan, a))
		return false;
	for (size_t i = 0; i < w->in->n_lans; i++) {
		const struct plan_lan *other = &w->in->lans[i];

		if (other->scope != w->lan->scope && lan_has(other, a))
			return false;
	}
	return true;
}

static bool is_wanted(const struct want *w, const struct api_backend *b)
{
	return b->addr.family == w->family && (w->draining ? b->draining : b->ready) &&
	       (!w->local || b->local) && is_on_lan(w, &b->addr);
}

/* The number behind a Service's port: in slices by its name. 0 = this group has none. */
static uint16_t target_of(const struct api_backend_group *g, const struct api_cluster_port *port)
{
	for (size_t i = 0; i < g->n_ports; i++) {
		if (g->ports[i].proto == port->proto && str_eq(g->ports[i].name, port->name))
			return g->ports[i].port;
	}
	return 0;
}

static void take_group(const struct want *w, const struct api_backend_group *g,
		       struct table_service *s)
{
	uint16_t target = target_of(g, w->port);

	if (!target || !g->n)
		return;
	s->backends = xreallocarray(s->backends, s->n_backends + g->n, sizeof(*s->backends));
	for (size_t i = 0; i < g->n; i++) {
		if (is_wanted(w, &g->v[i]))
			s->backends[s->n_backends++] =
				(struct table_endpoint){.addr = g->v[i].addr, .port = target};
	}
}

static int by_address(const void *a, const void *b)
{
	const struct table_endpoint *x = a, *y = b;
	int order = ip_cmp(&x->addr, &y->addr);

	return order ? order : x->port - y->port;
}

static void sort_once(struct table_service *s)
{
	size_t n = 0;

	if (s->n_backends)
		qsort(s->backends, s->n_backends, sizeof(*s->backends), by_address);
	for (size_t i = 0; i < s->n_backends; i++) {
		if (!n || by_address(&s->backends[n - 1], &s->backends[i]) != 0)
			s->backends[n++] = s->backends[i];
	}
	s->n_backends = n < TABLE_BACKENDS_MAX ? n : TABLE_BACKENDS_MAX;
}

static void collect(struct want *w, struct table_service *s)
{
	const struct api_backends *const *from = w->lan ? w->in->cards : w->in->backends;
	size_t n = w->lan ? w->in->n_cards : w->in->n_backends;

	for (int draining = 0; draining < 2 && !s->n_backends; draining++) {
		w->draining = draining;
		for (size_t i = 0; i < n; i++) {
			for (size_t k = 0; k < from[i]->n_groups; k++)
				take_group(w, &from[i]->groups[k], s);
		}
	}
	sort_once(s);
}

static void add(struct plan *p, struct want *w, const struct ip_addr *ip)
{
	const struct api_cluster_service *service = w->in->service;
	struct table_service s = {.at = {*ip, w->port->port},
				  .proto = w->port->proto,
				  .scope = w->lan ? w->lan->scope : 0,
				  .affinity_s = service->affinity_s};

	w->family = ip->family;
	w->local = service->local;
	collect(w, &s);
	if (w->lan && !s.n_backends) {
		free(s.backends);
		return;
	}
	p->v = xreallocarray(p->v, p->n + 1, sizeof(*p->v));
	p->v[p->n++] = s;
}

/* One port of one address: the default set, then for each LAN the cards', where that is asked for. */
static void add_sets(struct plan *p, struct want *w, const struct ip_addr *ip)
{
	w->lan = NULL;
	add(p, w, ip);
	for (size_t l = 0; w->in->service->eth1 && l < w->in->n_lans; l++) {
		w->lan = &w->in->lans[l];
		add(p, w, ip);
	}
}

void plan_make(const struct plan_in *in, struct plan *out)
{
	const struct api_cluster_service *s = in->service;
	struct want w = {.in = in};

	*out = (struct plan){0};
	for (size_t i = 0; i < s->n_ips; i++) {
		for (size_t k = 0; k < s->n_ports; k++) {
			w.port = &s->ports[k];
			add_sets(out, &w, &s->ips[i]);
		}
	}
}

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].backends);
	free(p->v);
	*p = (struct plan){0};
}
