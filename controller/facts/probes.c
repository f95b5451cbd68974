/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/facts/probes.h"

#include <stdlib.h>
#include <string.h>

#include "api/master.h"
#include "api/subnet.h"
#include "controller/cluster/cluster.h"
#include "controller/cluster/objects.h"
#include "controller/cluster/subnet_object.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jwrite.h"

/* In the order of their names: the same subnets are the same text. */
static int by_name(const void *a, const void *b)
{
	const struct subnet_object *const *x = a, *const *y = b;

	return strcmp((*x)->meta.name, (*y)->meta.name);
}

static void write_family(struct jw *w, const struct api_family *v)
{
	struct ip_net net = {ip_net_base(&v->cidr), v->cidr.prefix};
	char text[IP_NET_LEN];

	jw_kv_str(w, "cidr", ip_net_format(&net, text));
	if (ip_is_set(&v->gateway))
		jw_kv_str(w, "gateway", ip_format(&v->gateway, text));
}

static void write_term(struct jw *w, const struct api_selector_term *t)
{
	static const char *const ops[] = {[API_SELECTOR_IN] = "In",
					  [API_SELECTOR_NOT_IN] = "NotIn",
					  [API_SELECTOR_EXISTS] = "Exists",
					  [API_SELECTOR_ABSENT] = "DoesNotExist"};

	jw_obj(w);
	jw_kv_str(w, "key", t->key);
	jw_kv_str(w, "operator", ops[t->op]);
	if (t->n_values) {
		jw_kv_arr(w, "values");
		for (size_t i = 0; i < t->n_values; i++)
			jw_str(w, t->values[i]);
		jw_end(w);
	}
	jw_end(w);
}

static void write_selector(struct jw *w, const struct api_selector *s)
{
	if (!s->given)
		return;
	jw_kv_obj(w, "nodeSelector");
	jw_kv_arr(w, "matchExpressions");
	for (size_t i = 0; i < s->n_terms; i++)
		write_term(w, &s->terms[i]);
	jw_end(w);
	jw_end(w);
}

static void write_link(struct jw *w, const struct api_network *n)
{
	if (n->master_by == API_MASTER_BY_NAME) {
		jw_kv_str(w, "master", n->master);
	} else {
		jw_kv_obj(w, "masterSelector");
		jw_kv_str(w, api_master_key(n->master_by), n->master);
		jw_end(w);
	}
	if (n->vlan)
		jw_kv_i64(w, "vlan", n->vlan);
	if (n->link_type != NL_TYPE_MACVLAN)
		jw_kv_str(w, "linkType", nl_link_type_get(n->link_type)->kind);
	jw_kv_str(w, "mode", nl_link_mode_get(n->mode)->name);
	if (n->mtu)
		jw_kv_i64(w, "mtu", n->mtu);
	if (n->require_carrier == API_SWITCH_OFF)
		jw_kv_bool(w, "requireCarrier", false);
}

static void write_subnet(struct jw *w, const struct subnet_object *o)
{
	const struct api_subnet *s = o->spec;

	jw_obj(w);
	jw_kv_obj(w, "metadata");
	jw_kv_str(w, "name", o->meta.name);
	jw_kv_str(w, "uid", o->meta.uid);
	jw_end(w);
	jw_kv_obj(w, "spec");
	write_link(w, &s->network);
	write_family(w, &s->v);
	if (ip_is_set(&s->v6.cidr.addr)) {
		jw_kv_obj(w, "ipv6");
		write_family(w, &s->v6);
		jw_end(w);
	}
	write_selector(w, &s->node_selector);
	jw_end(w);
	jw_end(w);
}

static size_t list_subnets(const struct cluster *c, const struct subnet_object ***out)
{
	const struct subnet_object *o;
	size_t n = 0, pos = 0;

	while ((o = cluster_each(c, CLUSTER_SUBNETS, &pos, NULL))) {
		if (!o->spec || o->meta.deletion)
			continue;
		*out = xreallocarray(*out, n + 1, sizeof(**out));
		(*out)[n++] = o;
	}
	if (n)
		qsort(*out, n, sizeof(**out), by_name);
	return n;
}

/* Whoever has answered is asked no more. */
static void write_asked(struct jw *w, const struct cluster *c)
{
	const struct cluster_node *node;
	const char *key = NULL;
	size_t pos = 0, n = 0;

	jw_kv_obj(w, "asked");
	while (n < PROBES_ASKED && (node = cluster_each(c, CLUSTER_NODES, &pos, &key))) {
		char when[CLOCK_RFC3339_LEN];

		if (!node->doctor_asked_s || node->doctor_asked_s == node->doctor.asked_s)
			continue;
		jw_kv_str(w, key, clock_rfc3339(node->doctor_asked_s, when));
		n++;
	}
	jw_end(w);
}

char *probes_text(const struct cluster *c)
{
	AUTO(free) const struct subnet_object **list = NULL;
	AUTO(sb_done) struct sb text = SB_INIT;
	struct jw w = jw_init(&text);
	size_t n = list_subnets(c, &list);

	if (!n)
		return NULL;
	jw_obj(&w);
	jw_kv_arr(&w, "items");
	for (size_t i = 0; i < n && i < PROBES_SUBNETS; i++)
		write_subnet(&w, list[i]);
	jw_end(&w);
	write_asked(&w, c);
	jw_end(&w);
	jw_finish(&w);
	return sb_take(&text);
}
