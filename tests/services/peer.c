/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ends of a connection, for the tests of ClusterIPs:
 *
 *	peer serve NAME IP PORT...	answers each TCP connection and each datagram with NAME, until it is killed
 *	peer tcp|udp|datagram[6][m] IP PORT [SOURCE]
 *					one request: prints "NAME peer IP:PORT source IP", or the error's name.
 *					datagram: sendto() without connect(), then the address of recvfrom();
 *					6: an AF_INET6 socket; IPv4 addresses are named ::ffff:a.b.c.d then
 *	peer many N IP PORT		N datagrams of one socket that is not connected: "NAME COUNT" a line, sorted
 *	peer hammer MS IP PORT		one connection after the other: "ok N failed N"
 *	peer hold tcp|udp|datagram IP PORT
 *					for each line of standard input one request of the same socket, as above, with
 *					its local port in front; udp waits for an error too: "wait" reads without a request
 *	peer list			programs, maps and links of BPF that the kernel has, a line each
 *	peer memory			KiB of memory of all maps that the kernel has
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"

#define WAIT_MS   3000
#define SERVE_MAX 16 /* places to listen at */
#define CLIENTS \
	512 /* with the others no more than the usual limit of descriptors, or poll() refuses */

struct end {
	struct sockaddr_storage sa;
	socklen_t len;
};

static int die(const char *what)
{
	fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* as6: an IPv4 address as ::ffff:a.b.c.d. */
static struct end end_of(const char *ip, const char *port, bool as6)
{
	struct end e = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&e.sa;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&e.sa;
	uint16_t p = htons((uint16_t)strtoul(port, NULL, 10));
	char mapped[64];

	if (!as6 && inet_pton(AF_INET, ip, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = p;
		e.len = sizeof(*v4);
		return e;
	}
	snprintf(mapped, sizeof(mapped), "%s%s", strchr(ip, ':') ? "" : "::ffff:", ip);
	if (inet_pton(AF_INET6, mapped, &v6->sin6_addr) != 1)
		die(ip);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = p;
	e.len = sizeof(*v6);
	return e;
}

static const char *text_of(const struct sockaddr_storage *sa, bool with_port)
{
	static char out[4][80];
	static int turn;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;
	char ip[INET6_ADDRSTRLEN] = "?";
	char *to = out[turn++ % 4];
	bool is6 = sa->ss_family == AF_INET6;

	inet_ntop(sa->ss_family, is6 ? (const void *)&v6->sin6_addr : &v4->sin_addr, ip,
		  sizeof(ip));
	if (!with_port)
		snprintf(to, sizeof(out[0]), "%s", ip);
	else
		snprintf(to, sizeof(out[0]), is6 ? "[%s]:%u" : "%s:%u", ip,
			 ntohs(is6 ? v6->sin6_port : v4->sin_port));
	return to;
}

/* ------------------------------------------------------------------------------- serve */
static int listen_at(const char *ip, const char *port, int type)
{
	struct end e = end_of(ip, port, false);
	int fd = socket(e.sa.ss_family, type | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&e.sa, e.len) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 1024) < 0))
		die(ip);
	return fd;
}

static int add_client(int fd, struct pollfd *clients)
{
	int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	for (int i = 0; c >= 0 && i < CLIENTS; i++) {
		if (clients[i].fd >= 0)
			continue;
		clients[i].fd = c;
		return 0;
	}
	return close(c);
}

static void answer_stream(struct pollfd *client, const char *name)
{
	char buf[64];

	if (read(client->fd, buf, sizeof(buf)) > 0 &&
	    send(client->fd, name, strlen(name), MSG_NOSIGNAL) > 0)
		return;
	close(client->fd);
	client->fd = -1;
}

static void answer_datagram(int fd, const char *name)
{
	struct end from = {.len = sizeof(from.sa)};
	char buf[64];

	if (recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from.sa, &from.len) >= 0)
		sendto(fd, name, strlen(name), 0, (struct sockaddr *)&from.sa, from.len);
}

static int serve(int argc, char **argv)
{
	static struct pollfd fds[SERVE_MAX + CLIENTS];
	const nfds_t all = SERVE_MAX + CLIENTS;
	nfds_t n = 0;

	for (nfds_t i = 0; i < all; i++)
		fds[i] = (struct pollfd){-1, POLLIN, 0};
	for (int i = 1; i + 1 < argc && n + 2 <= SERVE_MAX; i += 2) {
		fds[n++].fd = listen_at(argv[i], argv[i + 1], SOCK_STREAM);
		fds[n++].fd = listen_at(argv[i], argv[i + 1], SOCK_DGRAM);
	}
	printf("ready\n");
	fflush(stdout);
	while (poll(fds, all, -1) >= 0) {
		for (nfds_t i = 0; i < all; i++) {
			if (!fds[i].revents || fds[i].fd < 0)
				continue;
			if (i >= SERVE_MAX)
				answer_stream(&fds[i], argv[0]);
			else if (i % 2)
				answer_datagram(fds[i].fd, argv[0]);
			else
				add_client(fds[i].fd, fds + SERVE_MAX);
		}
	}
	return 1;
}

/* ------------------------------------------------------------------------------- one request */
struct way {
	bool stream, connects, as6;
};

static struct way way_of(const char *word)
{
	struct way w = {.connects = true};

	w.stream = strncmp(word, "tcp", 3) == 0;
	w.connects = strncmp(word, "datagram", 8) != 0;
	w.as6 = strchr(word, '6') != NULL;
	return w;
}

static int open_socket(const struct way *w, const struct end *to, const char *source)
{
	struct timeval wait = {.tv_sec = WAIT_MS / 1000};
	int fd = socket(to->sa.ss_family, (w->stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	struct end from;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
		die("socket");
	if (!source)
		return fd;
	from = end_of(source, "0", w->as6);
	if (bind(fd, (struct sockaddr *)&from.sa, from.len) < 0)
		die(source);
	return fd;
}

/* The answer's text, or NULL with errno. *peer: whom the socket takes for its peer. */
static const char *request(int fd, const struct way *w, const struct end *to, struct end *peer)
{
	static char buf[64];
	ssize_t n;

	peer->len = sizeof(peer->sa);
	if (w->connects)
		n = send(fd, "?", 1, MSG_NOSIGNAL);
	else
		n = sendto(fd, "?", 1, 0, (const struct sockaddr *)&to->sa, to->len);
	if (n < 0)
		return NULL;
	if (w->connects)
		n = recv(fd, buf, sizeof(buf) - 1, 0);
	else
		n = recvfrom(fd, buf, sizeof(buf) - 1, 0, (struct sockaddr *)&peer->sa, &peer->len);
	if (n == 0)
		errno = ECONNRESET;
	if (n <= 0)
		return NULL;
	buf[n] = '\0';
	if (w->connects && getpeername(fd, (struct sockaddr *)&peer->sa, &peer->len) < 0)
		return NULL;
	return buf;
}

static int say_error(void)
{
	printf("%s\n", errno == EAGAIN ? "ETIMEDOUT" : strerrorname_np(errno));
	return 0;
}

static int one(int argc, char **argv)
{
	struct way w = way_of(argv[0]);
	struct end to = end_of(argv[1], argv[2], w.as6), peer = {0}, own = {.len = sizeof(own.sa)};
	int fd = open_socket(&w, &to, argc > 3 ? argv[3] : NULL);
	const char *name;

	if (w.connects && connect(fd, (struct sockaddr *)&to.sa, to.len) < 0) {
		if (errno == EINPROGRESS)
			errno = EAGAIN;
		return say_error();
	}
	name = request(fd, &w, &to, &peer);
	if (!name)
		return say_error();
	getsockname(fd, (struct sockaddr *)&own.sa, &own.len);
	printf("%s peer %s source %s\n", name, text_of(&peer.sa, true), text_of(&own.sa, false));
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int many(char **argv)
{
	struct way w = {0};
	size_t n = strtoul(argv[0], NULL, 10), same = 0;
	struct end to = end_of(argv[1], argv[2], false), peer;
	int fd = open_socket(&w, &to, NULL);
	char **names = calloc(n + 1, sizeof(*names));

	for (size_t i = 0; i < n; i++) {
		const char *name = request(fd, &w, &to, &peer);

		names[i] = strdup(name ? name : strerrorname_np(errno));
	}
	qsort(names, n, sizeof(*names), by_text);
	for (size_t i = 0; i < n; i++) {
		same++;
		if (i + 1 == n || strcmp(names[i], names[i + 1]) != 0) {
			printf("%s %zu\n", names[i], same);
			same = 0;
		}
	}
	return 0;
}

static int hammer(char **argv)
{
	struct way w = {.stream = true, .connects = true};
	struct linger reset = {.l_onoff = 1};
	struct end to = end_of(argv[1], argv[2], false), peer;
	int64_t end = now_ms() + (int64_t)strtoul(argv[0], NULL, 10);
	size_t ok = 0, failed = 0;

	while (now_ms() < end) {
		int fd = open_socket(&w, &to, NULL);
		bool good = connect(fd, (struct sockaddr *)&to.sa, to.len) == 0 &&
			    request(fd, &w, &to, &peer);

		if (!good)
			fprintf(stderr, "peer: %s\n", strerror(errno));
		ok += good;
		failed += !good;
		/* Otherwise the local ports are used up. */
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
	}
	printf("ok %zu failed %zu\n", ok, failed);
	return 0;
}

/* ------------------------------------------------------------------------------- hold */
static void say_port(int fd)
{
	int error = errno;
	struct end own = {.len = sizeof(own.sa)};

	getsockname(fd, (struct sockaddr *)&own.sa, &own.len);
	printf("%u ", ntohs(((struct sockaddr_in *)&own.sa)->sin_port));
	errno = error;
}

static int hold(char **argv)
{
	struct way w = way_of(argv[0]);
	struct end to = end_of(argv[1], argv[2], w.as6), peer;
	int fd = open_socket(&w, &to, NULL);
	char line[64], byte;

	if (w.connects && connect(fd, (struct sockaddr *)&to.sa, to.len) < 0)
		return say_error();
	while (fgets(line, sizeof(line), stdin)) {
		const char *name = NULL;

		if (strncmp(line, "wait", 4) == 0) {
			if (recv(fd, &byte, 1, 0) >= 0)
				errno = 0;
		} else {
			name = request(fd, &w, &to, &peer);
		}
		say_port(fd);
		if (name)
			printf("%s peer %s\n", name, text_of(&peer.sa, true));
		else
			say_error();
		fflush(stdout);
	}
	return 0;
}

/* ------------------------------------------------------------------------------- list */
static int call(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static void list_kind(const char *kind, int next, int open)
{
	union bpf_attr attr;
	uint32_t id = 0;

	for (;;) {
		struct bpf_prog_info info = {0};
		int fd;

		memset(&attr, 0, sizeof(attr));
		attr.start_id = id;
		if (call(next, &attr) < 0)
			return;
		id = attr.next_id;
		memset(&attr, 0, sizeof(attr));
		attr.prog_id = id;
		fd = call(open, &attr);
		if (fd < 0)
			continue;
		memset(&attr, 0, sizeof(attr));
		attr.info.bpf_fd = (uint32_t)fd;
		attr.info.info_len = sizeof(info);
		attr.info.info = (uint64_t)(uintptr_t)&info;
		call(BPF_OBJ_GET_INFO_BY_FD, &attr);
		printf("%s %u %s\n", kind, id, open == BPF_PROG_GET_FD_BY_ID ? info.name : "");
		close(fd);
	}
}

static int list(void)
{
	list_kind("program", BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID);
	list_kind("map", BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID);
	list_kind("link", BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID);
	return 0;
}

/* What the kernel itself says of a map. */
static long memory_of(int fd)
{
	AUTO(free) char *path = xasprintf("/proc/self/fdinfo/%d", fd);
	FILE *f = fopen(path, "re");
	char line[256];
	long bytes = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "memlock:", 8) == 0)
			bytes = strtol(line + 8, NULL, 10);
	}
	if (f)
		fclose(f);
	return bytes;
}

static int memory(void)
{
	union bpf_attr attr;
	uint32_t id = 0;
	long bytes = 0;

	for (;;) {
		int fd;

		memset(&attr, 0, sizeof(attr));
		attr.start_id = id;
		if (call(BPF_MAP_GET_NEXT_ID, &attr) < 0)
			break;
		id = attr.next_id;
		memset(&attr, 0, sizeof(attr));
		attr.map_id = id;
		fd = call(BPF_MAP_GET_FD_BY_ID, &attr);
		if (fd < 0)
			continue;
		bytes += memory_of(fd);
		close(fd);
	}
	printf("%ld\n", bytes / 1024);
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (strcmp(verb, "serve") == 0 && argc > 4)
		return serve(argc - 2, argv + 2);
	if (strcmp(verb, "many") == 0 && argc == 5)
		return many(argv + 2);
	if (strcmp(verb, "hammer") == 0 && argc == 5)
		return hammer(argv + 2);
	if (strcmp(verb, "hold") == 0 && argc == 5)
		return hold(argv + 2);
	if (strcmp(verb, "list") == 0)
		return list();
	if (strcmp(verb, "memory") == 0)
		return memory();
	if (argc >= 4)
		return one(argc - 1, argv + 1);
	fprintf(stderr, "usage: see tests/services/peer.c\n");
	return 2;
}
