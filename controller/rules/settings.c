/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/settings.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

#define DEADLINE_MAX_S 29 /* as in the conf: lib/cni/conf.c */
#define ADDRS_MAX      16

/* ------------------------------------------------------------------------------- a value */

static int check_nets(const char *value, char **out, struct err *e)
{
	AUTO(ipam_nets_done) struct ipam_nets l = IPAM_NETS_INIT;

	if (ipam_nets_parse(&l, value, e) < 0)
		return -1;
	*out = ipam_nets_text(&l);
	return 0;
}

static int check_addrs(const char *value, char **out, struct err *e)
{
	AUTO(sb_done) struct sb text = SB_INIT;
	const char *blank = " \t\r\n";
	size_t n = 0;

	for (value += strspn(value, blank); *value; n++) {
		size_t len = strcspn(value, ", \t\r\n");
		char one[IP_ADDR_LEN] = "", canonical[IP_ADDR_LEN];
		struct ip_addr a;

		if (len < sizeof(one))
			memcpy(one, value, len);
		if (n == ADDRS_MAX || ip_parse(one, &a) < 0)
			return err_set(e, ERR_CONFIG, 0, "\"%.*s\" is not an address",
				       (int)(len < 64 ? len : 64), value);
		sb_printf(&text, "%s%s", n ? "," : "", ip_format(&a, canonical));
		value += len + strspn(value + len, blank);
		if (*value == ',')
			value += 1 + strspn(value + 1, blank);
	}
	*out = sb_take(&text);
	return 0;
}

static int check_level(const char *value, char **out, struct err *e)
{
	enum log_level ignored;

	if (*value && log_level_parse(value, &ignored) < 0)
		return err_set(e, ERR_CONFIG, 0, "\"%.64s\" must be error, warn, info or debug",
			       value);
	*out = xstrdup(value);
	return 0;
}

static int check_deadline(const char *value, char **out, struct err *e)
{
	uint32_t s = 0;

	if (*value && (parse_u32(value, DEADLINE_MAX_S, &s) < 0 || !s))
		return err_set(e, ERR_CONFIG, 0, "\"%.64s\" must be from 1 to %d", value,
			       DEADLINE_MAX_S);
	*out = xstrdup(value);
	return 0;
}

/* No hand says it: only subnets do. */
static int check_none(const char *value, char **out, struct err *e)
{
	(void)value;
	(void)out;
	return err_set(e, ERR_CONFIG, 0, "is no setting");
}

static const struct {
	const char *name;
	int (*check)(const char *value, char **out, struct err *e);
} keys[SETTINGS_KEYS] = {
	[SETTINGS_CLUSTER_CIDR] = {"clusterCIDR", check_nets},
	[SETTINGS_SERVICE_CIDR] = {"serviceCIDR", check_nets},
	[SETTINGS_CLUSTER_DNS] = {"clusterDNS", check_addrs},
	[SETTINGS_VIA_PRIMARY] = {"viaPrimary", check_nets},
	[SETTINGS_LOG_LEVEL] = {"logLevel", check_level},
	[SETTINGS_DEADLINE] = {"deadlineSeconds", check_deadline},
	[SETTINGS_DOCTOR] = {"doctor", check_none},
};

const char *settings_key_name(enum settings_key key)
{
	return keys[key].name;
}

int settings_check(enum settings_key key, const char *value, char **out, struct err *e)
{
	char *text = NULL;

	if (keys[key].check(value, &text, e) < 0)
		return err_wrap(e, "%s", keys[key].name);
	if (!*text) {
		free(text);
		text = NULL;
	}
	*out = text;
	return 0;
}

void settings_values_done(struct settings_values *f)
{
	for (int i = 0; i < SETTINGS_KEYS; i++)
		free(f->v[i]);
	*f = (struct settings_values){0};
}

bool settings_values_eq(const struct settings_values *a, const struct settings_values *b)
{
	for (int i = 0; i < SETTINGS_KEYS; i++) {
		if (!str_eq(a->v[i], b->v[i]))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------------------- a ConfigMap */

void settings_map_free(void *obj)
{
	struct settings_map *m = obj;

	if (!m)
		return;
	settings_values_done(&m->values);
	free(m->first_strange);
	free(m->uid);
	free(m->version);
	free(m);
}

static void take_item(struct settings_map *m, const struct jval *item)
{
	const char *value = jstr(item);

	for (int i = 0; value && i < SETTINGS_KEYS; i++) {
		if (!str_eq(item->key, keys[i].name))
			continue;
		free(m->values.v[i]);
		m->values.v[i] = xstrdup(value);
		return;
	}
	if (str_eq(item->key, SETTINGS_UNINSTALL) && str_eq(value, "true")) {
		m->uninstall = true;
		return;
	}
	m->strange = true;
	if (!m->first_strange)
		m->first_strange = xstrdup(item->key);
}

int settings_map_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	AUTO(api_meta_done) struct api_meta meta = {0};
	struct jval data = {0}, item;
	struct settings_map *m;
	int rc;

	(void)ctx;
	if (api_meta_decode(obj, &meta, e) < 0)
		return -1;
	rc = jget_obj(obj, "data", &data, e);
	if (rc < 0)
		return -1;
	m = xcalloc(1, sizeof(*m));
	m->uid = xstrdup(meta.uid);
	m->version = xstrdup(meta.resource_version);
	if (rc > 0) {
		for (struct jiter it = jiter_of(&data); jiter_next(&it, &item);)
			take_item(m, &item);
	}
	*out = m;
	return 0;
}

static void complain(struct settings_complaints *why, const char *text)
{
	if (why->n < SETTINGS_COMPLAINTS_MAX)
		IGNORE(str_copy(why->text[why->n++], sizeof(why->text[0]), text),
		       "an error's text is cut where it is made, to less than that");
}

/* uninstall is not for settings: it is written by who removes tandem, and then stands in tandem-cluster. */
static void complain_of_strange(const struct settings_map *m, struct settings_complaints *why)
{
	struct err e = {0};

	if (!m->first_strange && !m->uninstall)
		return;
	IGNORE(err_set(&e, ERR_CONFIG, 0, "%.64s: is no setting",
		       m->first_strange ? m->first_strange : SETTINGS_UNINSTALL),
	       "for its text");
	complain(why, e.msg);
}

void settings_merge(const struct settings_values *found, const struct settings_map *settings,
		    struct settings_values *out, struct settings_complaints *why)
{
	why->n = 0;
	for (int i = 0; i < SETTINGS_KEYS; i++) {
		const char *set = settings ? settings->values.v[i] : NULL;
		struct err e = {0};

		out->v[i] = NULL;
		if (set && settings_check((enum settings_key)i, set, &out->v[i], &e) < 0)
			complain(why, e.msg);
		if (!out->v[i])
			out->v[i] = xstrdup(found->v[i]);
	}
	if (settings)
		complain_of_strange(settings, why);
}

/* Settled by the object: a key that is not ours is taken out by its name. */
static void write_data(struct jw *w, const struct settings_values *want,
		       const struct settings_map *over)
{
	jw_kv_obj(w, "data");
	for (int i = 0; i < SETTINGS_KEYS; i++) {
		if (want->v[i] || (over && over->values.v[i]))
			jw_kv_str(w, keys[i].name, want->v[i]);
	}
	if (over && over->first_strange)
		jw_kv_str(w, over->first_strange, NULL);
	jw_end(w);
}

char *settings_map_text(const struct settings_values *want, const struct settings_map *over,
			const char *ns)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	struct jw w = jw_init(&body);

	if (over && !over->strange && settings_values_eq(want, &over->values))
		return NULL;
	if (over) {
		api_meta_begin_patch(&w, over->uid, over->version);
		jw_end(&w);
	} else {
		jw_obj(&w);
		jw_kv_str(&w, "apiVersion", "v1");
		jw_kv_str(&w, "kind", "ConfigMap");
		jw_kv_obj(&w, "metadata");
		jw_kv_str(&w, "name", SETTINGS_PUBLISHED);
		jw_kv_str(&w, "namespace", ns);
		jw_kv_obj(&w, "labels");
		jw_kv_str(&w, "app.kubernetes.io/name", "tandem");
		jw_end(&w);
		jw_end(&w);
	}
	write_data(&w, want, over);
	jw_end(&w);
	jw_finish(&w);
	return sb_take(&body);
}

/* ------------------------------------------------------------------------------- an answer */

bool settings_read_refusal(const char *text, struct ipam_nets *out)
{
	static const char lead[] = "range of valid IPs is ";
	const char *at = strstr(text, lead);
	char one[IP_NET_LEN] = "";
	struct ip_net net;
	size_t len;

	if (!at)
		return false;
	at += sizeof(lead) - 1;
	len = strspn(at, "0123456789abcdefABCDEF:./");
	/* The sentence may end there. */
	while (len && at[len - 1] == '.')
		len--;
	if (!len || len >= sizeof(one))
		return false;
	memcpy(one, at, len);
	if (ip_net_parse(one, &net) < 0)
		return false;
	ipam_nets_add(out, &net);
	return true;
}
