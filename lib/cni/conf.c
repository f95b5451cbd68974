/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cni/conf.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/cni/args.h"
#include "lib/json/jread.h"

#define DEFAULT_TYPE       "tandem"
#define DEFAULT_SOCKET     "/run/tandem/node.sock"
#define DEFAULT_SERVICES   "/sys/fs/bpf/tandem/v1"
#define DEFAULT_KUBECONFIG "/etc/cni/net.d/tandem.d/kubeconfig"
#define DEFAULT_MASTERS    "/etc/cni/net.d/tandem.d/masters.json"
#define DEFAULT_NAMESPACE  "kube-system"
#define DEFAULT_STATE_DIR  "/var/lib/cni/tandem"
#define DEFAULT_DEADLINE_S 25
#define MAX_DEADLINE_S     29 /* newer runtimes hold their CNI lock during ADD, 30 s is too long */
#define DEFAULT_LOG_FILE   "/var/log/tandem.log"
#define DEFAULT_LOG_LEVEL  "info"

void cni_conf_free(struct cni_conf *c)
{
	if (!c)
		return;
	free((char *)c->text.p);
	free(c->name);
	free(c->type);
	free(c->delegate_file);
	free(c->default_subnet);
	free(c->socket);
	free(c->services);
	free(c->kubeconfig);
	free(c->masters_file);
	free(c->cluster_cidr.v);
	free(c->service_cidr.v);
	free(c->via_primary.v);
	free(c->system_namespace);
	free(c->state_dir);
	free(c->log_file);
	free(c->log_level);
	free(c->log_note);
	free(c->nameservers.v);
	free(c);
}

static int read_text(const struct jval *root, const char *key, const char *fallback, char **out,
		     struct err *e)
{
	const char *s = fallback;

	if (jget_str(root, key, &s, e) < 0)
		return -1;
	*out = xstrdup(s);
	return 0;
}

static int read_path(const struct jval *root, const char *key, const char *fallback, char **out,
		     struct err *e)
{
	if (read_text(root, key, fallback, out, e) < 0)
		return -1;
	if (*out && **out != '/')
		return jerr(root, key, e, ERR_CONFIG, "must be an absolute path");
	return 0;
}

/* The two ways to the API server. */
static int read_api(const struct jval *root, struct cni_conf *c, struct err *e)
{
	const char *given;
	int rc = jget_str(root, "kubeconfig", &given, e);

	c->kubeconfig_given = rc > 0;
	if (rc < 0 || read_path(root, "socket", DEFAULT_SOCKET, &c->socket, e) < 0 ||
	    read_path(root, "servicePins", DEFAULT_SERVICES, &c->services, e) < 0)
		return -1;
	return read_path(root, "kubeconfig", DEFAULT_KUBECONFIG, &c->kubeconfig, e);
}

static int read_version(const struct jval *root, struct cni_conf *c, struct err *e)
{
	AUTO(free) char *known = NULL;
	const char *s = "";

	if (jget_str(root, "cniVersion", &s, e) < 0)
		return -1;
	/* Without one it is the oldest, by the spec. */
	if (!*s)
		s = cni_version_name(CNI_VERSION_OLDEST);
	if (cni_version_parse(s, &c->version) == 0)
		return 0;
	known = cni_version_list();
	return jerr(root, "cniVersion", e, ERR_VERSION, "\"%.32s\" is not one of %s", s, known);
}

static int read_name(const struct jval *root, struct cni_conf *c, struct err *e)
{
	if (read_text(root, "name", NULL, &c->name, e) < 0 ||
	    read_text(root, "type", DEFAULT_TYPE, &c->type, e) < 0)
		return -1;
	if (!c->name)
		return jerr(root, "name", e, ERR_CONFIG, "is missing");
	if (cni_name_check(c->name) < 0)
		return jerr(root, "name", e, ERR_CONFIG,
			    "\"%.64s\" is not a network name (letters, digits, '_', '.', '-')",
			    c->name);
	return 0;
}

/* One name or several, as the annotation has them; the first that fits the pod's node and has room counts. */
static int check_default_subnet(const struct jval *root, const char *list, struct err *e)
{
	if (str_eq(list, "none"))
		return jerr(
			root, "defaultSubnet", e, ERR_CONFIG,
			"none means a pod without a card, which would have no network here; name "
			"a MacvlanSubnet, or leave the key out");
	for (const char *at = list;;) {
		size_t n = strcspn(at, ","), from = strspn(at, " "), to = n;
		AUTO(free) char *name = NULL;

		while (to > from && at[to - 1] == ' ')
			to--;
		name = from < to ? xstrndup(at + from, to - from) : xstrdup("");
		if (cni_name_check(name) < 0 || str_eq(name, "none"))
			return jerr(root, "defaultSubnet", e, ERR_CONFIG,
				    "\"%.64s\" is not a name of a MacvlanSubnet", name);
		if (!at[n])
			return 0;
		at += n + 1;
	}
}

/* The word "none" in place of a conf: there is no primary. */
static int read_none(const struct jval *root, struct cni_conf *c, struct err *e)
{
	struct jval v = {0};
	int have = jget(root, "delegate", &v, e);

	if (have < 0 || jget_bool(root, "namespaceDefaults", &c->namespace_defaults, e) < 0 ||
	    read_text(root, "defaultSubnet", NULL, &c->default_subnet, e) < 0)
		return -1;
	c->no_primary = have && jis_str(&v);
	if (c->no_primary && !str_eq(jstr(&v), "none"))
		return jerr(root, "delegate", e, ERR_CONFIG,
			    "\"%.32s\" must be a conf, a conflist or none", jstr(&v));
	if (c->default_subnet && !c->no_primary)
		return jerr(root, "defaultSubnet", e, ERR_CONFIG, "needs delegate \"none\"");
	return c->default_subnet ? check_default_subnet(root, c->default_subnet, e) : 0;
}

static int read_delegate(const struct jval *root, struct cni_conf *c, struct err *e)
{
	struct jval v;
	int have = read_none(root, c, e);

	if (have == 0 && !c->no_primary)
		have = jget_obj(root, "delegate", &v, e);
	if (have < 0 || read_path(root, "delegateFile", NULL, &c->delegate_file, e) < 0)
		return -1;
	if ((have || c->no_primary) && c->delegate_file)
		return jerr(root, NULL, e, ERR_CONFIG,
			    "delegate and delegateFile exclude each other");
	if (!have && !c->delegate_file && !c->no_primary)
		return jerr(root, NULL, e, ERR_CONFIG, "delegate or delegateFile is needed");
	if (!have)
		return 0;
	jspan_find(c->text, "delegate", &c->delegate);
	if (cni_conf_nests(c->delegate, c->type))
		return jerr(root, "delegate", e, ERR_CONFIG, "runs \"%s\" again", c->type);
	return 0;
}

static void add_net(struct cni_nets *to, struct ip_net net)
{
	to->v = xreallocarray(to->v, to->n + 1, sizeof(*to->v));
	/* The kernel refuses a route whose host bits are set. */
	net.addr = ip_net_base(&net);
	to->v[to->n++] = net;
}

static int parse_net(const char *s, struct ip_net *out)
{
	struct ip_addr a;

	if (ip_net_parse(s, out) == 0)
		return 0;
	if (ip_parse(s, &a) < 0)
		return -1;
	*out = ip_net_host(&a);
	return 0;
}

/* "net, net" with optional blanks. */
static int add_nets(const struct jval *v, struct cni_nets *to, struct err *e)
{
	AUTO(free) char *copy = NULL;
	char *rest, *item;
	const char *s;
	struct ip_net net;

	if (jas_str(v, &s, e) < 0)
		return -1;
	if (!*s)
		return 0;
	copy = rest = xstrdup(s);
	while ((item = strsep(&rest, ","))) {
		item += strspn(item, " ");
		item[strcspn(item, " ")] = '\0';
		if (parse_net(item, &net) < 0)
			return jerr(v, NULL, e, ERR_CONFIG, "\"%.64s\" is not a network", item);
		add_net(to, net);
	}
	return 0;
}

/* A string with commas, or an array of such strings. */
static int read_nets(const struct jval *root, const char *key, struct cni_nets *to, struct err *e)
{
	struct jval v, item;
	struct jiter it;
	int rc = jget(root, key, &v, e);

	if (rc <= 0)
		return rc;
	if (!jis_arr(&v))
		return add_nets(&v, to, e);
	for (it = jiter_of(&v); jiter_next(&it, &item);) {
		if (add_nets(&item, to, e) < 0)
			return -1;
	}
	return 0;
}

/* It becomes part of URL paths, so it is a DNS label and nothing else. */
static int read_namespace(const struct jval *root, struct cni_conf *c, struct err *e)
{
	const char *s;
	size_t n;

	if (read_text(root, "systemNamespace", DEFAULT_NAMESPACE, &c->system_namespace, e) < 0)
		return -1;
	s = c->system_namespace;
	n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (n < 1 || n > 63 || s[n] || *s == '-' || s[n - 1] == '-')
		return jerr(root, "systemNamespace", e, ERR_CONFIG, "\"%.64s\" is not a namespace",
			    s);
	return 0;
}

static int read_deadline(const struct jval *root, struct cni_conf *c, struct err *e)
{
	int64_t s = DEFAULT_DEADLINE_S;

	if (jget_i64(root, "deadlineSeconds", JRANGE(INT64_MIN, INT64_MAX), &s, e) < 0)
		return -1;
	if (s < 1 || s > MAX_DEADLINE_S)
		return jerr(root, "deadlineSeconds", e, ERR_CONFIG, "must be from 1 to %d",
			    MAX_DEADLINE_S);
	c->deadline_s = (int)s;
	return 0;
}

static int read_legacy(const struct jval *root, struct cni_conf *c, struct err *e)
{
	const char *s = "off";

	if (jget_str(root, "legacyAnnotations", &s, e) < 0)
		return -1;
	if (!str_eq(s, "off") && !str_eq(s, "read"))
		return jerr(root, "legacyAnnotations", e, ERR_CONFIG, "must be off or read");
	c->legacy_annotations = str_eq(s, "read");
	return 0;
}

/* A pod must not fail for the sake of its log: what is wrong is noted and the default taken. */
static void read_log(const struct jval *root, struct cni_conf *c)
{
	const char *file = DEFAULT_LOG_FILE;
	const char *level = DEFAULT_LOG_LEVEL;
	const char *wrong = NULL;
	enum log_level ignored;
	struct err e = {0};

	if (jget_str(root, "logFile", &file, &e) < 0 || (*file && *file != '/')) {
		wrong = "logFile: must be an absolute path";
		file = DEFAULT_LOG_FILE;
	}
	if (jget_str(root, "logLevel", &level, &e) < 0 || log_level_parse(level, &ignored) < 0) {
		wrong = "logLevel: must be error, warn, info or debug";
		level = DEFAULT_LOG_LEVEL;
	}
	c->log_file = xstrdup(file);
	c->log_level = xstrdup(level);
	c->log_note = xstrdup(wrong);
}

/* The runtime's DNS servers; one that is no plain address (a zone, a name) is passed over. */
static int read_nameservers(const struct jval *runtime_config, struct cni_conf *c, struct err *e)
{
	struct jval dns = {0}, servers = {0}, item;
	struct jiter it;
	struct ip_addr a;

	if (jget_obj(runtime_config, "dns", &dns, e) < 0 ||
	    jget_arr(&dns, "servers", &servers, e) < 0)
		return -1;
	for (it = jiter_of(&servers); jiter_next(&it, &item);) {
		if (jstr(&item) && ip_parse(jstr(&item), &a) == 0)
			add_net(&c->nameservers, ip_net_host(&a));
	}
	return 0;
}

static int read_runtime_config(const struct jval *root, struct cni_conf *c, struct err *e)
{
	struct jspan found = {0};
	struct jval v;
	int rc = jget_obj(root, "runtimeConfig", &v, e);

	if (rc <= 0)
		return rc;
	jspan_find(c->text, "runtimeConfig", &c->runtime_config);
	if (read_nameservers(&v, c, e) < 0)
		return -1;
	if (!jspan_find(c->runtime_config, CNI_POD_ANNOTATIONS, &found))
		return 0;
	/* A pod without annotations is passed as null by some runtimes, as {} by others. */
	c->annotations_state = CNI_ANNOTATIONS_NULL;
	if (jspan_type(found) == JTYPE_NULL)
		return 0;
	if (jspan_type(found) != JTYPE_OBJECT)
		return jerr(&v, CNI_POD_ANNOTATIONS, e, ERR_DECODE, "must be an object");
	c->annotations_state = CNI_ANNOTATIONS_GIVEN;
	c->annotations = found;
	return 0;
}

/* Go writes a list without elements as null. The second name is that of before the spec settled. */
static int read_attachments(const struct jval *root, struct cni_conf *c, struct err *e)
{
	static const char *const keys[] = {"cni.dev/valid-attachments", "cni.dev/attachments"};
	struct jval v;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (jget_arr(root, keys[i], &v, e) < 0)
			return -1;
		if (!c->valid_attachments.p)
			jspan_find(c->text, keys[i], &c->valid_attachments);
	}
	return 0;
}

static int read_prev(const struct jval *root, struct cni_conf *c, struct err *e)
{
	struct jval v;
	int have = jget_obj(root, "prevResult", &v, e);

	if (have > 0)
		jspan_find(c->text, "prevResult", &c->prev_result);
	return have < 0 ? -1 : 0;
}

int cni_conf_parse(const char *what, const char *text, size_t len, struct cni_conf **out,
		   struct err *e)
{
	AUTO(cni_conf_free) struct cni_conf *c = NULL;
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root;

	if (len > CNI_CONF_MAX)
		return err_set(e, ERR_DECODE, 0, "%s: larger than %d bytes", what, CNI_CONF_MAX);
	/* The pod's annotations are in it. */
	if (jdoc_parse_odd(what, (struct jspan){text, len}, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	if (jas_obj(&root, e) < 0)
		return -1;
	c = xcalloc(1, sizeof(*c));
	c->text = (struct jspan){xmemdup(text, len), len};
	read_log(&root, c);
	if (read_version(&root, c, e) < 0 || read_name(&root, c, e) < 0 ||
	    read_delegate(&root, c, e) < 0 || read_api(&root, c, e) < 0 ||
	    read_path(&root, "mastersFile", DEFAULT_MASTERS, &c->masters_file, e) < 0 ||
	    read_nets(&root, "clusterCIDR", &c->cluster_cidr, e) < 0 ||
	    read_nets(&root, "serviceCIDR", &c->service_cidr, e) < 0 ||
	    read_nets(&root, "viaPrimary", &c->via_primary, e) < 0 ||
	    read_namespace(&root, c, e) < 0 || read_legacy(&root, c, e) < 0 ||
	    read_path(&root, "stateDir", DEFAULT_STATE_DIR, &c->state_dir, e) < 0 ||
	    read_deadline(&root, c, e) < 0 || read_runtime_config(&root, c, e) < 0 ||
	    read_prev(&root, c, e) < 0 || read_attachments(&root, c, e) < 0)
		return -1;
	*out = STEAL(c);
	return 0;
}

int cni_conf_annotation(const struct cni_conf *c, const char *key, char **out, struct err *e)
{
	struct jspan value;
	char *text;

	if (!jspan_find(c->annotations, key, &value))
		return 0;
	text = jspan_decode(value);
	if (!text)
		return err_set(e, ERR_DECODE, 0, "pod annotation %s: must be a string", key);
	*out = text;
	return 1;
}

static bool has_type(struct jspan plugin, const char *type)
{
	struct jspan value;

	return jspan_find_any(plugin, "type", &value) && jspan_is(value, type);
}

bool cni_conf_nests(struct jspan conf, const char *type)
{
	struct jspan plugins = {0};
	struct jspan plugin;
	struct jspan_iter it;

	if (has_type(conf, type))
		return true;
	jspan_find(conf, "plugins", &plugins);
	for (it = jspan_begin(plugins); jspan_next_element(&it, &plugin);) {
		if (has_type(plugin, type))
			return true;
	}
	return false;
}
