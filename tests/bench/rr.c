/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One byte there and one back, as fast as it goes:
 *
 *	rr serve IP PORT		echoes at PORT, TCP and UDP; swallows at PORT + 1; until it is killed
 *	rr tcp|udp|datagram MS IP PORT	the median of MS milliseconds of requests, in microseconds, and how many they were
 *	rr connect MS IP PORT		the same, each with a connection of its own, from connect() to close()
 *	rr bulk MS IP PORT		Gbit/s of one stream to PORT, and gigabytes
 *
 * datagram: sendto() and recvfrom() without connect().
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES_MAX 1000000
#define BLOCK       131072

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static struct sockaddr_in address(const char *ip, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	if (inet_pton(AF_INET, ip, &a.sin_addr) != 1)
		die(ip);
	return a;
}

static int socket_of(int type)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;
	struct timeval wait = {.tv_sec = 3};

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		die("socket");
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* ------------------------------------------------------------------------------- serve */
static int bound(int type, const char *ip, uint16_t port)
{
	struct sockaddr_in a = address(ip, port);
	int fd = socket_of(type);
	struct timeval for_ever = {0};

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 64) < 0) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &for_ever, sizeof(for_ever)) < 0)
		die(ip);
	return fd;
}

static void serve_datagrams(int fd)
{
	struct sockaddr_in from;
	char byte;

	for (;;) {
		socklen_t len = sizeof(from);

		if (recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&from, &len) == 1)
			sendto(fd, &byte, 1, 0, (struct sockaddr *)&from, len);
	}
}

/* One client after the other. */
static void serve_streams(int fd, bool echoes)
{
	static char block[BLOCK];
	int on = 1;

	for (;;) {
		int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		ssize_t n;

		if (c < 0)
			continue;
		setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		while ((n = read(c, block, echoes ? 1 : sizeof(block))) > 0) {
			if (echoes && send(c, block, 1, MSG_NOSIGNAL) != 1)
				break;
		}
		close(c);
	}
}

static int serve(const char *ip, uint16_t port)
{
	int udp = bound(SOCK_DGRAM, ip, port), tcp = bound(SOCK_STREAM, ip, port);
	int sink = bound(SOCK_STREAM, ip, port + 1);

	for (int i = 0; i < 2; i++) {
		if (fork() != 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (i == 0)
			serve_datagrams(udp);
		else
			serve_streams(sink, false);
	}
	printf("ready\n");
	fflush(stdout);
	serve_streams(tcp, true);
	return 0;
}

/* ------------------------------------------------------------------------------- ask */
static uint32_t *samples;
static size_t n_samples;

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int say_median(void)
{
	size_t middle = n_samples / 2;

	if (!n_samples)
		return 1;
	qsort(samples, n_samples, sizeof(*samples), compare);
	printf("%.2f %zu\n", samples[middle] / 1000.0, n_samples);
	return 0;
}

static void request(int fd, const struct sockaddr_in *to)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char byte = '?';

	if (to && (sendto(fd, &byte, 1, 0, (const struct sockaddr *)to, sizeof(*to)) != 1 ||
		   recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&from, &len) != 1))
		die("datagram");
	if (!to && (send(fd, &byte, 1, MSG_NOSIGNAL) != 1 || recv(fd, &byte, 1, 0) != 1))
		die("request");
}

static void connect_or_die(int fd, const struct sockaddr_in *to)
{
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("connect");
}

static int requests(const char *mode, int64_t end, const struct sockaddr_in *to)
{
	bool datagram = strcmp(mode, "datagram") == 0;
	int fd = socket_of(strcmp(mode, "tcp") == 0 ? SOCK_STREAM : SOCK_DGRAM);

	if (!datagram)
		connect_or_die(fd, to);
	for (int64_t t = now_ns(), next; t < end && n_samples < SAMPLES_MAX; t = next) {
		request(fd, datagram ? to : NULL);
		next = now_ns();
		samples[n_samples++] = (uint32_t)(next - t);
	}
	return say_median();
}

static int connections(int64_t end, const struct sockaddr_in *to)
{
	/* A reset: otherwise the local ports are used up. */
	struct linger reset = {.l_onoff = 1};

	for (int64_t t = now_ns(); t < end && n_samples < SAMPLES_MAX; t = now_ns()) {
		int fd = socket_of(SOCK_STREAM);

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		connect_or_die(fd, to);
		request(fd, NULL);
		close(fd);
		samples[n_samples++] = (uint32_t)(now_ns() - t);
	}
	return say_median();
}

static int bulk(int64_t end, const struct sockaddr_in *to)
{
	static char block[BLOCK];
	int fd = socket_of(SOCK_STREAM);
	int64_t start = now_ns(), sent = 0, n;

	connect_or_die(fd, to);
	while (now_ns() < end) {
		n = send(fd, block, sizeof(block), MSG_NOSIGNAL);
		if (n < 0)
			die("send");
		sent += n;
	}
	printf("%.2f %.2f\n", (double)sent * 8 / (double)(now_ns() - start), (double)sent / 1e9);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to;
	int64_t end;

	if (argc == 4 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2], (uint16_t)strtoul(argv[3], NULL, 10));
	if (argc != 5) {
		fprintf(stderr, "usage: see tests/bench/rr.c\n");
		return 2;
	}
	to = address(argv[3], (uint16_t)strtoul(argv[4], NULL, 10));
	samples = calloc(SAMPLES_MAX, sizeof(*samples));
	if (!samples)
		die("memory");
	end = now_ns() + strtol(argv[2], NULL, 10) * 1000000L;
	if (strcmp(argv[1], "bulk") == 0)
		return bulk(end, &to);
	return strcmp(argv[1], "connect") == 0 ? connections(end, &to)
					       : requests(argv[1], end, &to);
}
