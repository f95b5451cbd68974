/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many connections between network namespaces at once: who reaches whom, and with which address.
 *
 *	flows <LIST
 *
 *	listen PROTO NETNS PORT                          PROTO is tcp, udp or bulk: tcp with a long answer, whose
 *	                                                 segments are as big as the path is thought to bear;
 *	                                                 NETNS a name of `ip netns`
 *	flow NAME PROTO NETNS ADDR PORT PEER [SRC]       PEER is the client as the server must see it, "-" for any;
 *	                                                 SRC binds the client to one of its addresses
 *
 * All flows run at the same time in this one process. What fails is told, one line each: "NAME: why".
 * The last line is "N tried, N failed"; the exit status is 0 when none has failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FLOWS_MAX   256
#define LIMIT_MS    20000
#define RESEND_MS   1000
#define ANSWER_SIZE 64
#define BULK_SIZE   65536

struct flow {
	bool udp, bulk, done;
	char name[64], peer[ANSWER_SIZE];
	char why[160]; /* empty once it is done and was right */
	char answer[ANSWER_SIZE];
	size_t got;
};

/* fds[i] is a server where flows[i].name is empty, else a client. */
static struct pollfd fds[FLOWS_MAX];
static struct flow flows[FLOWS_MAX];
static size_t n_fds;

__attribute__((noreturn)) static void die(const char *what, const char *which)
{
	fprintf(stderr, "flows: %s %s: %s\n", what, which, strerror(errno));
	exit(2);
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* A socket belongs to the namespace that it was made in. */
static int socket_in(const char *netns, int family, bool udp)
{
	char path[128];
	int there, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	there = open(path, O_RDONLY | O_CLOEXEC);
	if (there < 0 || setns(there, CLONE_NEWNET) < 0)
		die("enter", netns);
	close(there);
	fd = socket(family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket in", netns);
	return fd;
}

static struct addrinfo *resolve(const char *addr, const char *port, bool udp)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = udp ? SOCK_DGRAM : SOCK_STREAM};
	struct addrinfo *found = NULL;

	if (getaddrinfo(addr, port, &hints, &found))
		die("not an address:", addr);
	return found;
}

static struct flow *push(int fd, bool udp, short events)
{
	if (n_fds == FLOWS_MAX)
		die("too many lines at", "stdin");
	fds[n_fds] = (struct pollfd){.fd = fd, .events = events};
	flows[n_fds] = (struct flow){.udp = udp};
	return &flows[n_fds++];
}

static void add_server(const char *proto, const char *netns, const char *port)
{
	bool udp = strcmp(proto, "udp") == 0;
	struct addrinfo *a = resolve("::", port, udp);
	int fd = socket_in(netns, AF_INET6, udp), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || (!udp && listen(fd, FLOWS_MAX) < 0))
		die("listen in", netns);
	freeaddrinfo(a);
	push(fd, udp, POLLIN)->bulk = strcmp(proto, "bulk") == 0;
}

static void fail(struct flow *f, const char *why, int num)
{
	f->done = true;
	snprintf(f->why, sizeof(f->why), "%s%s%s", why, num ? ": " : "", num ? strerror(num) : "");
}

/* words: flow NAME PROTO NETNS ADDR PORT PEER [SRC] */
static void add_client(char *const *words, size_t n)
{
	bool udp = strcmp(words[2], "udp") == 0;
	struct addrinfo *to = resolve(words[4], words[5], udp), *from = NULL;
	int fd = socket_in(words[3], to->ai_family, udp);
	struct flow *f = push(fd, udp, udp ? POLLIN : POLLOUT);

	snprintf(f->name, sizeof(f->name), "%s", words[1]);
	snprintf(f->peer, sizeof(f->peer), "%s", words[6]);
	if (n > 7)
		from = resolve(words[7], "0", udp);
	if (from && bind(fd, from->ai_addr, from->ai_addrlen) < 0)
		fail(f, "bind", errno);
	else if (connect(fd, to->ai_addr, to->ai_addrlen) < 0 && errno != EINPROGRESS)
		fail(f, "connect", errno);
	freeaddrinfo(to);
	if (from)
		freeaddrinfo(from);
}

static void read_list(void)
{
	char line[512];

	while (fgets(line, sizeof(line), stdin)) {
		char *words[8], *save = NULL, *w = strtok_r(line, " \n", &save);
		size_t n = 0;

		for (; w && n < 8; w = strtok_r(NULL, " \n", &save))
			words[n++] = w;
		if (n == 4 && strcmp(words[0], "listen") == 0)
			add_server(words[1], words[2], words[3]);
		else if (n >= 7 && strcmp(words[0], "flow") == 0)
			add_client(words, n);
		else if (n)
			die("not understood:", words[0]);
	}
}

/* An IPv4 client of an IPv6 socket has a prefix that is no part of its address. */
static size_t peer_text(const struct sockaddr_storage *sa, socklen_t len, char *out, size_t size)
{
	static const char mapped[] = "::ffff:";
	size_t skip = 0;

	if (getnameinfo((const struct sockaddr *)sa, len, out, (socklen_t)size, NULL, 0,
			NI_NUMERICHOST))
		return 0;
	if (strncmp(out, mapped, sizeof(mapped) - 1) == 0 && strchr(out, '.'))
		skip = sizeof(mapped) - 1;
	memmove(out, out + skip, strlen(out + skip) + 1);
	return strlen(out);
}

/* After the peer's address comes what is only there to be long; the socket takes all of it at once. */
static void answer(int client, const char *text, size_t n, bool bulk)
{
	static char padding[BULK_SIZE];
	int room = 4 * BULK_SIZE;

	memset(padding, '\n', sizeof(padding));
	setsockopt(client, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (write(client, text, n) < 0 || (bulk && write(client, padding, sizeof(padding)) < 0))
		perror("flows: write");
}

static void serve(int fd, const struct flow *server)
{
	bool udp = server->udp;
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char text[ANSWER_SIZE], byte;
	size_t n;

	if (udp) {
		if (recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&sa, &len) < 0)
			return;
		n = peer_text(&sa, len, text, sizeof(text));
		if (sendto(fd, text, n, 0, (struct sockaddr *)&sa, len) < 0)
			perror("flows: sendto");
		return;
	}
	int client = accept4(fd, (struct sockaddr *)&sa, &len, SOCK_CLOEXEC);

	if (client < 0)
		return;
	n = peer_text(&sa, len, text, sizeof(text));
	answer(client, text, n, server->bulk);
	close(client);
}

static void judge(struct flow *f)
{
	char seen[ANSWER_SIZE], wanted[ANSWER_SIZE];

	f->done = true;
	f->answer[f->got] = '\0';
	f->why[0] = '\0';
	memcpy(seen, f->answer, sizeof(seen));
	memcpy(wanted, f->peer, sizeof(wanted));
	seen[strcspn(seen, "\n")] = '\0';
	if (strcmp(wanted, "-") != 0 && strcmp(wanted, seen) != 0)
		snprintf(f->why, sizeof(f->why), "came as \"%s\", not %s", seen, wanted);
}

static void client_event(size_t i)
{
	struct flow *f = &flows[i];
	int num = 0;
	socklen_t len = sizeof(num);
	char more[4096];
	ssize_t n;

	if (fds[i].events == POLLOUT) {
		getsockopt(fds[i].fd, SOL_SOCKET, SO_ERROR, &num, &len);
		if (num)
			fail(f, "connect", num);
		fds[i].events = POLLIN;
		return;
	}
	n = read(fds[i].fd, more, sizeof(more));
	/* What an ICMP error says of a datagram may be over by the next one. */
	if (n < 0 && !f->udp)
		fail(f, "read", errno);
	if (n > 0) {
		size_t fits = sizeof(f->answer) - 1 - f->got;

		fits = fits < (size_t)n ? fits : (size_t)n;
		memcpy(f->answer + f->got, more, fits);
		f->got += fits;
	}
	if (n == 0 || (n > 0 && f->udp))
		judge(f);
}

static size_t pending(void)
{
	size_t n = 0, i;

	for (i = 0; i < n_fds; i++) {
		n += flows[i].name[0] && !flows[i].done;
		if (flows[i].done)
			fds[i].fd = -1;
	}
	return n;
}

static void send_datagrams(void)
{
	size_t i;

	for (i = 0; i < n_fds; i++) {
		if (flows[i].udp && flows[i].name[0] && !flows[i].done &&
		    send(fds[i].fd, "?", 1, 0) < 0)
			snprintf(flows[i].why, sizeof(flows[i].why), "send: %s", strerror(errno));
	}
}

static void run(void)
{
	long long end = now_ms() + LIMIT_MS, resend = 0;
	size_t i;

	while (pending() && now_ms() < end) {
		if (now_ms() >= resend) {
			send_datagrams();
			resend = now_ms() + RESEND_MS;
		}
		if (poll(fds, n_fds, RESEND_MS) < 0 && errno != EINTR)
			die("poll", "");
		for (i = 0; i < n_fds; i++) {
			if (!fds[i].revents)
				continue;
			if (flows[i].name[0])
				client_event(i);
			else
				serve(fds[i].fd, &flows[i]);
		}
	}
}

int main(void)
{
	size_t tried = 0, failed = 0, i;

	read_list();
	run();
	for (i = 0; i < n_fds; i++) {
		struct flow *f = &flows[i];

		if (!f->name[0])
			continue;
		tried++;
		if (!f->done && !f->why[0])
			fail(f, "no answer", 0);
		if (!f->why[0])
			continue;
		failed++;
		printf("%s: %s\n", f->name, f->why);
	}
	printf("%zu tried, %zu failed\n", tried, failed);
	return failed ? 1 : 0;
}
