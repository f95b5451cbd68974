/* SPDX-License-Identifier: Apache-2.0 */
/* Kubeconfigs as users have them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/kube/config.h"
#include "lib/kube/config_int.h"
#include "lib/kube/plugin.h"
#include "lib/kube/yaml.h"

struct open_files {
	struct yaml_tree *trees[KUBE_CONFIG_FILES_MAX];
	struct yaml_at roots[KUBE_CONFIG_FILES_MAX];
	size_t n;
};

static void open_files_done(struct open_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		yaml_tree_free(f->trees[i]);
}
DEFINE_AUTO_VALUE(struct open_files, open_files_done)

/* One more; one that may be absent is passed over, as is an empty one. */
static int open_one(struct open_files *f, const char *path, bool optional, struct err *e)
{
	AUTO(yaml_tree_free) struct yaml_tree *tree = NULL;
	AUTO(free) char *text = NULL;
	size_t len = 0;

	if (io_read_file(path, KUBE_CONFIG_FILE_MAX, &text, &len, e)) {
		if (!optional || e->num != ENOENT)
			return -1;
		err_clear(e);
		return 0;
	}
	if (optional && !len)
		return 0;
	if (f->n == KUBE_CONFIG_FILES_MAX)
		return err_set(e, ERR_CONFIG, 0, "KUBECONFIG names more than %d files",
			       KUBE_CONFIG_FILES_MAX);
	if (yaml_tree_load(path, text, len, &tree, e) || yaml_root(tree, &f->roots[f->n], e))
		return -1;
	f->trees[f->n++] = STEAL(tree);
	return 0;
}

static int open_list(struct open_files *f, const char *list, struct err *e)
{
	while (*list) {
		size_t n = strcspn(list, ":");
		AUTO(free) char *path = xstrndup(list, n);

		if (n && open_one(f, path, true, e))
			return -1;
		list += n + (list[n] == ':');
	}
	if (f->n)
		return 0;
	return err_set(e, ERR_CONFIG, 0, "none of the files in KUBECONFIG is there");
}

static int open_all(struct open_files *f, const struct kube_config_wish *wish, struct err *e)
{
	if (wish->file && *wish->file)
		return open_one(f, wish->file, false, e);
	if (wish->list && *wish->list)
		return open_list(f, wish->list, e);
	if (!wish->home || !*wish->home)
		return err_set(e, ERR_CONFIG, 0,
			       "neither --kubeconfig, KUBECONFIG nor HOME says where it is");
	AUTO(free) char *path = xasprintf("%s/.kube/config", wish->home);

	return open_one(f, path, false, e);
}

/* ------------------------------------------------------------------ whom to act as */

/* It becomes a header line. */
static bool is_line(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	}
	return true;
}

static int add_group(struct kube_config *c, const char *group, struct err *e)
{
	if (!is_line(group))
		return err_set(e, ERR_CONFIG, 0, "a group to act as has a control character");
	if (c->n_as_groups == KUBE_AS_GROUPS_MAX)
		return err_set(e, ERR_CONFIG, 0, "more than %d groups to act as",
			       KUBE_AS_GROUPS_MAX);
	c->as_groups = xreallocarray(c->as_groups, c->n_as_groups + 1, sizeof(*c->as_groups));
	c->as_groups[c->n_as_groups++] = xstrdup(group);
	return 0;
}

static int read_groups(const struct yaml_at *user, struct kube_config *c, struct err *e)
{
	for (size_t i = 0;; i++) {
		AUTO(free) char *group = NULL;
		int rc = yaml_word(user, "as-groups", i, &group, e);

		if (rc <= 0)
			return rc;
		if (add_group(c, group, e))
			return -1;
	}
}

static int read_as(const struct yaml_at *user, struct kube_config *c, struct err *e)
{
	if (yaml_string(user, "as", &c->as, e) < 0 ||
	    yaml_string(user, "as-uid", &c->as_uid, e) < 0 || read_groups(user, c, e))
		return -1;
	return 0;
}

static int wish_as(const struct kube_config_wish *wish, struct kube_config *c, struct err *e)
{
	free(c->as);
	free(c->as_uid);
	c->as = xstrdup(wish->as);
	c->as_uid = NULL;
	while (c->n_as_groups)
		free(c->as_groups[--c->n_as_groups]);
	for (size_t i = 0; i < wish->n_as_groups; i++) {
		if (add_group(c, wish->as_groups[i], e))
			return -1;
	}
	return 0;
}

static int check_as(const struct kube_config *c, struct err *e)
{
	if (!c->as && (c->as_uid || c->n_as_groups))
		return err_set(e, ERR_CONFIG, 0,
			       "groups or a UID to act as, and no user to act as");
	if ((c->as && (!*c->as || !is_line(c->as))) || (c->as_uid && !is_line(c->as_uid)))
		return err_set(e, ERR_CONFIG, 0, "the user to act as is not the name of one");
	return 0;
}

/* ------------------------------------------------------------------ the user */

static int ask_plugin(const struct yaml_at *user, const struct kube_config_wish *wish,
		      struct kube_config *c, struct err *e)
{
	AUTO(kube_credential_done) struct kube_credential got = {0};
	struct yaml_at exec;
	int rc = yaml_map(user, "exec", &exec, e);

	/* As in client-go a token that stands there counts, and nobody is asked. */
	if (rc <= 0 || c->token)
		return rc < 0 ? -1 : 0;
	if (kube_plugin_decode(&exec, c, wish->env, &c->plugin, e))
		return -1;
	if (!wish->run_plugins)
		return yaml_err(e, ERR_UNSUPPORTED, user, "exec",
				"this program runs no credential plugins");
	if (kube_plugin_run(c->plugin, clock_now_ms() + KUBE_PLUGIN_MS, &got, e))
		return -1;
	c->token = STEAL(got.token);
	if (got.cert_pem) {
		free(c->cert_pem);
		free(c->key_pem);
		c->cert_pem = STEAL(got.cert_pem);
		c->key_pem = STEAL(got.key_pem);
	}
	c->expires_s = got.expires_s;
	return 0;
}

static const char *variable(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; env && *env; env++) {
		if (!strncmp(*env, name, n) && (*env)[n] == '=' && (*env)[n + 1])
			return *env + n + 1;
	}
	return NULL;
}

/* What kubectl does where the kubeconfig has no proxy-url. */
static int proxy_of_env(char *const *env, struct kube_config *c, struct err *e)
{
	const char *url = variable(env, "HTTPS_PROXY"), *except = variable(env, "NO_PROXY");

	if (!url)
		url = variable(env, "https_proxy");
	if (!except)
		except = variable(env, "no_proxy");
	if (c->proxy_url || !url || !str_starts(c->server, "https://"))
		return 0;
	/* Go takes "proxy:3128" for an http URL. */
	c->proxy_url = strstr(url, "://") ? xstrdup(url) : xasprintf("http://%s", url);
	if (!kube_config_proxy_ok(c->proxy_url))
		return err_set(e, ERR_CONFIG, 0, "HTTPS_PROXY is not an http, https or socks5 URL");
	c->no_proxy =
		xasprintf("localhost,127.0.0.0/8,::1%s%s", except ? "," : "", except ? except : "");
	return 0;
}

static int load(const struct open_files *f, const struct kube_config_wish *wish,
		struct kube_config *c, struct err *e)
{
	struct kube_files files = {.roots = f->roots, .n = f->n, .of_user = true};
	const char *context = wish->context && *wish->context ? wish->context : NULL;
	struct yaml_at user;
	int rc = kube_config_read_files(&files, context, c, &user, e);

	if (rc < 0 || (rc && read_as(&user, c, e)))
		return -1;
	if (wish->as && wish_as(wish, c, e))
		return -1;
	if (check_as(c, e) || proxy_of_env(wish->env, c, e))
		return -1;
	return rc ? ask_plugin(&user, wish, c, e) : 0;
}

int kube_config_load_for(const struct kube_config_wish *wish, struct kube_config **out,
			 struct err *e)
{
	AUTO(kube_config_free) struct kube_config *c = xcalloc(1, sizeof(*c));
	AUTO(open_files_done) struct open_files f = {.n = 0};
	const struct io_limit limit = {clock_now_ms() + IO_READ_MS, -1};

	c->limit = &limit;
	if (open_all(&f, wish, e))
		return err_wrap(e, "kubeconfig");
	c->source = xstrdup(yaml_file(&f.roots[0]));
	if (load(&f, wish, c, e))
		return err_wrap(e, "kubeconfig");
	if (wish->namespace && *wish->namespace) {
		free(c->namespace);
		c->namespace = xstrdup(wish->namespace);
	}
	c->limit = NULL;
	*out = STEAL(c);
	return 0;
}
