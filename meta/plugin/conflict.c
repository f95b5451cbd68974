/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/conflict.h"

#include "api/ip.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/cni/args.h"
#include "macvlan/detect.h"
#include "meta/plugin/app.h"
#include "meta/plugin/ask.h"

/*
 * phase and message: NULL takes them away. The record must be as it was read: of the metadata in a write to a
 * status the API server holds no more against it than the resourceVersion.
 */
static int patch_status(struct app *app, const struct api_ip *ip, const char *phase,
			const char *message, struct err *e)
{
	const struct api_ip_word word = {.uid = ip->meta.uid,
					 .version = ip->meta.resource_version,
					 .phase = phase,
					 .message = message};
	const struct ask_patch patch = {ip->meta.ns, ip->meta.name, &word, app->stop_fd};
	bool unknown;

	return ask_patch(app, &patch, &unknown, e);
}

static void log_rival(const struct app *app, const struct api_ip *ip,
		      const struct macvlan_rival *rival)
{
	char addr[IP_ADDR_LEN], mac[MAC_ADDR_LEN];

	log_warn(*rival->link ? "this node has the pod's address"
			      : "another machine has the pod's address",
		 "container", app->args->container_id, "namespace", ip->meta.ns, "pod",
		 ip->meta.name, "address", ip_format(&rival->addr, addr), "mac",
		 mac_format(&rival->mac, mac), "link", *rival->link ? rival->link : NULL);
}

/* The record as it is now. 1 and *out; 0: it is gone, or another one of that name is there; -1. */
static int read_again(struct app *app, const struct api_ip *ip, struct api_ip **out, struct err *e)
{
	AUTO(api_ip_free) struct api_ip *now = NULL;
	AUTO(asked_done) struct asked a = {0};

	if (ask_record(app, ip->meta.ns, ip->meta.name, &a, e) < 0) {
		if (e->kind != ERR_NOT_FOUND)
			return -1;
		err_clear(e);
		return 0;
	}
	if (api_ip_decode(&a.object, &now, e) < 0)
		return -1;
	if (!str_eq(now->meta.uid, ip->meta.uid))
		return 0;
	*out = STEAL(now);
	return 1;
}

/* Somebody else's write may come first, again and again; each time the record is read again. */
static int report(struct app *app, const struct api_ip *ip, const char *message, struct err *e)
{
	AUTO(api_ip_free) struct api_ip *now = NULL;
	int r;

	/* The address of a record never changes while its UID stays. */
	while (patch_status(app, now ? now : ip, "Conflict", message, e) < 0) {
		if (e->kind == ERR_NOT_FOUND) {
			err_clear(e);
			return 0;
		}
		if (e->kind != ERR_CONFLICT)
			return -1;
		err_clear(e);
		api_ip_free(STEAL(now));
		r = read_again(app, ip, &now, e);
		if (r <= 0)
			return r;
	}
	return 0;
}

int conflict_tell(struct app *app, const struct api_ip *ip, const struct macvlan_rival *rival,
		  struct err *e)
{
	struct api_ip_rival r = {
		.addr = rival->addr, .mac = rival->mac, .node = ip->node, .link = rival->link};
	char message[API_IP_RIVAL_LEN];

	log_rival(app, ip, rival);
	api_ip_rival_format(&r, message);
	if (ip->phase == API_IP_CONFLICT && str_eq(ip->message, message))
		return 0;
	if (report(app, ip, message, e) == 0)
		return 0;
	/* Who was stopped has another's failure to tell. */
	if (e->kind == ERR_CANCELLED)
		return -1;
	return err_set(e, ERR_AGAIN, e->num, "%s; this could not be reported: %s", message, e->msg);
}

int conflict_clear(struct app *app, const struct api_ip *ip, struct err *e)
{
	if (ip->phase != API_IP_CONFLICT)
		return 0;
	/* The controller ends the record in the version that says so, or this write comes first. */
	if (patch_status(app, ip, NULL, NULL, e) == 0)
		return 0;
	e->kind = ERR_AGAIN;
	return err_wrap(
		e,
		"the conflict about the address of pod %s/%s is over, but its MacvlanIP cannot be updated",
		ip->meta.ns, ip->meta.name);
}
