/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/plugin.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/base64.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/kube/config.h"
#include "lib/kube/yaml.h"

#define GROUP "client.authentication.k8s.io/"

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

static char **copy_list(char *const *list)
{
	char **copy;
	size_t n = 0;

	while (list && list[n])
		n++;
	copy = xcalloc(n + 1, sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = xstrdup(list[i]);
	return copy;
}

void kube_plugin_free(struct kube_plugin *p)
{
	if (!p)
		return;
	free(p->where);
	free(p->api_version);
	free(p->command);
	free_list(p->argv);
	free_list(p->env);
	free(p->hint);
	free(p->cluster);
	free(p);
}

struct kube_plugin *kube_plugin_copy(const struct kube_plugin *p)
{
	struct kube_plugin *copy;

	if (!p)
		return NULL;
	copy = xcalloc(1, sizeof(*copy));
	*copy = (struct kube_plugin){
		.where = xstrdup(p->where),
		.api_version = xstrdup(p->api_version),
		.command = xstrdup(p->command),
		.argv = copy_list(p->argv),
		.env = copy_list(p->env),
		.hint = xstrdup(p->hint),
		.cluster = xstrdup(p->cluster),
		.around = p->around,
		.input = p->input,
	};
	return copy;
}

static void wipe(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

void kube_credential_done(struct kube_credential *c)
{
	wipe(c->token);
	free(c->cert_pem);
	wipe(c->key_pem);
	*c = (struct kube_credential){0};
}

/* ------------------------------------------------------------------ what the kubeconfig says */

static int decode_version(const struct yaml_at *exec, struct kube_plugin *p, struct err *e)
{
	int rc = yaml_string(exec, "apiVersion", &p->api_version, e);

	if (rc < 0)
		return -1;
	if (!rc || !*p->api_version)
		return yaml_err(e, ERR_CONFIG, exec, "apiVersion", "missing");
	if (!str_eq(p->api_version, GROUP "v1") && !str_eq(p->api_version, GROUP "v1beta1"))
		return yaml_err(e, ERR_UNSUPPORTED, exec, "apiVersion",
				"neither " GROUP "v1 nor " GROUP "v1beta1");
	return 0;
}

/* client-go resolves a command with a slash against the kubeconfig's folder, and leaves a bare name to PATH. */
static char *command_path(const struct yaml_at *exec, const char *command)
{
	const char *file = yaml_file(exec), *slash = strrchr(file, '/');

	if (command[0] == '/' || !strchr(command, '/') || !slash)
		return xstrdup(command);
	return xasprintf("%.*s/%s", (int)(slash - file), file, command);
}

static int decode_command(const struct yaml_at *exec, struct kube_plugin *p, struct err *e)
{
	AUTO(free) char *command = NULL;
	size_t n = 1;
	int rc = yaml_string(exec, "command", &command, e);

	if (rc < 0)
		return -1;
	if (!rc || !*command)
		return yaml_err(e, ERR_CONFIG, exec, "command", "missing");
	p->command = command_path(exec, command);
	p->argv = xcalloc(KUBE_PLUGIN_ARGS_MAX + 2, sizeof(*p->argv));
	p->argv[0] = xstrdup(p->command);
	while ((rc = yaml_word(exec, "args", n - 1, &p->argv[n], e)) > 0) {
		if (++n > KUBE_PLUGIN_ARGS_MAX)
			return yaml_err(e, ERR_CONFIG, exec, "args", "too many");
	}
	return rc;
}

static int decode_variable(const struct yaml_at *one, char **out, struct err *e)
{
	AUTO(free) char *name = NULL, *value = NULL;

	if (yaml_string(one, "name", &name, e) < 0 || yaml_string(one, "value", &value, e) < 0)
		return -1;
	if (!name || !*name || strchr(name, '='))
		return yaml_err(e, ERR_CONFIG, one, "name", "not the name of a variable");
	*out = xasprintf("%s=%s", name, value ? value : "");
	return 0;
}

static int decode_env(const struct yaml_at *exec, struct kube_plugin *p, struct err *e)
{
	struct yaml_at one;
	size_t n = 0;
	int rc;

	p->env = xcalloc(KUBE_PLUGIN_ARGS_MAX + 1, sizeof(*p->env));
	while ((rc = yaml_item(exec, "env", n, &one, e)) > 0) {
		if (n == KUBE_PLUGIN_ARGS_MAX)
			return yaml_err(e, ERR_CONFIG, exec, "env", "too many");
		if (decode_variable(&one, &p->env[n], e))
			return -1;
		n++;
	}
	return rc;
}

static int decode_input(const struct yaml_at *exec, struct kube_plugin *p, struct err *e)
{
	static const char *const words[] = {"Never", "IfAvailable", "Always"};
	AUTO(free) char *mode = NULL;
	int rc = yaml_string(exec, "interactiveMode", &mode, e);

	if (rc < 0)
		return -1;
	if (!rc || !*mode) {
		/* v1 has no default. */
		if (str_ends(p->api_version, "/v1"))
			return yaml_err(e, ERR_CONFIG, exec, "interactiveMode", "missing");
		p->input = KUBE_STDIN_IF_TERMINAL;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (str_eq(mode, words[i])) {
			p->input = (enum kube_plugin_stdin)i;
			return 0;
		}
	}
	return yaml_err(e, ERR_CONFIG, exec, "interactiveMode",
			"neither Never, IfAvailable nor Always");
}

static char *cluster_info(const struct kube_config *cfg)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	jw_obj(&w);
	jw_kv_str(&w, "server", cfg->server);
	jw_kv_opt(&w, "tls-server-name", cfg->tls_server_name);
	if (cfg->insecure)
		jw_kv_bool(&w, "insecure-skip-tls-verify", true);
	if (cfg->ca_pem) {
		AUTO(free) char *data = base64_encode(cfg->ca_pem, strlen(cfg->ca_pem));

		jw_kv_str(&w, "certificate-authority-data", data);
	}
	jw_kv_opt(&w, "proxy-url", cfg->proxy_url);
	jw_key(&w, "config");
	jw_null(&w);
	jw_end(&w);
	jw_finish(&w);
	return sb_take(&sb);
}

int kube_plugin_decode(const struct yaml_at *exec, const struct kube_config *cfg,
		       char *const *around, struct kube_plugin **out, struct err *e)
{
	AUTO(kube_plugin_free) struct kube_plugin *p = xcalloc(1, sizeof(*p));
	bool with_cluster = false;

	p->where = xasprintf("%s: %s", yaml_file(exec), exec->where);
	p->around = around;
	if (decode_version(exec, p, e) || decode_command(exec, p, e) || decode_env(exec, p, e) ||
	    decode_input(exec, p, e) || yaml_string(exec, "installHint", &p->hint, e) < 0 ||
	    yaml_bool(exec, "provideClusterInfo", &with_cluster, e) < 0)
		return -1;
	if (with_cluster)
		p->cluster = cluster_info(cfg);
	*out = STEAL(p);
	return 0;
}

/* ------------------------------------------------------------------ what it prints */

static int check_kind(const struct kube_plugin *p, const struct jval *root, struct err *e)
{
	const char *kind = "", *version = "";

	if (jneed_str(root, "kind", &kind, e) < 0 || jneed_str(root, "apiVersion", &version, e) < 0)
		return -1;
	if (!str_eq(kind, "ExecCredential"))
		return jerr(root, "kind", e, ERR_DECODE, "is not ExecCredential");
	if (!str_eq(version, p->api_version))
		return jerr(root, "apiVersion", e, ERR_CONFIG,
			    "is not %s, as the kubeconfig has it", p->api_version);
	return 0;
}

/* A bearer token goes into a header line: one printable word. */
static bool is_word(const char *s)
{
	for (; *s; s++) {
		if (*s <= ' ' || *s > '~')
			return false;
	}
	return true;
}

static int take_texts(const struct jval *status, struct kube_credential *c, struct err *e)
{
	const char *token = "", *cert = "", *key = "";

	if (jget_str(status, "token", &token, e) < 0 ||
	    jget_str(status, "clientCertificateData", &cert, e) < 0 ||
	    jget_str(status, "clientKeyData", &key, e) < 0)
		return -1;
	if (!*token && !*cert && !*key)
		return jerr(status, NULL, e, ERR_CONFIG, "has neither a token nor a certificate");
	if (!is_word(token))
		return jerr(status, "token", e, ERR_DECODE, "is not a token");
	if (!*cert != !*key)
		return jerr(status, *cert ? "clientKeyData" : "clientCertificateData", e,
			    ERR_CONFIG, "is missing beside the other");
	if (*cert && (!strstr(cert, "-----BEGIN ") || !strstr(key, "-----BEGIN ")))
		return jerr(status, "clientCertificateData", e, ERR_DECODE, "is not PEM");
	c->token = *token ? xstrdup(token) : NULL;
	c->cert_pem = *cert ? xstrdup(cert) : NULL;
	c->key_pem = *key ? xstrdup(key) : NULL;
	return 0;
}

int kube_credential_parse(const struct kube_plugin *p, const char *text, size_t len,
			  struct kube_credential *out, struct err *e)
{
	AUTO(kube_credential_done) struct kube_credential c = {0};
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	const char *until = "";
	struct jval root, status;

	if (jdoc_parse(p->command, text, len, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	if (jas_obj(&root, e) < 0 || check_kind(p, &root, e) < 0 ||
	    jneed_obj(&root, "status", &status, e) < 0 || take_texts(&status, &c, e) < 0 ||
	    jget_str(&status, "expirationTimestamp", &until, e) < 0)
		return -1;
	if (*until && clock_parse_rfc3339(until, &c.expires_s) < 0)
		return jerr(&status, "expirationTimestamp", e, ERR_DECODE, "is not a time");
	*out = c;
	c = (struct kube_credential){0};
	return 0;
}
