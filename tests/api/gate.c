/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gate between one controller and the API server: it counts the controller's writes and, at the Nth, does
 * what a bad moment would do.
 *
 *	gate PORT SERVER-PORT CERT KEY MODE [N]
 *
 *	count	nothing; tells how many there are
 *	before	holds the Nth write back; on SIGUSR1 it is sent late, on SIGUSR2 never
 *	after	sends the Nth write and holds its answer back until one of the two signals
 *	cut	sends the Nth write; its answer is lost, the connection closed
 *	gone	has lists come one object at a time, and answers 410 to the Nth request for a further one
 *
 * Writes are POST, PUT, PATCH and DELETE, but for those to leases and events. Both sides speak TLS, HTTP/1.1
 * and one request on a connection. What happens is told on stdout, a line each:
 *
 *	write N METHOD PATH BODY	answer N STATUS		page N PATH	parked N
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"

enum mode { COUNT, BEFORE, AFTER, CUT, GONE };
static const char *const mode_names[] = {"count", "before", "after", "cut", "gone"};

enum order { WAIT, GO, DROP };

struct gate {
	int listener, server_port;
	SSL_CTX *inside, *outside; /* towards the controller, towards the API server */
	enum mode mode;
	unsigned int target;
	pthread_mutex_t lock;
	pthread_cond_t ordered;
	unsigned int writes, pages;
	enum order order;
};

struct conn {
	struct gate *gate;
	int fd;
	SSL *ssl;
};

static const char gone[] =
	"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{\"continue\":\"no\"},\"status\":\"Failure\","
	"\"message\":\"The provided continue parameter is too old\",\"reason\":\"Expired\",\"code\":410}";

/* ------------------------------------------------------------------ bytes */

static void conn_close(struct conn *c)
{
	SSL_free(c->ssl);
	if (c->fd >= 0)
		close(c->fd);
	c->ssl = NULL;
	c->fd = -1;
}

static bool send_all(struct conn *c, const char *data, size_t len)
{
	while (len) {
		int n = SSL_write(c->ssl, data, len > 1 << 14 ? 1 << 14 : (int)len);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool dial(const struct gate *g, struct conn *out)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)g->server_port)};

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	out->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	out->ssl = SSL_new(g->outside);
	if (connect(out->fd, (struct sockaddr *)&at, sizeof(at)) == 0) {
		SSL_set_fd(out->ssl, out->fd);
		if (SSL_connect(out->ssl) == 1)
			return true;
	}
	conn_close(out);
	return false;
}

/* A whole request; false at the end of the connection. */
static bool receive(struct conn *c, struct sb *in)
{
	size_t body = 0;
	char buf[8192];

	for (;;) {
		const char *end = strstr(sb_get(in), "\r\n\r\n");
		const char *length = strcasestr(sb_get(in), "\ncontent-length:");
		int n;

		if (end && length && length < end)
			body = strtoul(length + strlen("\ncontent-length:"), NULL, 10);
		if (end && in->len >= (size_t)(end + 4 - in->data) + body)
			return true;
		n = SSL_read(c->ssl, buf, sizeof(buf));
		if (n <= 0)
			return false;
		sb_add(in, buf, (size_t)n);
	}
}

/* ------------------------------------------------------------------ requests */

static bool is_write(const char *line)
{
	return !str_starts(line, "GET ") && !strstr(line, "/leases") && !strstr(line, "/events");
}

/* The request as it is sent on: one to a connection, and in mode gone with lists of one object. */
static void rewrite(const struct gate *g, const struct sb *in, struct sb *out)
{
	const char *text = sb_get(in);
	size_t line = strcspn(text, "\r");
	const char *limit = g->mode == GONE ? memmem(text, line, "limit=", 6) : NULL;
	const char *rest = text + line;

	if (limit) {
		sb_add(out, text, (size_t)(limit - text));
		sb_puts(out, "limit=1");
		limit += 6 + strspn(limit + 6, "0123456789");
		sb_add(out, limit, (size_t)(rest - limit));
	} else {
		sb_add(out, text, line);
	}
	sb_puts(out, "\r\nConnection: close");
	sb_add(out, rest, in->len - line);
}

/* The number of this write or page if it is the one, else 0. */
static unsigned int count(struct gate *g, const struct sb *in)
{
	const char *body = strstr(sb_get(in), "\r\n\r\n") + 4;
	size_t line = strcspn(sb_get(in), "\r") - strlen(" HTTP/1.1");
	AUTO(free) char *first = xstrndup(sb_get(in), line);
	unsigned int n = 0;

	pthread_mutex_lock(&g->lock);
	if (is_write(first)) {
		n = ++g->writes;
		printf("write %u %s %.300s\n", n, first, body);
	} else if (g->mode == GONE && strstr(first, "continue=")) {
		n = ++g->pages;
		printf("page %u %s\n", n, first);
	}
	pthread_mutex_unlock(&g->lock);
	return n == g->target && g->mode != COUNT ? n : 0;
}

static enum order park(struct gate *g, unsigned int n)
{
	enum order order;

	pthread_mutex_lock(&g->lock);
	printf("parked %u\n", n);
	while (g->order == WAIT)
		pthread_cond_wait(&g->ordered, &g->lock);
	order = g->order;
	pthread_mutex_unlock(&g->lock);
	return order;
}

/* ------------------------------------------------------------------ answers */

/* The other side is gone, or speaks out of turn. */
static bool has_left(const struct conn *c)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};

	return poll(&p, 1, 0) != 0;
}

static bool wait_for_answer(struct conn *server, const struct conn *client)
{
	struct pollfd p[2] = {{.fd = server->fd, .events = POLLIN},
			      {.fd = client->fd, .events = POLLIN}};

	if (SSL_pending(server->ssl))
		return true;
	return poll(p, 2, -1) > 0 && (p[0].revents || !p[1].revents);
}

/* As it comes, until one side ends it: also a watch, which may be silent for minutes. */
static void relay(struct conn *server, struct conn *client)
{
	char buf[1 << 14];
	int n;

	while (wait_for_answer(server, client)) {
		n = SSL_read(server->ssl, buf, sizeof(buf));
		if (n <= 0 || !send_all(client, buf, (size_t)n))
			return;
	}
}

/* The whole of it, whoever is there to have it. */
static void collect(struct conn *server, struct sb *out)
{
	char buf[1 << 14];
	int n;

	while ((n = SSL_read(server->ssl, buf, sizeof(buf))) > 0)
		sb_add(out, buf, (size_t)n);
}

static void answer_gone(struct conn *client)
{
	AUTO(sb_done) struct sb out = SB_INIT;

	sb_printf(&out,
		  "HTTP/1.1 410 Gone\r\nContent-Type: application/json\r\nConnection: close\r\n"
		  "Content-Length: %zu\r\n\r\n%s",
		  strlen(gone), gone);
	send_all(client, out.data, out.len);
}

/* The Nth write. */
static void bad_moment(struct gate *g, unsigned int n, const struct sb *request,
		       struct conn *client)
{
	AUTO(sb_done) struct sb answer = SB_INIT;
	struct conn server = {.fd = -1};

	if (g->mode == BEFORE && park(g, n) == DROP)
		return;
	if (!dial(g, &server) || !send_all(&server, request->data, request->len)) {
		printf("answer %u none\n", n);
		conn_close(&server);
		return;
	}
	collect(&server, &answer);
	conn_close(&server);
	printf("answer %u%.4s\n", n, sb_get(&answer) + strcspn(sb_get(&answer), " "));
	if (g->mode == CUT || (g->mode == AFTER && park(g, n) == DROP))
		return;
	if (!has_left(client))
		send_all(client, answer.data, answer.len);
}

static void *serve(void *ctx)
{
	struct conn *client = ctx;
	struct gate *g = client->gate;
	AUTO(sb_done) struct sb in = SB_INIT;
	AUTO(sb_done) struct sb request = SB_INIT;
	struct conn server = {.fd = -1};
	unsigned int n;

	SSL_set_fd(client->ssl, client->fd);
	if (SSL_accept(client->ssl) == 1 && receive(client, &in)) {
		n = count(g, &in);
		rewrite(g, &in, &request);
		if (n && g->mode == GONE)
			answer_gone(client);
		else if (n)
			bad_moment(g, n, &request, client);
		else if (dial(g, &server) && send_all(&server, request.data, request.len))
			relay(&server, client);
		if (n)
			printf("done %u\n", n);
	}
	conn_close(&server);
	if (client->ssl)
		SSL_shutdown(client->ssl);
	conn_close(client);
	free(client);
	return NULL;
}

/* ------------------------------------------------------------------ life */

static void *take_orders(void *ctx)
{
	struct gate *g = ctx;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	while (sigwait(&set, &sig) == 0) {
		pthread_mutex_lock(&g->lock);
		g->order = sig == SIGUSR1 ? GO : DROP;
		pthread_cond_broadcast(&g->ordered);
		pthread_mutex_unlock(&g->lock);
	}
	return NULL;
}

static int set_up(struct gate *g, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10))};
	int on = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	g->server_port = (int)strtol(argv[2], NULL, 10);
	g->inside = SSL_CTX_new(TLS_server_method());
	g->outside = SSL_CTX_new(TLS_client_method());
	if (SSL_CTX_use_certificate_file(g->inside, argv[3], SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(g->inside, argv[4], SSL_FILETYPE_PEM) != 1)
		return -1;
	g->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(g->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return bind(g->listener, (struct sockaddr *)&at, sizeof(at)) || listen(g->listener, 128);
}

static void in_thread(void *(*run)(void *), void *ctx)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, ctx))
		abort();
	pthread_detach(thread);
}

int main(int argc, char **argv)
{
	static struct gate g = {.lock = PTHREAD_MUTEX_INITIALIZER,
				.ordered = PTHREAD_COND_INITIALIZER};
	sigset_t orders;
	size_t mode = 0;

	while (argc >= 6 && mode < ARRAY_SIZE(mode_names) && !str_eq(argv[5], mode_names[mode]))
		mode++;
	if (argc < 6 || mode == ARRAY_SIZE(mode_names) || set_up(&g, argv)) {
		fprintf(stderr, "gate: cannot start: %s\n", argc < 6 ? "usage" : strerror(errno));
		return 2;
	}
	g.mode = (enum mode)mode;
	g.target = argc > 6 ? (unsigned int)strtoul(argv[6], NULL, 10) : 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&orders);
	sigaddset(&orders, SIGUSR1);
	sigaddset(&orders, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &orders, NULL);
	in_thread(take_orders, &g);
	printf("ready\n");
	for (;;) {
		struct conn *c = xcalloc(1, sizeof(*c));

		c->gate = &g;
		c->fd = accept4(g.listener, NULL, NULL, SOCK_CLOEXEC);
		if (c->fd < 0)
			abort();
		c->ssl = SSL_new(g.inside);
		in_thread(serve, c);
	}
}
