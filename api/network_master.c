/* SPDX-License-Identifier: Apache-2.0 */
/* The NIC of a network: by its name, or by what it is on each node. */
#include <stdio.h>
#include <string.h>

#include "api/master.h"
#include "api/network_field.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

#define SELECTOR "masterSelector"
#define CHOICE   "must have one of addressIn, mac, driver and namePattern"

/* ETHTOOL_BUSINFO_LEN, which a driver's name has as well. */
#define DRIVER_MAX 32

static const char *const keys[API_MASTER_BYS] = {
	[API_MASTER_BY_ADDRESS] = "addressIn",
	[API_MASTER_BY_MAC] = "mac",
	[API_MASTER_BY_DRIVER] = "driver",
	[API_MASTER_BY_PATTERN] = "namePattern",
};

const char *api_master_key(enum api_master_by by)
{
	return by < API_MASTER_BYS ? keys[by] : NULL;
}

char *api_master_text(const struct api_network *n, char buf[API_MASTER_TEXT])
{
	if (n->master_by == API_MASTER_BY_NAME)
		snprintf(buf, API_MASTER_TEXT, "%s", n->master);
	else
		snprintf(buf, API_MASTER_TEXT, "%s=%s", keys[n->master_by], n->master);
	return buf;
}

bool api_master_eq(const struct api_network *a, const struct api_network *b)
{
	return a->master_by == b->master_by && str_eq(a->master, b->master);
}

/* What a selector finds may be a VLAN's link: then its frames bear a tag that no vlan here tells. */
static bool may_hide_tag(const struct api_network *n)
{
	return n->master_by != API_MASTER_BY_NAME && !n->vlan;
}

bool api_master_may_meet(const struct api_network *a, const struct api_network *b)
{
	if (api_master_eq(a, b))
		return a->vlan == b->vlan;
	if (a->master_by == API_MASTER_BY_NAME && b->master_by == API_MASTER_BY_NAME)
		return false;
	return a->vlan == b->vlan || may_hide_tag(a) || may_hide_tag(b);
}

/* ------------------------------------------------------------------------------- master */

static int read_master(const struct jval *spec, const struct api_field_place *p,
		       struct api_network *n, struct err *e)
{
	struct jval selector;
	const char *s = "";
	int rc;

	if (jget_str(spec, p->f->key, &s, e) < 0 ||
	    (rc = jget_obj(spec, SELECTOR, &selector, e)) < 0)
		return -1;
	if (*s && rc)
		return err_set(e, ERR_CONFIG, 0,
			       "%s.%s: \"%.80s\" stands beside " SELECTOR "; only one of them may",
			       p->path, p->f->key, s);
	if (rc)
		return 0;
	if (!*s)
		return err_set(e, ERR_CONFIG, 0, "%s.%s: is missing, and so is " SELECTOR, p->path,
			       p->f->key);
	/* What the kernel refuses in the name of a device. */
	if (strpbrk(s, "/ \t\r\n\v\f") || str_eq(s, ".") || str_eq(s, "..") ||
	    str_copy(n->master, sizeof(n->master), s) < 0)
		return api_field_bad(e, p->path, p->f->key, s, "is not the name of a network card");
	return 0;
}

static void write_master(struct jw *w, const struct api_field *f, const struct api_network *n,
			 bool patch)
{
	(void)patch;
	jw_kv_str(w, f->key, n->master);
}

static bool master_is_absent(const struct api_field *f, const struct api_network *n)
{
	(void)f;
	return n->master_by != API_MASTER_BY_NAME;
}

static bool master_eq(const struct api_field *f, const struct api_network *a,
		      const struct api_network *b)
{
	(void)f;
	return str_eq(a->master, b->master);
}

const struct api_field_type api_field_master = {
	.read = read_master, .write = write_master, .is_absent = master_is_absent, .eq = master_eq};

/* ------------------------------------------------------------------------------- its selector */

/* In one form, so that what is the same is equal. NULL: it was taken; else what is wrong with it. */
static const char *take(struct api_network *n, const char *s)
{
	struct ip_net net;
	struct mac_addr mac;
	char text[IP_NET_LEN];

	switch (n->master_by) {
	case API_MASTER_BY_ADDRESS:
		if (ip_net_parse(s, &net) < 0)
			return "is not a CIDR";
		net.addr = ip_net_base(&net);
		s = ip_net_format(&net, text);
		break;
	case API_MASTER_BY_MAC:
		if (mac_parse(s, &mac) < 0 || !mac_is_usable(&mac))
			return "is not the MAC of a network card";
		s = mac_format(&mac, text);
		break;
	case API_MASTER_BY_DRIVER:
		if (strpbrk(s, "/ \t\r\n\v\f") || strlen(s) >= DRIVER_MAX)
			return "is not the name of a driver";
		break;
	default:
		if (strpbrk(s, "/ \t\r\n\v\f"))
			return "fits no name of a network card";
		break;
	}
	return str_copy(n->master, sizeof(n->master), s) < 0 ? "is too long" : NULL;
}

static int read_key(const struct jval *selector, const char *path, enum api_master_by by,
		    struct api_network *n, struct err *e)
{
	const char *s = "", *why;

	if (jget_str(selector, keys[by], &s, e) < 0)
		return -1;
	if (!*s)
		return 0;
	if (n->master_by != API_MASTER_BY_NAME)
		return err_set(e, ERR_CONFIG, 0, "%s: " CHOICE ", and has %s beside %s", path,
			       keys[n->master_by], keys[by]);
	n->master_by = by;
	why = take(n, s);
	return why ? api_field_bad(e, path, keys[by], s, why) : 0;
}

/* Whoever writes a key that is none here means a NIC that another version would choose. */
static int check_keys(const struct jval *selector, const char *path, struct err *e)
{
	struct jval item;

	for (struct jiter it = jiter_of(selector); jiter_next(&it, &item);) {
		bool known = false;

		for (size_t by = API_MASTER_BY_ADDRESS; by < API_MASTER_BYS; by++)
			known = known || str_eq(item.key, keys[by]);
		if (!known)
			return err_set(e, ERR_CONFIG, 0, "%s: " CHOICE ", and has \"%.40s\"", path,
				       item.key);
	}
	return 0;
}

static int read_selector(const struct jval *spec, const struct api_field_place *p,
			 struct api_network *n, struct err *e)
{
	struct jval selector;
	char path[80];
	int rc = jget_obj(spec, p->f->key, &selector, e);

	if (rc <= 0)
		return rc;
	snprintf(path, sizeof(path), "%s.%s", p->path, p->f->key);
	if (check_keys(&selector, path, e) < 0)
		return -1;
	for (size_t by = API_MASTER_BY_ADDRESS; by < API_MASTER_BYS; by++) {
		if (read_key(&selector, path, (enum api_master_by)by, n, e) < 0)
			return -1;
	}
	if (n->master_by == API_MASTER_BY_NAME)
		return err_set(e, ERR_CONFIG, 0, "%s: " CHOICE, path);
	return 0;
}

static void write_selector(struct jw *w, const struct api_field *f, const struct api_network *n,
			   bool patch)
{
	jw_kv_obj(w, f->key);
	for (size_t by = API_MASTER_BY_ADDRESS; by < API_MASTER_BYS; by++) {
		if (by == n->master_by)
			jw_kv_str(w, keys[by], n->master);
		else
			api_field_write_absent(w, keys[by], patch);
	}
	jw_end(w);
}

static bool selector_is_absent(const struct api_field *f, const struct api_network *n)
{
	(void)f;
	return n->master_by == API_MASTER_BY_NAME;
}

const struct api_field_type api_field_master_selector = {
	.read = read_selector, .write = write_selector, .is_absent = selector_is_absent};
