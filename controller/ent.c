#include "controller/ent.h"

#include <stdio.h>
#include <string.h>

#include "controller/conflict.h"
#include "controller/sub.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* Who has this address or MAC: mostly one, more only after a mistake. */
struct claim {
	char text[IP_ADDR_LEN];
	struct ent **ents;
	size_t n;
};

struct ent *ent_find(const struct app *app, const char *key)
{
	return map_get(&app->ents, key);
}

struct ent *ent_get(struct app *app, const char *key)
{
	struct ent *ent = map_get(&app->ents, key);

	if (ent)
		return ent;
	ent = xcalloc(1, sizeof(*ent));
	ent->app = app;
	ent->key = xstrdup(key);
	map_put(&app->ents, ent->key, ent);
	return ent;
}

static void claim_remove(struct map *index, const char *text, const struct ent *ent)
{
	struct claim *c = map_get(index, text);
	size_t to = 0;

	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++) {
		if (c->ents[i] != ent)
			c->ents[to++] = c->ents[i];
	}
	c->n = to;
	if (to)
		return;
	map_remove(index, text);
	free(c->ents);
	free(c);
}

static void claim_add(struct map *index, const char *text, struct ent *ent)
{
	struct claim *c = map_get(index, text);

	if (!c) {
		c = xcalloc(1, sizeof(*c));
		snprintf(c->text, sizeof(c->text), "%s", text);
		map_put(index, c->text, c);
	}
	c->ents = xreallocarray(c->ents, c->n + 1, sizeof(struct ent *));
	c->ents[c->n++] = ent;
}

static void unclaim(struct ent *ent)
{
	char text[IP_ADDR_LEN];

	if (!ip_is_set(&ent->claimed))
		return;
	claim_remove(&ent->app->claims, ip_format(&ent->claimed, text), ent);
	if (ip_is_set(&ent->claimed6))
		claim_remove(&ent->app->claims, ip_format(&ent->claimed6, text), ent);
	claim_remove(&ent->app->macs, mac_format(&ent->claimed_mac, text), ent);
	ent->claimed = ent->claimed6 = (struct ip_addr){0};
}

struct holding {
	struct ip_addr addr; /* unset = it holds nothing */
	struct ip_addr addr6;
	struct mac_addr mac;
};

/* What it holds: the record's addresses, else the committed ones, else those of the record it lost. */
static struct holding holding_of(const struct ent *ent)
{
	const struct api_ip *ip = ent_record(ent);

	if (!ip || !api_ip_is_allocated(ip))
		ip = ent->lost;
	if (ip && api_ip_is_allocated(ip))
		return (struct holding){ip->cidr.addr, ip->cidr6.addr, ip->mac};
	if (ent->step == ENT_COMMITTED)
		return (struct holding){ent->addr, ent->addr6, ent->mac};
	return (struct holding){0};
}

void ent_claim(struct ent *ent)
{
	struct holding h = holding_of(ent);
	char text[IP_ADDR_LEN];

	if (ip_eq(&h.addr, &ent->claimed) && ip_eq(&h.addr6, &ent->claimed6) &&
	    (!ip_is_set(&h.addr) || mac_eq(&h.mac, &ent->claimed_mac)))
		return;
	unclaim(ent);
	if (!ip_is_set(&h.addr))
		return;
	ent->claimed = h.addr;
	ent->claimed6 = h.addr6;
	ent->claimed_mac = h.mac;
	claim_add(&ent->app->claims, ip_format(&h.addr, text), ent);
	if (ip_is_set(&h.addr6))
		claim_add(&ent->app->claims, ip_format(&h.addr6, text), ent);
	claim_add(&ent->app->macs, mac_format(&h.mac, text), ent);
}

static bool is_record(const struct ent *ent, const char *uid)
{
	const struct api_ip *ip = ent_record(ent);

	return (ip && str_eq(ip->meta.uid, uid)) || (ent->lost && str_eq(ent->lost->meta.uid, uid));
}

/* The wire and subnet that an entry's address is on. */
static bool same_wire(const struct ent *ent, const struct sub *sub)
{
	const struct api_ip *ip = ent_record(ent);
	const struct api_subnet *spec = sub->obj ? sub->obj->spec : NULL;

	if (!ip || !api_ip_is_allocated(ip))
		ip = ent->lost ? ent->lost : ip;
	if (!ip || !spec || str_eq(ip->subnet, sub->name))
		return true;
	return ip->network.vlan == spec->network.vlan &&
	       str_eq(ip->network.master, spec->network.master);
}

bool ent_addr_taken(const struct app *app, const struct sub *sub, const struct ip_addr *a,
		    const char *uid)
{
	char text[IP_ADDR_LEN];
	const struct claim *c = map_get(&app->claims, ip_format(a, text));

	for (size_t i = 0; c && i < c->n; i++) {
		if (!is_record(c->ents[i], uid) && same_wire(c->ents[i], sub))
			return true;
	}
	return false;
}

bool ent_mac_taken(const struct app *app, const struct mac_addr *mac, const char *uid)
{
	char text[MAC_ADDR_LEN];
	const struct claim *c = map_get(&app->macs, mac_format(mac, text));

	for (size_t i = 0; c && i < c->n; i++) {
		if (!is_record(c->ents[i], uid))
			return true;
	}
	return false;
}

void ent_hold(struct ent *ent, const char *subnet)
{
	struct sub *sub;

	if (str_eq(ent->held_by, subnet))
		return;
	sub = ent->held_by ? sub_find(ent->app, ent->held_by) : NULL;
	if (sub) {
		sub->n_held--;
		sub_soft(sub);
	}
	free(ent->held_by);
	ent->held_by = NULL;
	sub = subnet ? sub_find(ent->app, subnet) : NULL;
	if (!sub)
		return;
	ent->held_by = xstrdup(subnet);
	sub->n_held++;
	sub_soft(sub);
}

void ent_free(struct ent *ent)
{
	if (!ent)
		return;
	unclaim(ent);
	map_remove(&ent->app->ents, ent->key);
	api_ip_free(ent->own);
	api_ip_free(ent->lost);
	api_ip_free(ent->good);
	api_ip_free(ent->expect);
	api_request_done(&ent->request);
	conflict_free(ent);
	free(ent->gone_uid);
	free(ent->owner);
	free(ent->want_uid);
	free(ent->made_version);
	free(ent->end_uid);
	free(ent->look_uid);
	free(ent->held_by);
	free(ent->key);
	free(ent);
}

bool ent_free_idle(struct ent *ent)
{
	if (ent->pod || ent->seen || ent->own || ent->lost || ent->call || ent->dirty ||
	    ent->step != ENT_IDLE || ent->wake_ms)
		return false;
	ent_hold(ent, NULL);
	ent_free(ent);
	return true;
}

void ent_mark(struct ent *ent)
{
	struct app *app = ent->app;

	if (ent->dirty)
		return;
	if (app->n_dirty == app->cap_dirty) {
		app->cap_dirty = app->cap_dirty ? app->cap_dirty * 2 : 64;
		app->dirty = xreallocarray(app->dirty, app->cap_dirty, sizeof(struct ent *));
	}
	app->dirty[app->n_dirty++] = ent;
	ent->dirty = true;
}

void ent_wake(struct ent *ent, int64_t delay_ms)
{
	int64_t when = clock_now_ms() + delay_ms;

	if (!ent->wake_ms || when < ent->wake_ms)
		ent->wake_ms = when;
	if (!ent->app->wake_ms || when < ent->app->wake_ms)
		ent->app->wake_ms = when;
}

/*
 * resourceVersions are said to be opaque, but they are etcd's revisions. Only used to tell which of two
 * states of one object is newer; a wrong answer costs a 409.
 */
static bool newer(const struct api_ip *a, const struct api_ip *b)
{
	int64_t va, vb;

	if (parse_i64(a->meta.resource_version, &va) < 0 ||
	    parse_i64(b->meta.resource_version, &vb) < 0)
		return false;
	return va > vb;
}

const struct api_ip *ent_record(const struct ent *ent)
{
	if (ent->own)
		return ent->own;
	if (ent->seen && ent->gone_uid && str_eq(ent->seen->meta.uid, ent->gone_uid))
		return NULL;
	return ent->seen;
}

void ent_catch_up(struct ent *ent)
{
	if (ent->own && ent->seen && !newer(ent->own, ent->seen)) {
		api_ip_free(ent->own);
		ent->own = NULL;
	}
	if (ent->gone_uid && (!ent->seen || !str_eq(ent->seen->meta.uid, ent->gone_uid))) {
		free(ent->gone_uid);
		ent->gone_uid = NULL;
	}
	ent_claim(ent);
}

void ent_set_own(struct ent *ent, struct api_ip *own)
{
	const struct api_ip *was = ent_record(ent);

	if (!own && was) {
		free(ent->gone_uid);
		ent->gone_uid = xstrdup(was->meta.uid);
	}
	api_ip_free(ent->own);
	ent->own = own;
	ent_catch_up(ent);
}

struct api_ip *ent_spec_copy(const struct api_ip *ip)
{
	struct api_ip *c = xcalloc(1, sizeof(*c));

	c->meta.ns = xstrdup(ip->meta.ns);
	c->meta.name = xstrdup(ip->meta.name);
	c->meta.uid = xstrdup(ip->meta.uid);
	c->meta.deletion = ip->meta.deletion;
	c->unwitnessed = ip->unwitnessed;
	c->card_down = xstrdup(ip->card_down);
	c->owner_pod_uid = xstrdup(ip->owner_pod_uid);
	c->subnet = xstrdup(ip->subnet);
	c->pod_id = xstrdup(ip->pod_id);
	c->node = xstrdup(ip->node);
	c->cidr = ip->cidr;
	c->cidr6 = ip->cidr6;
	c->mac = ip->mac;
	api_network_copy(&ip->network, &c->network);
	return c;
}

bool ent_spec_eq(const struct api_ip *a, const struct api_ip *b)
{
	return str_eq(a->subnet, b->subnet) && str_eq(a->pod_id, b->pod_id) &&
	       str_eq(a->node, b->node) && ip_eq(&a->cidr.addr, &b->cidr.addr) &&
	       a->cidr.prefix == b->cidr.prefix && ip_eq(&a->cidr6.addr, &b->cidr6.addr) &&
	       a->cidr6.prefix == b->cidr6.prefix && mac_eq(&a->mac, &b->mac) &&
	       api_network_eq(&a->network, &b->network);
}
