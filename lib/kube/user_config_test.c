/* SPDX-License-Identifier: Apache-2.0 */
/* What users' kubeconfigs have, and that no other program follows it. */
#include "lib/base/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/json/jwrite.h"
#include "lib/kube/certs_test.h"
#include "lib/kube/fake_test.h"
#include "lib/kube/plugin.h"

static char dir[32];

static char *at(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void put(const char *name, mode_t mode, const char *text)
{
	AUTO(free) char *path = at(name);
	struct err e = {0};

	assert_int_equal(io_replace_file(AT_FDCWD, path, mode, text, strlen(text), &e), 0);
}

static char *slurp(const char *name)
{
	AUTO(free) char *path = at(name);
	struct err e = {0};
	char *text = NULL;
	size_t len = 0;

	if (io_read_file(path, 65536, &text, &len, &e))
		return xstrdup("");
	return text;
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/kube-user-XXXXXX");
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"a",     "b",     "c",    "plugin",
					    "token", "asked", "cert", "empty"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTO(free) char *path = at(names[i]);

		unlink(path);
	}
	return rmdir(dir);
}

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

static char *const user_env[] = {(char *)"PATH=/usr/bin:/bin", (char *)"MINE=1", NULL};

static int load(const struct kube_config_wish *wish, struct kube_config **out, struct err *e)
{
	struct kube_config_wish w = *wish;

	if (!w.env)
		w.env = user_env;
	w.run_plugins = true;
	return kube_config_load_for(&w, out, e);
}

/* ------------------------------------------------------------------ several files */

#define CONTEXT(name, cluster, user)                                                            \
	"- {name: " name ", context: {cluster: " cluster ", user: " user ", namespace: n-" name \
	"}}\n"

static const char first[] =
	"current-context: \"\"\n"
	"contexts:\n" CONTEXT("one", "c", "u") "users: [{name: u, user: {tokenFile: token}}]\n";
static const char second[] =
	"current-context: two\n"
	"contexts:\n" CONTEXT("one", "never", "never")
		CONTEXT("two", "c",
			"u") "clusters: [{name: c, cluster: {server: \"https://second\"}}]\n"
			     "users: [{name: u, user: {token: never}}]\n";
static const char third[] = "current-context: one\n"
			    "clusters: [{name: c, cluster: {server: \"https://never\"}}]\n";

static void test_the_first_file_counts(void **state)
{
	AUTO(kube_config_free) struct kube_config *c = NULL, *d = NULL, *f = NULL;
	AUTO(free)
	char *list = xasprintf("%s/absent::%s/a:%s/empty:%s/b:%s/c", dir, dir, dir, dir, dir);
	AUTO(free) char *b = at("b");
	struct kube_config_wish wish = {.list = list, .home = "/nowhere"};
	struct err e = {0};

	(void)state;
	put("a", 0600, first);
	put("b", 0600, second);
	put("c", 0600, third);
	put("empty", 0600, "");
	put("token", 0600, "of-a\n");
	assert_int_equal(load(&wish, &c, &e), 0);
	assert_string_equal(c->namespace, "n-two");
	assert_string_equal(c->server, "https://second");
	assert_string_equal(c->token, "of-a");
	wish.context = "one";
	wish.namespace = "mine";
	assert_int_equal(load(&wish, &d, &e), 0);
	assert_string_equal(d->namespace, "mine");
	assert_string_equal(d->server, "https://second");
	/* --kubeconfig is that file alone. */
	wish = (struct kube_config_wish){.list = list, .file = b};
	assert_int_equal(load(&wish, &f, &e), 0);
	assert_string_equal(f->token, "never");
}

static void test_where_it_is(void **state)
{
	AUTO(kube_config_free) struct kube_config *c = NULL;
	struct kube_config_wish wish = {.list = "/nowhere/a:/nowhere/b"};
	struct err e = {0};

	(void)state;
	assert_int_equal(load(&wish, &c, &e), -1);
	assert_string_equal(e.msg, "kubeconfig: none of the files in KUBECONFIG is there");
	wish = (struct kube_config_wish){.file = "/nowhere/a"};
	assert_int_equal(load(&wish, &c, &e), -1);
	assert_string_equal(e.msg, "kubeconfig: open /nowhere/a: No such file or directory");
	wish = (struct kube_config_wish){.home = "/nowhere"};
	assert_int_equal(load(&wish, &c, &e), -1);
	assert_string_equal(e.msg,
			    "kubeconfig: open /nowhere/.kube/config: No such file or directory");
	wish = (struct kube_config_wish){.home = ""};
	assert_int_equal(load(&wish, &c, &e), -1);
	assert_string_equal(
		e.msg, "kubeconfig: neither --kubeconfig, KUBECONFIG nor HOME says where it is");
	assert_null(c);
}

/* ------------------------------------------------------------------ exec */

#define HEAD                                                                          \
	"current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n" \
	"clusters: [{name: c, cluster: {server: \"https://s\"}}]\nusers: [{name: u, user: {"
#define USER(x) HEAD x "}}]\n"
#define EXEC(more)                                                                     \
	HEAD "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, " \
	     "interactiveMode: Never" more "}}}]\n"
#define BETA(more)                                                                             \
	HEAD "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./plugin" more \
	     "}}}]\n"
#define PRINTS(version, status)                                                                     \
	"#!/bin/sh\n"                                                                               \
	"echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/" version \
	"\",\"status\":" status "}'\n"

static int load_a(const char *text, struct kube_config **out, struct err *e)
{
	AUTO(free) char *path = at("a");
	struct kube_config_wish wish = {.file = path};

	put("a", 0600, text);
	return load(&wish, out, e);
}

static void test_a_plugin_gives_the_token(void **state)
{
	AUTO(kube_config_free) struct kube_config *c = NULL, *kept = NULL;
	AUTO(free) char *asked = NULL;
	struct err e = {0};

	(void)state;
	put("plugin", 0700,
	    "#!/bin/sh\n"
	    "{ echo \"$MINE $NAME $1 $2\"; echo \"$KUBERNETES_EXEC_INFO\"; } >\"${0%/*}/asked\"\n"
	    "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\","
	    "\"status\":{\"token\":\"abc\",\"expirationTimestamp\":\"2036-01-01T00:00:00Z\"}}'\n");
	assert_int_equal(load_a(EXEC(", args: [get, token], provideClusterInfo: true, "
				     "env: [{name: NAME, value: v}, {name: MINE, value: \"2\"}]"),
				&c, &e),
			 0);
	assert_string_equal(c->token, "abc");
	assert_int_equal(c->expires_s, 2082758400);
	asked = slurp("asked");
	assert_string_equal(
		asked,
		"2 v get token\n"
		"{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\","
		"\"spec\":{\"cluster\":{\"server\":\"https://s\",\"config\":null},"
		"\"interactive\":false}}\n");
	/* Nobody is asked where a token stands. */
	put("asked", 0600, "not asked");
	assert_int_equal(load_a(USER("token: mine, exec: {apiVersion: x, command: ./plugin}"),
				&kept, &e),
			 0);
	assert_string_equal(kept->token, "mine");
	free(asked);
	asked = slurp("asked");
	assert_string_equal(asked, "not asked");
}

static void test_a_plugin_gives_a_certificate(void **state)
{
	AUTO(kube_config_free) struct kube_config *c = NULL;
	struct err e = {0};

	(void)state;
	put("plugin", 0700,
	    PRINTS("v1beta1", "{\"clientCertificateData\":\"-----BEGIN CERT\",\"clientKeyData\":"
			      "\"-----BEGIN KEY\"}"));
	assert_int_equal(load_a(BETA(""), &c, &e), 0);
	assert_null(c->token);
	assert_string_equal(c->cert_pem, "-----BEGIN CERT");
	assert_string_equal(c->key_pem, "-----BEGIN KEY");
	assert_int_equal(c->expires_s, 0);
}

#define X  "users[u].user.exec"
#define DX "DIR/a: " X
#define P  DX ": credential plugin DIR/./plugin: "
#define PD P "DIR/./plugin: "

/* kubeconfig, plugin (NULL = there is none), kind, message behind "kubeconfig: " */
static const struct {
	const char *config, *plugin;
	enum err_kind kind;
	const char *msg;
} bad[] = {
	{USER("exec: x"), NULL, ERR_CONFIG, "DIR/a: users[u].user.exec: not a mapping"},
	{USER("exec: {command: x}"), NULL, ERR_CONFIG, DX ".apiVersion: missing"},
	{USER("exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}"), NULL,
	 ERR_UNSUPPORTED,
	 DX ".apiVersion: neither client.authentication.k8s.io/v1 nor "
	    "client.authentication.k8s.io/v1beta1"},
	{USER("exec: {apiVersion: client.authentication.k8s.io/v1}"), NULL, ERR_CONFIG,
	 DX ".command: missing"},
	{USER("exec: {apiVersion: client.authentication.k8s.io/v1, command: x}"), NULL, ERR_CONFIG,
	 DX ".interactiveMode: missing"},
	{BETA(", interactiveMode: never"), NULL, ERR_CONFIG,
	 DX ".interactiveMode: neither Never, IfAvailable nor Always"},
	{EXEC(", args: x"), NULL, ERR_CONFIG, DX ".args: not a list"},
	{EXEC(", args: [[x]]"), NULL, ERR_CONFIG, DX ".args: an entry is not a string"},
	{EXEC(", env: [x]"), NULL, ERR_CONFIG, DX ".env: an entry is not a mapping"},
	{EXEC(", env: [{name: a=b}]"), NULL, ERR_CONFIG,
	 DX ".env.name: not the name of a variable"},
	{EXEC(", installHint: \"see example.org\""), NULL, ERR_NOT_FOUND,
	 DX ": the credential plugin DIR/./plugin is not installed: see example.org"},
	{USER("exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin, "
	      "interactiveMode: Never}"),
	 NULL, ERR_NOT_FOUND, DX ": the credential plugin no-such-plugin is not installed"},
	{USER("exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, "
	      "interactiveMode: Always}"),
	 "#!/bin/sh\n", ERR_CONFIG,
	 DX
	 ": DIR/./plugin wants to ask its user (interactiveMode: Always), and standard input is no "
	 "terminal"},
	{EXEC(""), "#!/bin/sh\nexit 3\n", ERR_DELEGATE, P "it ended with status 3"},
	{EXEC(""), "#!/bin/sh\nkill -9 $$\n", ERR_DELEGATE, P "it was ended by signal 9"},
	{EXEC(""), "#!/bin/sh\necho hello\n", ERR_DECODE, PD "no JSON value at byte 0"},
	{EXEC(""), "#!/bin/sh\nhead -c 2000000 /dev/zero\n", ERR_DECODE,
	 P "it prints more than 1048576 bytes"},
	{EXEC(""), PRINTS("v1beta1", "{}"), ERR_CONFIG,
	 PD "apiVersion: is not client.authentication.k8s.io/v1, as the kubeconfig has it"},
	{EXEC(""), PRINTS("v1", "{}"), ERR_CONFIG,
	 PD "status: has neither a token nor a certificate"},
	{EXEC(""), PRINTS("v1", "null"), ERR_DECODE, PD "status: is missing"},
	{EXEC(""), PRINTS("v1", "{\"token\":\"a b\"}"), ERR_DECODE,
	 PD "status.token: is not a token"},
	{EXEC(""), PRINTS("v1", "{\"clientKeyData\":\"-----BEGIN KEY\"}"), ERR_CONFIG,
	 PD "status.clientCertificateData: is missing beside the other"},
	{EXEC(""), PRINTS("v1", "{\"clientKeyData\":\"x\",\"clientCertificateData\":\"y\"}"),
	 ERR_DECODE, PD "status.clientCertificateData: is not PEM"},
	{EXEC(""), PRINTS("v1", "{\"token\":\"a\",\"expirationTimestamp\":\"soon\"}"), ERR_DECODE,
	 PD "status.expirationTimestamp: is not a time"},
	{USER("as-groups: [g]"), NULL, ERR_CONFIG,
	 "groups or a UID to act as, and no user to act as"},
	{USER("as: \"a\\nX: y\""), NULL, ERR_CONFIG, "the user to act as is not the name of one"},
	{USER("as: a, as-groups: [\"g\\r\\nX: y\"]"), NULL, ERR_CONFIG,
	 "a group to act as has a control character"},
	{USER("as-user-extra: {a: [b]}"), NULL, ERR_UNSUPPORTED,
	 "DIR/a: users[u].user.as-user-extra: not supported"},
};

static void test_bad(void **state)
{
	AUTO(free) char *plugin = at("plugin");
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(dup2(null, STDIN_FILENO), STDIN_FILENO);
	close(null);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO(kube_config_free) struct kube_config *c = NULL;
		AUTO(free) char *want = xasprintf("kubeconfig: %s", bad[i].msg);
		AUTO(free) char *is = NULL;
		struct err e = {0};

		unlink(plugin);
		if (bad[i].plugin)
			put("plugin", 0700, bad[i].plugin);
		assert_int_equal(load_a(bad[i].config, &c, &e), -1);
		is = without_dir(e.msg);
		assert_string_equal(is, want);
		assert_int_equal(e.kind, bad[i].kind);
		assert_null(c);
	}
}

static void test_a_silent_plugin_is_killed(void **state)
{
	AUTO(kube_config_free) struct kube_config *c = NULL;
	AUTO(kube_credential_done) struct kube_credential got = {0};
	struct err e = {0};

	(void)state;
	put("plugin", 0700, PRINTS("v1", "{\"token\":\"a\"}"));
	assert_int_equal(load_a(EXEC(""), &c, &e), 0);
	put("plugin", 0700, "#!/bin/sh\nexec sleep 1000\n");
	assert_int_equal(kube_plugin_run(c->plugin, in_ms(100), &got, &e), -1);
	assert_int_equal(e.kind, ERR_TIMEOUT);
	assert_non_null(strstr(e.msg, "it did not end in time and was killed"));
}

/* The loader of the daemons and of the plugin: nothing is run, whatever stands there. */
static void test_others_run_nothing(void **state)
{
	AUTO(kube_config_free) struct kube_config *c = NULL;
	AUTO(free) char *path = at("a"), *asked = NULL;
	struct kube_config_wish wish = {.file = path};
	struct err e = {0};

	(void)state;
	put("asked", 0600, "not asked");
	put("plugin", 0700, "#!/bin/sh\necho asked >\"${0%/*}/asked\"\n");
	put("a", 0600, EXEC(""));
	assert_int_equal(kube_config_load(path, &c, &e), -1);
	assert_int_equal(e.kind, ERR_UNSUPPORTED);
	assert_string_equal(e.msg + strlen("kubeconfig: ") + strlen(path),
			    ": users[u].user.exec: not supported");
	/* Nor by the users' loader, unless it is told to. */
	assert_int_equal(kube_config_load_for(&wish, &c, &e), -1);
	assert_int_equal(e.kind, ERR_UNSUPPORTED);
	assert_string_equal(e.msg + strlen("kubeconfig: ") + strlen(path),
			    ": users[u].user.exec: this program runs no credential plugins");
	asked = slurp("asked");
	assert_string_equal(asked, "not asked");
}

/* ------------------------------------------------------------------ on the wire */

static void test_headers(void **state)
{
	AUTO(kube_config_free) struct kube_config *c = NULL, *other = NULL;
	AUTO(free) char *path = at("a");
	const char *const groups[] = {"g"};
	struct kube_config_wish wish = {
		.file = path, .as = "eve", .as_groups = groups, .n_as_groups = 1};
	struct fake_reply replies[] = {{.body = "1", .keep = true}};
	struct fake fake = {.replies = replies, .n_replies = 1};
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	struct kube_request req = kube_request_get("/a", NULL, 0);
	struct kube_client *client = NULL;
	struct err e = {0};

	(void)state;
	fake_start(&fake);
	AUTO(free)
	char *text = xasprintf("current-context: x\n"
			       "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
			       "clusters: [{name: c, cluster: {server: \"http://api.example:1\", "
			       "proxy-url: \"http://127.0.0.1:%d\"}}]\n"
			       "users: [{name: u, user: {token: t, as: ann, as-uid: \"7\", "
			       "as-groups: [dev, ops]}}]\n",
			       fake.port);
	assert_int_equal(load_a(text, &c, &e), 0);
	assert_int_equal(kube_client_new(c, NULL, &client, &e), 0);
	assert_int_equal(kube_do(client, &req, &res, &e), 0);
	/* Through the proxy, to a name that nobody here knows. */
	assert_int_equal(fake_count(&fake, "GET http://api.example:1/a HTTP/1.1\r\n"), 1);
	assert_int_equal(fake_count(&fake, "Authorization: Bearer t\r\n"), 1);
	assert_int_equal(fake_count(&fake, "\r\nImpersonate-User: ann\r\nImpersonate-Uid: 7\r\n"
					   "Impersonate-Group: dev\r\nImpersonate-Group: ops\r\n"),
			 1);
	kube_client_free(client);
	/* --as takes the place of all three. */
	assert_int_equal(load(&wish, &other, &e), 0);
	assert_int_equal(kube_client_new(other, NULL, &client, &e), 0);
	assert_int_equal(kube_do(client, &req, &res, &e), 0);
	assert_int_equal(fake_count(&fake, "\r\nImpersonate-User: eve\r\nImpersonate-Group: g\r\n"),
			 1);
	assert_int_equal(fake_count(&fake, "Impersonate-Uid"), 1);
	kube_client_free(client);
	fake_stop(&fake);
}

static void test_proxy_of_the_environment(void **state)
{
	static char *const env[] = {(char *)"HTTPS_PROXY=proxy:3128", (char *)"NO_PROXY=.lan",
				    NULL};
	AUTO(kube_config_free) struct kube_config *c = NULL, *none = NULL;
	AUTO(free) char *path = at("a");
	struct kube_config_wish wish = {.file = path, .env = env};
	struct err e = {0};

	(void)state;
	put("a", 0600, USER("token: t"));
	assert_int_equal(load(&wish, &c, &e), 0);
	assert_string_equal(c->proxy_url, "http://proxy:3128");
	assert_string_equal(c->no_proxy, "localhost,127.0.0.0/8,::1,.lan");
	wish.env = NULL;
	assert_int_equal(load(&wish, &none, &e), 0);
	assert_null(none->proxy_url);
}

/* Refused once, or about to end: the plugin is asked again, and not more often. */
static void test_a_plugin_is_asked_again(void **state)
{
	AUTO(kube_config_free) struct kube_config *c = NULL;
	AUTO(free) char *asked = NULL;
	struct fake_reply replies[] = {
		{.body = "1"}, {.status = 401}, {.body = "2"}, {.body = "3"}};
	struct fake fake = {.replies = replies, .n_replies = ARRAY_SIZE(replies)};
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	struct kube_request req = kube_request_get("/a", NULL, 0);
	struct kube_client *client = NULL;
	struct err e = {0};

	(void)state;
	put("asked", 0600, "");
	put("plugin", 0700,
	    "#!/bin/sh\n"
	    "echo x >>\"${0%/*}/asked\"\n"
	    "n=$(wc -l <\"${0%/*}/asked\")\n"
	    "[ $n -gt 2 ] && end=2036-01-01T00:00:00Z || end=2036-01-01T00:00:00Z\n"
	    "[ $n -eq 2 ] && end=2006-01-01T00:00:00Z\n"
	    "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\","
	    "\"status\":{\"token\":\"t'$n'\",\"expirationTimestamp\":\"'$end'\"}}'\n");
	assert_int_equal(load_a(EXEC(""), &c, &e), 0);
	fake_start(&fake);
	free(c->server);
	c->server = xasprintf("http://127.0.0.1:%d", fake.port);
	assert_int_equal(kube_client_new(c, NULL, &client, &e), 0);
	for (int i = 0; i < 3; i++) {
		req.deadline_ms = in_ms(20000);
		assert_int_equal(kube_do(client, &req, &res, &e), 0);
	}
	assert_int_equal(fake_count(&fake, "Bearer t1\r\n"), 2);
	/* What the second one gave was over at once, so its request went with a third. */
	assert_int_equal(fake_count(&fake, "Bearer t2\r\n"), 0);
	assert_int_equal(fake_count(&fake, "Bearer t3\r\n"), 2);
	asked = slurp("asked");
	assert_string_equal(asked, "x\nx\nx\n");
	kube_client_free(client);
	fake_stop(&fake);
}

/* A certificate of a plugin's is what the server sees. */
static void test_a_certificate_on_the_wire(void **state)
{
	AUTO(kube_config_free) struct kube_config *c = NULL;
	struct test_cert ca = test_cert_make(NULL, NULL, "ca", NULL);
	struct test_cert server = test_cert_make(&ca, NULL, "server", "IP:127.0.0.1");
	struct test_cert user = test_cert_make(&ca, "group", "user", NULL);
	struct fake_reply replies[] = {{.body = "1"}};
	struct fake fake = {
		.replies = replies, .n_replies = 1, .tls = SSL_CTX_new(TLS_server_method())};
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	struct kube_request req = kube_request_get("/a", NULL, in_ms(20000));
	AUTO(sb_done) struct sb json = SB_INIT;
	struct kube_client *client = NULL;
	struct err e = {0};

	(void)state;
	SSL_CTX_use_certificate(fake.tls, server.cert);
	SSL_CTX_use_PrivateKey(fake.tls, server.key);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(fake.tls), ca.cert);
	SSL_CTX_set_session_id_context(fake.tls, (const unsigned char *)"t", 1);
	SSL_CTX_set_verify(fake.tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	struct jw w = jw_init(&json);
	jw_obj(&w);
	jw_kv_str(&w, "kind", "ExecCredential");
	jw_kv_str(&w, "apiVersion", "client.authentication.k8s.io/v1");
	jw_kv_obj(&w, "status");
	jw_kv_str(&w, "clientCertificateData", user.cert_pem);
	jw_kv_str(&w, "clientKeyData", user.key_pem);
	jw_end(&w);
	jw_end(&w);
	put("cert", 0600, sb_get(&json));
	put("plugin", 0700, "#!/bin/sh\ncat \"${0%/*}/cert\"\n");
	assert_int_equal(load_a(EXEC(""), &c, &e), 0);
	fake_start(&fake);
	free(c->server);
	c->server = xasprintf("https://127.0.0.1:%d", fake.port);
	c->ca_pem = xstrdup(ca.cert_pem);
	assert_int_equal(kube_client_new(c, NULL, &client, &e), 0);
	assert_int_equal(kube_do(client, &req, &res, &e), 0);
	assert_string_equal(res.body, "1");
	kube_client_free(client);
	fake_stop(&fake);
	SSL_CTX_free(fake.tls);
	test_cert_done(&ca);
	test_cert_done(&server);
	test_cert_done(&user);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_file_counts),
		cmocka_unit_test(test_where_it_is),
		cmocka_unit_test(test_a_plugin_gives_the_token),
		cmocka_unit_test(test_a_plugin_gives_a_certificate),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_a_silent_plugin_is_killed),
		cmocka_unit_test(test_others_run_nothing),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_proxy_of_the_environment),
		cmocka_unit_test(test_a_plugin_is_asked_again),
		cmocka_unit_test(test_a_certificate_on_the_wire),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
