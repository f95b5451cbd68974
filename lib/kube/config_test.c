/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/kube/config.h"

#define PEM   "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
#define PEM64 "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBQUEKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="

static char dir[32];

static void put(const char *name, const char *text)
{
	AUTO(free) char *path = xasprintf("%s/%s", dir, name);
	struct err e = {0};

	assert_int_equal(io_replace_file(AT_FDCWD, path, 0600, text, strlen(text), &e), 0);
}

static int load(const char *text, struct kube_config **out, struct err *e)
{
	AUTO(free) char *path = xasprintf("%s/config", dir);

	put("config", text);
	return kube_config_load(path, out, e);
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/kube-config-XXXXXX");
	assert_non_null(mkdtemp(dir));
	put("ca.crt", PEM);
	put("tls.crt", PEM);
	put("tls.key", PEM);
	put("token", "file-token\n");
	put("junk", "junk\n");
	put("two-words", "a b\n");
	put("empty", "\n");
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"ca.crt",    "tls.crt", "tls.key",   "token", "junk",
					    "two-words", "empty",   "namespace", "config"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTO(free) char *path = xasprintf("%s/%s", dir, names[i]);

		unlink(path);
	}
	return rmdir(dir);
}

/* ------------------------------------------------------------------ good ones */

static void test_yaml(void **state)
{
	AUTO(kube_config_free) struct kube_config *c = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(load("apiVersion: v1\n"
			      "kind: Config\n"
			      "current-context: home\n"
			      "contexts:\n"
			      "- name: other\n"
			      "  context: {cluster: none, user: none}\n"
			      "- name: home\n"
			      "  context:\n"
			      "    cluster: c1\n"
			      "    user: u1\n"
			      "    namespace: apps\n"
			      "clusters:\n"
			      "- cluster:\n"
			      "    server: https://10.0.0.1:6443/\n"
			      "    certificate-authority: ca.crt\n"
			      "    tls-server-name: kubernetes\n"
			      "  name: c1\n"
			      "users:\n"
			      "- name: u1\n"
			      "  user:\n"
			      "    client-certificate: tls.crt\n"
			      "    client-key-data: " PEM64 "\n"
			      "    token: abc\n"
			      "    tokenFile: token\n",
			      &c, &e),
			 0);
	assert_string_equal(c->server, "https://10.0.0.1:6443");
	assert_string_equal(c->tls_server_name, "kubernetes");
	assert_string_equal(c->namespace, "apps");
	assert_string_equal(c->ca_pem, PEM);
	assert_string_equal(c->cert_pem, PEM);
	assert_string_equal(c->key_pem, PEM);
	assert_string_equal(c->token, "file-token");
	assert_int_equal(strncmp(c->token_file, dir, strlen(dir)), 0);
	assert_string_equal(c->token_file + strlen(dir), "/token");
	assert_false(c->insecure);
}

static void test_json(void **state)
{
	AUTO(kube_config_free) struct kube_config *c = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(
		load("{\"current-context\":\"a\",\"contexts\":[{\"name\":\"a\",\"context\":"
		     "{\"cluster\":\"b\",\"user\":\"\"}}],\n\t\"clusters\":[{\"name\":\"b\","
		     "\"cluster\":{\"server\":\"http://[::1]:8080/prefix\","
		     "\"insecure-skip-tls-verify\":true,\"certificate-authority-data\":\"\","
		     "\"proxy-url\":null}}]}",
		     &c, &e),
		0);
	assert_string_equal(c->server, "http://[::1]:8080/prefix");
	assert_true(c->insecure);
	assert_null(c->ca_pem);
	assert_null(c->token);
	assert_null(c->token_file);
	assert_null(c->namespace);
}

/* ------------------------------------------------------------------ bad ones */

#define HEAD       "current-context: a\ncontexts: [{name: a, context: {cluster: b, user: u}}]\n"
#define CLUSTER(x) HEAD "clusters: [{name: b, cluster: {" x "}}]\n"
#define USER(x)                                                          \
	HEAD "clusters: [{name: b, cluster: {server: \"https://s\"}}]\n" \
	     "users: [{name: u, user: {" x "}}]\n"

/* text, kind, message behind "kubeconfig: DIR/config: " (or the whole one behind "kubeconfig: ") */
static const struct {
	const char *text;
	enum err_kind kind;
	const char *msg;
} bad[] = {
	{"", ERR_CONFIG, "the file is empty"},
	{"- a\n", ERR_CONFIG, "not a mapping"},
	{"a: [b\n", ERR_DECODE, "line 2: not YAML: did not find expected ',' or ']'"},
	{"a: b\n", ERR_CONFIG, "current-context: missing"},
	{"current-context:\n", ERR_CONFIG, "current-context: missing"},
	{"current-context: [a]\n", ERR_CONFIG, "current-context: not a string"},
	{"current-context: a\ncurrent-context: b\n", ERR_CONFIG, "current-context: appears twice"},
	{"current-context: a\n", ERR_CONFIG, "contexts: no entry is named \"a\""},
	{"current-context: a\ncontexts: {}\n", ERR_CONFIG, "contexts: not a list"},
	{"current-context: a\ncontexts: [a]\n", ERR_CONFIG, "contexts: an entry is not a mapping"},
	{"current-context: a\ncontexts: [{name: a}]\n", ERR_CONFIG, "contexts[a].context: missing"},
	{"current-context: a\ncontexts: [{name: a, context: 1}]\n", ERR_CONFIG,
	 "contexts[a].context: not a mapping"},
	{"current-context: a\ncontexts: [{name: a, context: {user: u}}]\n", ERR_CONFIG,
	 "contexts[a].context.cluster: missing"},
	{HEAD, ERR_CONFIG, "clusters: no entry is named \"b\""},
	{CLUSTER(""), ERR_CONFIG, "clusters[b].cluster.server: missing"},
	{CLUSTER("server: \"10.0.0.1:6443\""), ERR_CONFIG,
	 "clusters[b].cluster.server: not an http or https URL"},
	{CLUSTER("server: \"https:///\""), ERR_CONFIG,
	 "clusters[b].cluster.server: not an http or https URL"},
	{CLUSTER("server: \"https://u@h\""), ERR_CONFIG,
	 "clusters[b].cluster.server: not an http or https URL"},
	{CLUSTER("server: \"https://h\\r\\nx\""), ERR_CONFIG,
	 "clusters[b].cluster.server: not an http or https URL"},
	{CLUSTER("server: \"https://s\", insecure-skip-tls-verify: perhaps"), ERR_CONFIG,
	 "clusters[b].cluster.insecure-skip-tls-verify: not true or false"},
	{CLUSTER("server: \"https://s\", proxy-url: \"http://p\""), ERR_UNSUPPORTED,
	 "clusters[b].cluster.proxy-url: not supported"},
	{CLUSTER("server: \"https://s\", tls-server-name: \"a/b\""), ERR_CONFIG,
	 "clusters[b].cluster.tls-server-name: not a host name"},
	{CLUSTER("server: \"https://s\", certificate-authority-data: \"%%%\""), ERR_DECODE,
	 "clusters[b].cluster.certificate-authority-data: not base64"},
	{CLUSTER("server: \"https://s\", certificate-authority-data: QUJDRA"), ERR_DECODE,
	 "clusters[b].cluster.certificate-authority-data: not base64"},
	{CLUSTER("server: \"https://s\", certificate-authority-data: QUJDRA=="), ERR_DECODE,
	 "clusters[b].cluster.certificate-authority-data: not PEM"},
	{CLUSTER("server: \"https://s\", certificate-authority: junk"), ERR_DECODE,
	 "clusters[b].cluster.certificate-authority: not PEM"},
	{CLUSTER("server: \"https://s\", certificate-authority: none.crt"), ERR_IO,
	 "clusters[b].cluster.certificate-authority: open DIR/none.crt: No such file or directory"},
	{CLUSTER("server: \"https://s\""), ERR_CONFIG, "users: no entry is named \"u\""},
	{USER("exec: {command: aws}"), ERR_UNSUPPORTED, "users[u].user.exec: not supported"},
	{USER("auth-provider: {name: gcp}"), ERR_UNSUPPORTED,
	 "users[u].user.auth-provider: not supported"},
	{USER("username: x, password: y"), ERR_UNSUPPORTED,
	 "users[u].user.username: not supported"},
	{USER("as: admin"), ERR_UNSUPPORTED, "users[u].user.as: not supported"},
	{USER("token: \"a b\""), ERR_CONFIG, "users[u].user.token: not a token"},
	{USER("token: \"a\\r\\nX: y\""), ERR_CONFIG, "users[u].user.token: not a token"},
	{USER("token: \"a\\0b\""), ERR_CONFIG, "users[u].user.token: not a string"},
	{USER("tokenFile: none"), ERR_IO,
	 "users[u].user.tokenFile: open DIR/none: No such file or directory"},
	{USER("tokenFile: two-words"), ERR_DECODE,
	 "users[u].user.tokenFile: DIR/two-words: not a token"},
	{USER("tokenFile: empty"), ERR_DECODE, "users[u].user.tokenFile: DIR/empty: not a token"},
	{USER("client-certificate: tls.crt"), ERR_CONFIG,
	 "users[u].user.client-key: missing beside client-certificate"},
	{USER("client-key: tls.key"), ERR_CONFIG,
	 "users[u].user.client-certificate: missing beside client-key"},
	{USER("client-certificate: tls.crt, client-key: junk"), ERR_DECODE,
	 "users[u].user.client-key: not PEM"},
};

/* Our folder's name in a text becomes DIR. */
static char *without_dir(const char *text)
{
	AUTO(sb_done) struct sb sb = SB_INIT;

	for (const char *p; (p = strstr(text, dir)); text = p + strlen(dir)) {
		sb_add(&sb, text, (size_t)(p - text));
		sb_puts(&sb, "DIR");
	}
	sb_puts(&sb, text);
	return sb_take(&sb);
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO(kube_config_free) struct kube_config *c = NULL;
		AUTO(free) char *want = xasprintf("kubeconfig: DIR/config: %s", bad[i].msg);
		AUTO(free) char *is = NULL;
		struct err e = {0};

		assert_int_equal(load(bad[i].text, &c, &e), -1);
		is = without_dir(e.msg);
		assert_string_equal(is, want);
		assert_int_equal(e.kind, bad[i].kind);
		assert_null(c);
	}
}

static void test_missing_file(void **state)
{
	struct kube_config *c = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(kube_config_load("/nowhere/config", &c, &e), -1);
	assert_int_equal(e.kind, ERR_IO);
	assert_string_equal(e.msg, "kubeconfig: open /nowhere/config: No such file or directory");
}

/* ------------------------------------------------------------------ in a pod */

static int in_cluster(const char *host, const char *port, struct kube_config **out, struct err *e)
{
	unsetenv("KUBERNETES_SERVICE_HOST");
	unsetenv("KUBERNETES_SERVICE_PORT");
	if (host)
		setenv("KUBERNETES_SERVICE_HOST", host, 1);
	if (port)
		setenv("KUBERNETES_SERVICE_PORT", port, 1);
	return kube_config_in_cluster_at(dir, out, e);
}

static void test_in_cluster(void **state)
{
	AUTO(kube_config_free) struct kube_config *v4 = NULL, *v6 = NULL, *named = NULL;
	struct err e = {0};

	(void)state;
	put("namespace", "kube-system\n");
	assert_int_equal(in_cluster("10.43.0.1", "443", &v4, &e), 0);
	assert_string_equal(v4->server, "https://10.43.0.1:443");
	assert_string_equal(v4->token, "file-token");
	assert_string_equal(v4->token_file + strlen(dir), "/token");
	assert_string_equal(v4->ca_pem, PEM);
	assert_string_equal(v4->namespace, "kube-system");
	assert_int_equal(in_cluster("fd00::1", "6443", &v6, &e), 0);
	assert_string_equal(v6->server, "https://[fd00::1]:6443");
	assert_int_equal(in_cluster("api.internal", "443", &named, &e), 0);
	assert_string_equal(named->server, "https://api.internal:443");
}

static void test_not_in_cluster(void **state)
{
	static const struct {
		const char *host, *port, *msg;
	} rows[] = {
		{NULL, "443", "in-cluster: KUBERNETES_SERVICE_HOST is not set"},
		{"10.0.0.1", NULL, "in-cluster: KUBERNETES_SERVICE_PORT is not set"},
		{"10.0.0.1", "https", "in-cluster: KUBERNETES_SERVICE_PORT: not a port"},
		{"10.0.0.1", "0", "in-cluster: KUBERNETES_SERVICE_PORT: not a port"},
		{"10.0.0.1", "65536", "in-cluster: KUBERNETES_SERVICE_PORT: not a port"},
		{"a/b", "443", "in-cluster: KUBERNETES_SERVICE_HOST: not a host"},
		{"u@h", "443", "in-cluster: KUBERNETES_SERVICE_HOST: not a host"},
		{"a:b", "443", "in-cluster: KUBERNETES_SERVICE_HOST: not a host"},
	};
	struct kube_config *c = NULL;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(in_cluster(rows[i].host, rows[i].port, &c, &e), -1);
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_string_equal(e.msg, rows[i].msg);
	}
	setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "443", 1);
	assert_int_equal(kube_config_in_cluster_at("/nowhere", &c, &e), -1);
	assert_int_equal(e.kind, ERR_IO);
	assert_string_equal(e.msg, "in-cluster: open /nowhere/token: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml),       cmocka_unit_test(test_json),
		cmocka_unit_test(test_bad),        cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_in_cluster), cmocka_unit_test(test_not_in_cluster),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
