/* SPDX-License-Identifier: Apache-2.0 */
/* A real etcd and kube-apiserver on loopback for real_test.c, with certificates of their own. */
#ifndef LIB_KUBE_REAL_TEST_H
#define LIB_KUBE_REAL_TEST_H

#include "lib/base/test.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/io.h"
#include "lib/kube/certs_test.h"
#include "lib/kube/fake_test.h"

struct real {
	char dir[40];
	char *apiserver; /* the binary */
	int etcd_port, peer_port, port;
	pid_t etcd_pid, api_pid;
	struct test_cert ca, server, admin, nobody;
	struct kube_client *client; /* of the admin */
	struct kube_response res;
	struct err e;
};

/* ------------------------------------------------------------------ the two servers */

static char *find_apiserver(void)
{
	const char *bin = getenv("TANDEM_KUBE_BIN"), *cache = getenv("TANDEM_CACHE");
	AUTO(free) char *pattern = NULL;
	struct stat st, best = {0};
	char *found = NULL;
	glob_t g = {0};

	pattern = bin ? xasprintf("%s/kube-apiserver", bin)
		      : xasprintf("%s/kubernetes-*/bin/kube-apiserver",
				  cache ? cache : "/var/cache/tandem");
	if (!glob(pattern, 0, NULL, &g)) {
		for (size_t i = 0; i < g.gl_pathc; i++) {
			if (stat(g.gl_pathv[i], &st) || (found && st.st_mtime < best.st_mtime))
				continue;
			best = st;
			free(found);
			found = xstrdup(g.gl_pathv[i]);
		}
	}
	globfree(&g);
	return found;
}

static int free_port(void)
{
	struct fake f = {0};

	fake_listen(&f);
	close(f.listener);
	return f.port;
}

static char *put(struct real *r, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", r->dir, name);

	assert_int_equal(io_replace_file(AT_FDCWD, path, 0600, text, strlen(text), &r->e), 0);
	return path;
}

/* A child that ends with us; its output goes to a file in our folder. */
static pid_t spawn(struct real *r, const char *log, char *const *argv)
{
	AUTO(free) char *path = xasprintf("%s/%s.log", r->dir, log);
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	dup2(fd, 1);
	dup2(fd, 2);
	execvp(argv[0], argv);
	_exit(127);
}

static void stop(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static void start_etcd(struct real *r)
{
	AUTO(free) char *data = xasprintf("--data-dir=%s/etcd", r->dir);
	AUTO(free) char *url = xasprintf("http://127.0.0.1:%d", r->etcd_port);
	AUTO(free) char *peer = xasprintf("http://127.0.0.1:%d", r->peer_port);
	AUTO(free) char *cluster = xasprintf("default=%s", peer);
	const char *argv[] = {"etcd",
			      data,
			      "--unsafe-no-fsync",
			      "--listen-client-urls",
			      url,
			      "--advertise-client-urls",
			      url,
			      "--listen-peer-urls",
			      peer,
			      "--initial-advertise-peer-urls",
			      peer,
			      "--initial-cluster",
			      cluster,
			      NULL};

	r->etcd_pid = spawn(r, "etcd", (char *const *)argv);
}

static void start_apiserver(struct real *r)
{
	AUTO(free) char *etcd = xasprintf("--etcd-servers=http://127.0.0.1:%d", r->etcd_port);
	AUTO(free) char *port = xasprintf("--secure-port=%d", r->port);
	AUTO(free) char *ca = xasprintf("--client-ca-file=%s/ca.crt", r->dir);
	AUTO(free) char *cert = xasprintf("--tls-cert-file=%s/server.crt", r->dir);
	AUTO(free) char *key = xasprintf("--tls-private-key-file=%s/server.key", r->dir);
	AUTO(free)
	char *sign = xasprintf("--service-account-signing-key-file=%s/server.key", r->dir);
	AUTO(free) char *verify = xasprintf("--service-account-key-file=%s/server.crt", r->dir);
	const char *argv[] = {r->apiserver,
			      etcd,
			      port,
			      ca,
			      cert,
			      key,
			      sign,
			      verify,
			      "--bind-address=127.0.0.1",
			      "--advertise-address=192.0.2.1",
			      "--endpoint-reconciler-type=none",
			      "--authorization-mode=RBAC",
			      "--service-account-issuer=https://t",
			      "--api-audiences=t",
			      "--service-cluster-ip-range=10.43.0.0/16",
			      "--disable-admission-plugins=ServiceAccount",
			      NULL};

	r->api_pid = spawn(r, "apiserver", (char *const *)argv);
}

static struct kube_client *client_of(struct real *r, const struct test_cert *who)
{
	AUTO(free) char *url = xasprintf("https://127.0.0.1:%d", r->port);
	struct kube_config cfg = {.source = (char *)"test",
				  .server = url,
				  .ca_pem = r->ca.cert_pem,
				  .cert_pem = who->cert_pem,
				  .key_pem = who->key_pem};
	struct kube_client *c = NULL;

	assert_int_equal(kube_client_new(&cfg, NULL, &c, &r->e), 0);
	return c;
}

static void make_certs(struct real *r)
{
	r->ca = test_cert_make(NULL, NULL, "ca", NULL);
	r->server = test_cert_make(&r->ca, NULL, "server", "IP:127.0.0.1");
	r->admin = test_cert_make(&r->ca, "system:masters", "admin", NULL);
	r->nobody = test_cert_make(&r->ca, NULL, "nobody", NULL);
	free(put(r, "ca.crt", r->ca.cert_pem));
	free(put(r, "server.crt", r->server.cert_pem));
	free(put(r, "server.key", r->server.key_pem));
}

/* The last words of a server that did not come up. */
static void show_end(struct real *r, const char *log)
{
	AUTO(free) char *path = xasprintf("%s/%s.log", r->dir, log);
	AUTO(free) char *text = NULL;
	struct err e = {0};
	size_t len = 0;

	if (io_read_file(path, 16 << 20, &text, &len, &e))
		print_message("%s\n", e.msg);
	else
		print_message("%s: %s\n", log, text + (len > 1500 ? len - 1500 : 0));
}

#endif
