/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test cluster's witness of source addresses: a server that tells each client which address it
 * was seen with, and the client that asks. Linked statically into the pods' image and also run in
 * the network namespaces of the nodes and of the machines on the LAN.
 *
 *	netcheck serve-tcp PORT              netcheck ask ADDR PORT [SRC]
 *	netcheck serve-udp PORT              netcheck ask-udp ADDR PORT [SRC]
 *	netcheck pause
 *
 * An answer is one line, "PEER LOCAL": the client's address and the server's own, as the server saw
 * them. ask prints it and exits 0; without an answer within ANSWER_MS it exits 1 and says why on
 * stderr. SRC binds the client to one of its addresses. Addresses are literals, no names.
 * pause does nothing until SIGTERM: the process that holds a pod's namespaces.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS 3000
#define LINE_SIZE (2 * INET6_ADDRSTRLEN + 2)

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("netcheck: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static in_port_t port_parse(const char *text)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || port < 1 || port > 65535)
		fail("bad port \"%s\"", text);
	return htons((in_port_t)port);
}

static socklen_t address_parse(const char *text, in_port_t port, union address *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = port;
		return sizeof(out->v4);
	}
	if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1) {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = port;
		return sizeof(out->v6);
	}
	fail("bad address \"%s\"", text);
}

/* IPv4 seen through an IPv6 socket is written as IPv4. */
static void address_print(const struct in6_addr *addr, char text[INET6_ADDRSTRLEN])
{
	if (IN6_IS_ADDR_V4MAPPED(addr))
		inet_ntop(AF_INET, &addr->s6_addr[12], text, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, addr, text, INET6_ADDRSTRLEN);
}

static void answer_format(const struct in6_addr *peer, const struct in6_addr *local,
			  char line[LINE_SIZE])
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	address_print(peer, from);
	address_print(local, to);
	snprintf(line, LINE_SIZE, "%s %s\n", from, to);
}

/* One socket for both families. */
static int server_open(int type, in_port_t port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = port};
	int on = 1, off = 0;
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)))
		fail("bind to port %u: %s", ntohs(port), strerror(errno));
	return fd;
}

__attribute__((noreturn)) static void serve_tcp(in_port_t port)
{
	int fd = server_open(SOCK_STREAM, port);

	if (listen(fd, 64))
		fail("listen: %s", strerror(errno));
	for (;;) {
		struct sockaddr_in6 peer = {0}, local = {0};
		socklen_t peer_len = sizeof(peer), local_len = sizeof(local);
		char line[LINE_SIZE];
		int client = accept4(fd, (struct sockaddr *)&peer, &peer_len, SOCK_CLOEXEC);

		if (client < 0)
			continue;
		if (getsockname(client, (struct sockaddr *)&local, &local_len) == 0) {
			answer_format(&peer.sin6_addr, &local.sin6_addr, line);
			if (send(client, line, strlen(line), MSG_NOSIGNAL) < 0)
				fprintf(stderr, "netcheck: send: %s\n", strerror(errno));
		}
		close(client);
	}
}

/* Answers from the address that was asked, as a server on several cards must. */
static void udp_answer(int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr align;
	} control = {0};
	struct sockaddr_in6 peer = {0};
	char line[LINE_SIZE];
	struct iovec iov = {.iov_base = line, .iov_len = sizeof(line)};
	struct msghdr msg = {.msg_name = &peer,
			     .msg_namelen = sizeof(peer),
			     .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf)};
	struct in6_pktinfo info;
	struct cmsghdr *cmsg;

	if (recvmsg(fd, &msg, 0) < 0)
		return;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != IPV6_PKTINFO)
		return;
	memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
	answer_format(&peer.sin6_addr, &info.ipi6_addr, line);
	iov.iov_len = strlen(line);
	/* The address alone, not the card it came by: the routes decide the way back. */
	if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
		info.ipi6_ifindex = 0;
	memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
	if (sendmsg(fd, &msg, 0) < 0)
		fprintf(stderr, "netcheck: sendmsg: %s\n", strerror(errno));
}

__attribute__((noreturn)) static void serve_udp(in_port_t port)
{
	int fd = server_open(SOCK_DGRAM, port), on = 1;

	if (setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)))
		fail("IPV6_RECVPKTINFO: %s", strerror(errno));
	for (;;)
		udp_answer(fd);
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void await(int fd, short events, long long deadline, const char *what)
{
	struct pollfd p = {.fd = fd, .events = events};
	long long left = deadline - now_ms();

	if (left < 0 || poll(&p, 1, (int)left) <= 0)
		fail("%s: nothing within %d ms", what, ANSWER_MS);
}

static void client_connect(int fd, const union address *to, socklen_t len, long long deadline)
{
	int status = 0;
	socklen_t status_len = sizeof(status);

	if (connect(fd, &to->any, len) == 0)
		return;
	if (errno != EINPROGRESS)
		fail("connect: %s", strerror(errno));
	await(fd, POLLOUT, deadline, "connect");
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &status, &status_len) || status)
		fail("connect: %s", strerror(status));
}

static void ask(int type, const char *addr, in_port_t port, const char *src)
{
	long long deadline = now_ms() + ANSWER_MS;
	union address to, from;
	socklen_t to_len = address_parse(addr, port, &to), from_len;
	char line[LINE_SIZE];
	ssize_t n;
	int fd = socket(to.any.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		fail("socket: %s", strerror(errno));
	if (src) {
		from_len = address_parse(src, 0, &from);
		if (bind(fd, &from.any, from_len))
			fail("bind to %s: %s", src, strerror(errno));
	}
	client_connect(fd, &to, to_len, deadline);
	if (type == SOCK_DGRAM && send(fd, "?\n", 2, 0) < 0)
		fail("send: %s", strerror(errno));
	await(fd, POLLIN, deadline, "answer");
	n = recv(fd, line, sizeof(line) - 1, 0);
	if (n <= 0)
		fail("answer: %s", n ? strerror(errno) : "connection closed");
	line[n] = '\0';
	fputs(line, stdout);
	close(fd);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	/* As a pod's first process it has no default action for the signal that ends the pod. */
	signal(SIGTERM, _exit);
	if (argc == 2 && strcmp(verb, "pause") == 0)
		pause();
	else if (argc == 3 && strcmp(verb, "serve-tcp") == 0)
		serve_tcp(port_parse(argv[2]));
	else if (argc == 3 && strcmp(verb, "serve-udp") == 0)
		serve_udp(port_parse(argv[2]));
	else if ((argc == 4 || argc == 5) && strcmp(verb, "ask") == 0)
		ask(SOCK_STREAM, argv[2], port_parse(argv[3]), argv[4]);
	else if ((argc == 4 || argc == 5) && strcmp(verb, "ask-udp") == 0)
		ask(SOCK_DGRAM, argv[2], port_parse(argv[3]), argv[4]);
	else
		fail("usage: pause | serve-tcp PORT | serve-udp PORT | ask[-udp] ADDR PORT [SRC]");
	return 0;
}
