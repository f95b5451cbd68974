/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/child.h"
#include "lib/base/clock.h"
#include "lib/nl/netns.h"
#include "macvlan/frame.h"

/*
 * How long is listened after each probe: answers came within 4 ms on a saturated node, and the second probe is
 * for one that was lost. Counted from when it was sent, which may be late. Where this process itself is woken
 * that late an answer may be, too: then it is asked once more, and again, as long as that is so.
 */
#define FIRST_MS 20
#define LATER_MS 30
#define LATE_MS  10
#define ROUNDS   2
#define MORE     6

/* So many frames are looked at before the clock is: a flood must not hold us. */
#define BURST 64

/* All that is open while probing: a socket for each address, and what keeps the child waiting. */
struct ears {
	const struct probe *probe;
	int fds[PROBE_ADDRS];
	int leash;
};

static void ears_done(struct ears *h)
{
	for (size_t i = 0; i < PROBE_ADDRS; i++)
		fd_auto(&h->fds[i]);
	fd_auto(&h->leash);
}
DEFINE_AUTO_VALUE(struct ears, ears_done)

/* Answers to a solicitation from :: go to all nodes, another's probe to the address' own group. */
static int join_groups(int fd, int index, const struct ip_addr *addr)
{
	const struct mac_addr groups[] = {{{0x33, 0x33, 0, 0, 0, 1}}, frame_group(addr)};

	for (size_t i = 0; i < 2; i++) {
		struct packet_mreq m = {
			.mr_ifindex = index, .mr_type = PACKET_MR_MULTICAST, .mr_alen = 6};

		memcpy(m.mr_address, groups[i].b, 6);
		if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof(m)) < 0)
			return -1;
	}
	return 0;
}

static int open_ear(const struct probe *p, const struct ip_addr *addr, int *out, struct err *e)
{
	bool v6 = addr->family == AF_INET6;
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(v6 ? ETHERTYPE_IPV6 : ETHERTYPE_ARP),
		.sll_ifindex = p->index,
	};
	/* Protocol 0 until it is bound: taking another one later waits for a grace period, too. */
	AUTO(fd) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || (v6 && join_groups(fd, p->index, addr) < 0) ||
	    bind(fd, (struct sockaddr *)&ll, sizeof(ll)) < 0)
		return err_errno(e, ERR_KERNEL, errno, "open a socket that hears the LAN");
	*out = fd_steal(&fd);
	return 0;
}

static int open_ears(void *ctx, struct err *e)
{
	struct ears *h = ctx;

	for (size_t i = 0; i < h->probe->n_addrs; i++) {
		if (open_ear(h->probe, &h->probe->addrs[i], &h->fds[i], e) < 0)
			return -1;
	}
	return 0;
}

/* Waits until the parent has let go of the sockets, or is dead, and closes them then. */
static void __attribute__((noreturn)) hold_in_child(const struct ears *h, int leash)
{
	int keep[PROBE_ADDRS + 1] = {leash};
	size_t n = 1;
	char none;

	for (size_t i = 0; i < h->probe->n_addrs; i++)
		keep[n++] = h->fds[i];
	child_detach(keep, n);
	while (read(leash, &none, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

/* Without the child all works as well, only slower. */
static void start_child(struct ears *h)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0)
		hold_in_child(h, ends[0]);
	close(ends[0]);
	h->leash = ends[1];
}

static int send_probes(const struct ears *h, struct err *e)
{
	for (size_t i = 0; i < h->probe->n_addrs; i++) {
		unsigned char frame[FRAME_PROBE_MAX];
		size_t n = frame_probe(&h->probe->addrs[i], &h->probe->mac, frame);
		ssize_t sent;

		do
			sent = send(h->fds[i], frame, n, 0);
		while (sent < 0 && errno == EINTR);
		/* A queue that is full is like a frame that is lost. */
		if (sent < 0 && errno != ENOBUFS && errno != EAGAIN)
			return err_errno(e, ERR_KERNEL, errno, "ask the LAN for the address");
	}
	return 0;
}

/* 1 = the answer is there, 0 = not, -1 error. */
static int listen_to(const struct ears *h, size_t i, struct probe_answer *out, struct err *e)
{
	const struct ip_addr *addr = &h->probe->addrs[i];

	for (int k = 0; k < BURST; k++) {
		unsigned char frame[2048];
		ssize_t n = recv(h->fds[i], frame, sizeof(frame), 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n < 0)
			return err_errno(e, ERR_KERNEL, errno, "hear the LAN");
		if (frame_rival(frame, (size_t)n, addr, &h->probe->mac, &out->mac)) {
			out->addr = *addr;
			return 1;
		}
	}
	return 0;
}

/* So long or until an answer: 1, 0 or -1 as above. What is there when the time is over counts. */
static int listen_for(const struct ears *h, int ms, struct probe_answer *out, struct err *e)
{
	struct pollfd p[PROBE_ADDRS + 1];
	int64_t end = clock_now_ms() + ms;
	size_t n = h->probe->n_addrs;
	int left, rc = 0;

	for (size_t i = 0; i < n; i++)
		p[i] = (struct pollfd){.fd = h->fds[i], .events = POLLIN};
	p[n] = (struct pollfd){.fd = h->probe->cancel_fd, .events = POLLIN};
	do {
		left = clock_left_ms(end);
		if (poll(p, n + 1, left) < 0 && errno != EINTR)
			return err_errno(e, ERR_IO, errno, "poll");
		if (p[n].revents)
			return err_set(e, ERR_CANCELLED, 0, "stopped while probing");
		for (size_t i = 0; i < n && rc == 0; i++)
			rc = p[i].revents ? listen_to(h, i, out, e) : 0;
	} while (rc == 0 && left > 0);
	return rc;
}

int probe_run(const struct probe *p, struct probe_answer *out, struct err *e)
{
	AUTO(ears_done) struct ears h = {p, {-1, -1}, -1};
	bool late = false;
	int rc = 0;

	if (netns_call(p->netns_fd, open_ears, &h, e) < 0)
		return -1;
	start_child(&h);
	for (int i = 0; rc == 0 && (i < ROUNDS || (late && i < ROUNDS + MORE)); i++) {
		int ms = i ? LATER_MS : FIRST_MS;
		int64_t start = clock_now_ms();

		if (send_probes(&h, e) < 0)
			return -1;
		rc = listen_for(&h, ms, out, e);
		late = clock_now_ms() - start > ms + LATE_MS;
	}
	return rc;
}
