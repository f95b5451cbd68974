/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/base64.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/ip.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/kube/config_int.h"
#include "lib/kube/plugin.h"
#include "lib/kube/yaml.h"

#define FILE_MAX    ((size_t)1 << 20)
#define TOKEN_MAX   ((size_t)64 << 10)
#define ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

static void wipe(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

void kube_config_free(struct kube_config *c)
{
	if (!c)
		return;
	free(c->source);
	free(c->server);
	free(c->tls_server_name);
	free(c->ca_pem);
	free(c->cert_pem);
	wipe(c->key_pem);
	wipe(c->token);
	free(c->token_file);
	free(c->namespace);
	free(c->proxy_url);
	free(c->no_proxy);
	free(c->as);
	free(c->as_uid);
	for (size_t i = 0; i < c->n_as_groups; i++)
		free(c->as_groups[i]);
	free(c->as_groups);
	kube_plugin_free(c->plugin);
	free(c);
}

/* ------------------------------------------------------------------ what stands in the values */

/* A bearer token goes into a header line: one printable word. */
static bool token_is_clean(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s <= ' ' || *s > '~')
			return false;
	}
	return true;
}

int kube_config_read_token(const char *path, const struct io_limit *limit, char **out_token,
			   struct err *e)
{
	AUTO(free) char *text = NULL;
	size_t len = 0;

	if (io_read_file_by(path, TOKEN_MAX, limit, &text, &len, e))
		return -1;
	while (len && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	if (strlen(text) != len || !token_is_clean(text)) {
		explicit_bzero(text, len);
		return err_set(e, ERR_DECODE, 0, "%s: not a token", path);
	}
	*out_token = STEAL(text);
	return 0;
}

bool kube_config_proxy_ok(const char *url)
{
	static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};

	for (const char *p = url; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		if (str_starts(url, schemes[i]) && url[strlen(schemes[i])])
			return true;
	}
	return false;
}

/* Strip slashes at the end; -1 if it is not "http(s)://host..." without anything strange. */
static int clean_server(char *s)
{
	const char *host = str_starts(s, "https://")  ? s + 8
			   : str_starts(s, "http://") ? s + 7
						      : NULL;
	size_t len = strlen(s);

	if (!host || !*host || *host == '/')
		return -1;
	for (const char *p = host; *p; p++) {
		if (*p <= ' ' || *p > '~' || strchr("?#@\\\"", *p))
			return -1;
	}
	while (s[len - 1] == '/')
		s[--len] = '\0';
	return 0;
}

/* ------------------------------------------------------------------ kubeconfig */

/* A path in the file is relative to the file's own folder. */
static char *resolve(const char *config_path, const char *path)
{
	const char *slash = strrchr(config_path, '/');

	if (path[0] == '/' || !slash)
		return xstrdup(path);
	return xasprintf("%.*s/%s", (int)(slash - config_path), config_path, path);
}

static int read_pem(const struct kube_config *c, const struct yaml_at *in, const char *key,
		    const char *path, char **out, struct err *e)
{
	size_t len = 0;
	AUTO(free) char *text = NULL;

	if (io_read_file_by(path, FILE_MAX, c->limit, &text, &len, e))
		return err_wrap(e, "%s.%s", in->where, key);
	*out = STEAL(text);
	return 0;
}

/* "<key>-data" in base64, else the file that "<key>" names; both absent leaves *out alone. */
static int load_pem(const struct kube_config *c, const struct yaml_at *in, const char *key,
		    char **out, struct err *e)
{
	AUTO(free) char *data_key = xasprintf("%s-data", key);
	AUTO(free) char *data = NULL, *file = NULL, *pem = NULL;
	const char *used = key;

	if (yaml_string(in, data_key, &data, e) < 0 || yaml_string(in, key, &file, e) < 0)
		return -1;
	if (data && *data) {
		used = data_key;
		pem = base64_decode(data, NULL);
		explicit_bzero(data, strlen(data));
		if (!pem)
			return yaml_err(e, ERR_DECODE, in, data_key, "not base64");
	} else if (file && *file) {
		AUTO(free) char *path = resolve(yaml_file(in), file);

		if (read_pem(c, in, key, path, &pem, e))
			return err_wrap(e, "%s", yaml_file(in));
	} else {
		return 0;
	}
	if (!strstr(pem, "-----BEGIN "))
		return yaml_err(e, ERR_DECODE, in, used, "not PEM");
	*out = STEAL(pem);
	return 0;
}

static int refuse(const struct yaml_at *in, const char *const *keys, struct err *e)
{
	for (; *keys; keys++) {
		int rc = yaml_has(in, *keys, e);

		if (rc < 0)
			return -1;
		if (rc)
			return yaml_err(e, ERR_UNSUPPORTED, in, *keys, "not supported");
	}
	return 0;
}

/* A proxy's URL goes to curl, which takes more schemes than these. */
static int load_proxy(const struct yaml_at *cluster, struct kube_config *c, struct err *e)
{
	if (yaml_string(cluster, "proxy-url", &c->proxy_url, e) < 0)
		return -1;
	if (!c->proxy_url || kube_config_proxy_ok(c->proxy_url))
		return 0;
	return yaml_err(e, ERR_CONFIG, cluster, "proxy-url", "not an http, https or socks5 URL");
}

static int load_cluster(const struct yaml_at *cluster, bool of_user, struct kube_config *c,
			struct err *e)
{
	static const char *const unsupported[] = {"proxy-url", NULL};
	int rc = yaml_string(cluster, "server", &c->server, e);

	if (rc < 0)
		return -1;
	if (!rc)
		return yaml_err(e, ERR_CONFIG, cluster, "server", "missing");
	if (clean_server(c->server))
		return yaml_err(e, ERR_CONFIG, cluster, "server", "not an http or https URL");
	if (of_user ? load_proxy(cluster, c, e) : refuse(cluster, unsupported, e))
		return -1;
	if (yaml_bool(cluster, "insecure-skip-tls-verify", &c->insecure, e) < 0)
		return -1;
	if (yaml_string(cluster, "tls-server-name", &c->tls_server_name, e) < 0)
		return -1;
	if (c->tls_server_name && strpbrk(c->tls_server_name, "/:@?# "))
		return yaml_err(e, ERR_CONFIG, cluster, "tls-server-name", "not a host name");
	return load_pem(c, cluster, "certificate-authority", &c->ca_pem, e);
}

static int load_token(const struct yaml_at *user, struct kube_config *c, struct err *e)
{
	AUTO(free) char *file = NULL, *token = NULL;

	if (yaml_string(user, "tokenFile", &file, e) < 0 ||
	    yaml_string(user, "token", &token, e) < 0)
		return -1;
	/* As in client-go the file wins, since it is what gets renewed. */
	if (file && *file) {
		c->token_file = resolve(yaml_file(user), file);
		if (kube_config_read_token(c->token_file, c->limit, &c->token, e))
			return err_wrap(e, "%s: %s.tokenFile", yaml_file(user), user->where);
	} else if (token && *token) {
		if (!token_is_clean(token))
			return yaml_err(e, ERR_CONFIG, user, "token", "not a token");
		c->token = STEAL(token);
	}
	return 0;
}

static int load_user(const struct yaml_at *user, bool of_user, struct kube_config *c, struct err *e)
{
	static const char *const unsupported[] = {"auth-provider", "username", "password",
						  "as-user-extra", NULL};
	static const char *const users_only[] = {"exec", "as", "as-groups", "as-uid", NULL};

	if (refuse(user, unsupported, e) || (!of_user && refuse(user, users_only, e)) ||
	    load_token(user, c, e))
		return -1;
	if (load_pem(c, user, "client-certificate", &c->cert_pem, e) ||
	    load_pem(c, user, "client-key", &c->key_pem, e))
		return -1;
	if (c->cert_pem && !c->key_pem)
		return yaml_err(e, ERR_CONFIG, user, "client-key",
				"missing beside client-certificate");
	if (c->key_pem && !c->cert_pem)
		return yaml_err(e, ERR_CONFIG, user, "client-certificate",
				"missing beside client-key");
	return 0;
}

/* The mapping "inner" in the entry "name" of the list "list", in the first file that has one; -1 if there is none. */
static int entry(const struct kube_files *files, const char *const key[2], const char *name,
		 struct yaml_at *out, struct err *e)
{
	AUTO(free) char *text = NULL;
	struct yaml_at found;
	int rc = 0;

	for (size_t i = 0; i < files->n && !rc; i++)
		rc = yaml_named(&files->roots[i], key[0], name, &found, e);
	if (rc < 0)
		return -1;
	if (!rc) {
		text = xasprintf("no entry is named \"%s\"", name);
		return yaml_err(e, ERR_CONFIG, &files->roots[0], key[0], text);
	}
	rc = yaml_map(&found, key[1], out, e);
	if (!rc)
		return yaml_err(e, ERR_CONFIG, &found, key[1], "missing");
	return rc < 0 ? -1 : 0;
}

static int current_context(const struct kube_files *files, char **out, struct err *e)
{
	AUTO(free) char *current = NULL;

	for (size_t i = 0; i < files->n && (!current || !*current); i++) {
		free(STEAL(current));
		if (yaml_string(&files->roots[i], "current-context", &current, e) < 0)
			return -1;
	}
	if (!current || !*current)
		return yaml_err(e, ERR_CONFIG, &files->roots[0], "current-context", "missing");
	*out = STEAL(current);
	return 0;
}

int kube_config_read_files(const struct kube_files *files, const char *context_name,
			   struct kube_config *c, struct yaml_at *out_user, struct err *e)
{
	static const char *const contexts[2] = {"contexts", "context"};
	static const char *const clusters[2] = {"clusters", "cluster"};
	static const char *const users[2] = {"users", "user"};
	AUTO(free) char *current = xstrdup(context_name), *cluster_name = NULL, *user_name = NULL;
	struct yaml_at context, cluster;

	if (!current && current_context(files, &current, e))
		return -1;
	if (entry(files, contexts, current, &context, e) ||
	    yaml_string(&context, "cluster", &cluster_name, e) < 0 ||
	    yaml_string(&context, "user", &user_name, e) < 0 ||
	    yaml_string(&context, "namespace", &c->namespace, e) < 0)
		return -1;
	if (!cluster_name || !*cluster_name)
		return yaml_err(e, ERR_CONFIG, &context, "cluster", "missing");
	if (entry(files, clusters, cluster_name, &cluster, e) ||
	    load_cluster(&cluster, files->of_user, c, e))
		return -1;
	if (!user_name || !*user_name)
		return 0;
	if (entry(files, users, user_name, out_user, e))
		return -1;
	return load_user(out_user, files->of_user, c, e) ? -1 : 1;
}

int kube_config_load_by(const char *path, const struct io_limit *limit, struct kube_config **out,
			struct err *e)
{
	AUTO(kube_config_free) struct kube_config *c = xcalloc(1, sizeof(*c));
	AUTO(yaml_tree_free) struct yaml_tree *tree = NULL;
	AUTO(free) char *text = NULL;
	struct yaml_at root, user;
	struct kube_files files = {.roots = &root, .n = 1};
	size_t len = 0;

	c->source = xstrdup(path);
	c->limit = limit;
	if (io_read_file_by(path, FILE_MAX, limit, &text, &len, e))
		return err_wrap(e, "kubeconfig");
	if (yaml_tree_load(path, text, len, &tree, e) || yaml_root(tree, &root, e) ||
	    kube_config_read_files(&files, NULL, c, &user, e) < 0)
		return err_wrap(e, "kubeconfig");
	c->limit = NULL;
	*out = STEAL(c);
	return 0;
}

int kube_config_load(const char *path, struct kube_config **out, struct err *e)
{
	const struct io_limit limit = {clock_now_ms() + IO_READ_MS, -1};

	return kube_config_load_by(path, &limit, out, e);
}

/* Where distributions keep them; the first that is there. */
int kube_config_system_ca(char **out_pem, struct err *e)
{
	static const char *const places[] = {
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem",
		"/etc/ssl/cert.pem",
	};
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (io_read_file(places[i], FILE_MAX, out_pem, &len, e) == 0)
			return 0;
		if (e->num != ENOENT)
			return err_wrap(e, "the system's certificate authorities");
		err_clear(e);
	}
	return err_set(e, ERR_CONFIG, 0,
		       "no certificate-authority is given, and the system has none, neither %s nor "
		       "in the other places",
		       places[0]);
}

/* ------------------------------------------------------------------ in a pod */

static int account_file(const char *dir, const char *name, char **out, struct err *e)
{
	AUTO(free) char *path = xasprintf("%s/%s", dir, name);
	size_t len = 0;

	return io_read_file(path, FILE_MAX, out, &len, e);
}

static int pod_server(char **out, struct err *e)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	struct ip_addr addr;
	uint32_t number;

	if (!host || !*host)
		return err_set(e, ERR_CONFIG, 0, "in-cluster: KUBERNETES_SERVICE_HOST is not set");
	if (!port || !*port)
		return err_set(e, ERR_CONFIG, 0, "in-cluster: KUBERNETES_SERVICE_PORT is not set");
	if (parse_u32(port, 65535, &number) || !number)
		return err_set(e, ERR_CONFIG, 0, "in-cluster: KUBERNETES_SERVICE_PORT: not a port");
	bool is_ip = !ip_parse(host, &addr);
	bool v6 = is_ip && addr.family == AF_INET6;
	AUTO(free) char *server = xasprintf(v6 ? "https://[%s]:%u" : "https://%s:%u", host, number);

	if ((!is_ip && strpbrk(host, "/:[]")) || clean_server(server))
		return err_set(e, ERR_CONFIG, 0, "in-cluster: KUBERNETES_SERVICE_HOST: not a host");
	*out = STEAL(server);
	return 0;
}

int kube_config_in_cluster_at(const char *dir, struct kube_config **out, struct err *e)
{
	AUTO(kube_config_free) struct kube_config *c = xcalloc(1, sizeof(*c));
	const struct io_limit limit = {clock_now_ms() + IO_READ_MS, -1};
	struct err absent = {0};

	c->source = xstrdup("in-cluster");
	c->limit = &limit;
	if (pod_server(&c->server, e))
		return -1;
	c->token_file = xasprintf("%s/token", dir);
	if (kube_config_read_token(c->token_file, c->limit, &c->token, e) ||
	    account_file(dir, "ca.crt", &c->ca_pem, e))
		return err_wrap(e, "in-cluster");
	if (!strstr(c->ca_pem, "-----BEGIN "))
		return err_set(e, ERR_DECODE, 0, "in-cluster: %s/ca.crt: not PEM", dir);
	if (!account_file(dir, "namespace", &c->namespace, &absent))
		c->namespace[strcspn(c->namespace, " \t\r\n")] = '\0';
	c->limit = NULL;
	*out = STEAL(c);
	return 0;
}

int kube_config_in_cluster(struct kube_config **out, struct err *e)
{
	return kube_config_in_cluster_at(ACCOUNT_DIR, out, e);
}

int kube_config_of(const char *path, struct kube_config **out, struct err *e)
{
	return path ? kube_config_load(path, out, e) : kube_config_in_cluster(out, e);
}
