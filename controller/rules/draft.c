/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/draft.h"

#include "lib/base/str.h"

static void write_owner(struct jw *w, const struct api_pod *pod)
{
	/* A StatefulSet's record outlives its pod; the controller ends it. */
	if (api_pod_is_stateful(pod))
		return;
	jw_kv_arr(w, "ownerReferences");
	jw_obj(w);
	jw_kv_str(w, "apiVersion", "v1");
	jw_kv_str(w, "kind", "Pod");
	jw_kv_str(w, "name", pod->meta.name);
	jw_kv_str(w, "uid", pod->meta.uid);
	jw_end(w);
	jw_end(w);
}

/*
 * An empty entry: the API server is not to keep who owns which key. Nobody but the controller writes these
 * objects, and it would be as much text again in each of them, to be encoded and decoded with it.
 */
static void write_no_managers(struct jw *w)
{
	jw_kv_arr(w, "managedFields");
	jw_obj(w);
	jw_end(w);
	jw_end(w);
}

static void write_annotations(struct jw *w, const struct api_pod *pod, const struct draft_record *r)
{
	if (!r->ask && !r->choice)
		return;
	jw_kv_obj(w, "annotations");
	if (r->ask)
		jw_kv_str(w, API_ANNOTATION_TELL_CARD, pod->meta.uid);
	jw_kv_opt(w, API_ANNOTATION_CHOICE, r->choice);
	jw_end(w);
}

/* Up to the pod's part of the spec, which is left open. Without known it is new. */
static void begin_whole(struct jw *w, const struct api_pod *pod, const struct draft_record *r,
			const struct api_meta *known)
{
	char node[64], label[64];

	jw_obj(w);
	jw_kv_str(w, "apiVersion", API_GROUP_VERSION);
	jw_kv_str(w, "kind", API_KIND_IP);
	jw_kv_obj(w, "metadata");
	jw_kv_str(w, "name", pod->meta.name);
	jw_kv_str(w, "namespace", pod->meta.ns);
	if (known)
		api_meta_write_condition(w, known->uid, known->resource_version);
	jw_kv_obj(w, "labels");
	jw_kv_str(w, API_LABEL_NODE, api_label_value(pod->node, node));
	jw_kv_str(w, API_LABEL_SUBNET, api_label_value(r->subnet, label));
	jw_end(w);
	write_annotations(w, pod, r);
	jw_kv_arr(w, "finalizers");
	jw_str(w, API_FINALIZER_ADDRESS);
	jw_end(w);
	write_owner(w, pod);
	write_no_managers(w);
	jw_end(w);
	jw_kv_obj(w, "spec");
	jw_kv_str(w, "subnet", r->subnet);
	jw_kv_str(w, "podId", pod->meta.uid);
	jw_kv_str(w, "node", pod->node);
}

static void finish(struct jw *w)
{
	jw_end(w);
	jw_end(w);
	jw_finish(w);
}

void draft_new(struct sb *sb, const struct api_pod *pod, const struct draft_record *r)
{
	struct jw w = jw_init(sb);

	begin_whole(&w, pod, r, NULL);
	api_network_write(&w, r->network, false);
	finish(&w);
}

void draft_begin(struct jw *w, const struct api_ip *rec)
{
	api_meta_begin_patch(w, rec->meta.uid, rec->meta.resource_version);
}

void draft_cidr(struct jw *w, const char *key, const struct ip_net *net)
{
	char text[IP_NET_LEN];

	jw_key(w, key);
	jw_str(w, ip_is_set(&net->addr) ? ip_net_format(net, text) : NULL);
}

static void write_mac(struct jw *w, const struct mac_addr *mac)
{
	char text[MAC_ADDR_LEN];

	jw_kv_str(w, "mac", mac_format(mac, text));
}

/* The address is given with the network as it is, but for one thing. */
static void write_network(struct jw *w, const struct api_network *net, bool probe, bool patch)
{
	AUTO(api_network_done) struct api_network n = {0};

	api_network_copy(net, &n);
	if (probe)
		n.conflict_detection = API_SWITCH_ON;
	api_network_write(w, &n, patch);
}

void draft_patch(struct sb *sb, const struct api_ip *rec, const struct draft_address *a)
{
	struct jw w = jw_init(sb);

	draft_begin(&w, rec);
	if (rec->tell_card && *rec->tell_card) {
		jw_kv_obj(&w, "annotations");
		jw_kv_str(&w, API_ANNOTATION_TELL_CARD, NULL);
		jw_end(&w);
	}
	jw_end(&w);
	jw_kv_obj(&w, "spec");
	draft_cidr(&w, "cidr", &a->cidr);
	draft_cidr(&w, "cidr6", &a->cidr6);
	write_mac(&w, a->mac);
	/* The subnet may have been edited while the record waited. */
	if (a->probe || a->network)
		write_network(&w, a->network ? a->network : &rec->network, a->probe, true);
	finish(&w);
}

void draft_whole(struct sb *sb, const struct api_ip *rec, const struct api_pod *pod,
		 const struct draft_address *a)
{
	const struct draft_record r = {.subnet = rec->subnet, .choice = a->choice};
	struct jw w = jw_init(sb);

	begin_whole(&w, pod, &r, &rec->meta);
	draft_cidr(&w, "cidr", &a->cidr);
	if (ip_is_set(&a->cidr6.addr))
		draft_cidr(&w, "cidr6", &a->cidr6);
	write_mac(&w, a->mac);
	write_network(&w, a->network ? a->network : &rec->network, a->probe, false);
	finish(&w);
}
