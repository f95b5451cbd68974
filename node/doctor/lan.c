/* SPDX-License-Identifier: Apache-2.0 */
#include "node/doctor/lan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/auto.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/nl/netns.h"
#include "node/doctor/frames.h"
#include "node/doctor/lldp.h"
#include "node/doctor/verdict.h"

#define TRY_MS   1000 /* for an answer, as kernels wait: RetransTimer of RFC 4861 */
#define AFTER_MS 150  /* for a second one */
/* So many frames are looked at before the clock is: a flood must not hold us. */
#define BURST 64
/* Of others a few are enough, and a busy NIC has very many. */
#define OTHERS_BYTES 64
#define OTHERS_BUF   8192

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

/* ------------------------------------------------------------------ opening */

#define DROP   BPF_STMT(BPF_RET | BPF_K, 0)
#define TAGGED (SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT)

/* What another VLAN of the NIC carries shows on the NIC itself too. */
static struct sock_filter answers[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)TAGGED),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 11),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 8, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IPV6, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 0, 7),
	BPF_STMT(BPF_JMP | BPF_JA, 7),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 20),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 58, 0, 4),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 54),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 136, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 129, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, FRAMES_MAX),
	DROP,
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, FRAMES_MAX),
	DROP,
};

static struct sock_filter others[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)TAGGED),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, OTHERS_BYTES),
	DROP,
};

struct opening {
	int index, fd;
	enum lan_ear what;
};

static int set_filter(int fd, struct sock_filter *code, size_t n)
{
	const struct sock_fprog prog = {(unsigned short)n, code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

static int prepare(int fd, const struct opening *o)
{
	struct packet_mreq m = {.mr_ifindex = o->index,
				.mr_type = PACKET_MR_MULTICAST,
				.mr_alen = 6,
				.mr_address = {0x01, 0x80, 0xc2, 0, 0, 0x0e}};
	int small = OTHERS_BUF, one = 1;

	/* Older kernels have it not, and then what we send is passed over when it is read. */
	IGNORE(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)), "see above");
	if (o->what == LAN_LLDP)
		return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof(m));
	if (o->what == LAN_ANSWERS)
		return set_filter(fd, answers, ARRAY_SIZE(answers));
	IGNORE(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), "it only costs less");
	return set_filter(fd, others, ARRAY_SIZE(others));
}

static int open_here(void *ctx, struct err *e)
{
	struct opening *o = ctx;
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(o->what == LAN_LLDP ? LLDP_ETHERTYPE : ETH_P_ALL),
		.sll_ifindex = o->index,
	};
	/* Protocol 0 until it is bound: nothing of other links gets in. */
	AUTO(fd) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || prepare(fd, o) < 0 || bind(fd, (struct sockaddr *)&ll, sizeof(ll)) < 0)
		return err_errno(e, ERR_KERNEL, errno, "open a socket that hears the LAN");
	o->fd = fd_steal(&fd);
	return 0;
}

int lan_open(int netns_fd, int index, enum lan_ear what, int *out, struct err *e)
{
	struct opening o = {.index = index, .fd = -1, .what = what};
	int rc = netns_fd < 0 ? open_here(&o, e) : netns_call(netns_fd, open_here, &o, e);

	if (rc < 0)
		return -1;
	*out = o.fd;
	return 0;
}

/* ------------------------------------------------------------------ hearing */

/* True ends the listening. */
typedef bool heard_fn(void *ctx, const unsigned char *frame, size_t n);

struct ear {
	int fd;
	heard_fn *heard;
	void *ctx;
};

/* 1 = enough, 0 = nothing more for now, -1. */
static int take(const struct ear *ear, struct err *e)
{
	unsigned char frame[FRAMES_MAX];

	for (int i = 0; i < BURST; i++) {
		struct sockaddr_ll from = {0};
		socklen_t len = sizeof(from);
		ssize_t n =
			recvfrom(ear->fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &len);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n < 0)
			return err_errno(e, ERR_KERNEL, errno, "hear the LAN");
		if (from.sll_pkttype != PACKET_OUTGOING && ear->heard(ear->ctx, frame, (size_t)n))
			return 1;
	}
	return 0;
}

/* So long, or until it is enough: 1, 0 or -1 as above. What is there when the time is over counts. */
static int listen_for(const struct ear *ear, int ms, struct err *e)
{
	struct pollfd p = {.fd = ear->fd, .events = POLLIN};
	int64_t end = clock_now_ms() + ms;
	int left, rc;

	do {
		left = clock_left_ms(end);
		if (poll(&p, 1, left) < 0 && errno != EINTR)
			return err_errno(e, ERR_IO, errno, "poll");
		rc = take(ear, e);
	} while (rc == 0 && left > 0);
	return rc;
}

static int send_frame(int fd, const unsigned char *frame, size_t n, struct err *e)
{
	ssize_t sent;

	do
		sent = send(fd, frame, n, 0);
	while (sent < 0 && errno == EINTR);
	/* A queue that is full is like a frame that is lost. */
	if (sent < 0 && errno != ENOBUFS && errno != EAGAIN)
		return err_errno(e, ERR_KERNEL, errno, "ask the LAN");
	return 0;
}

/* ------------------------------------------------------------------ a gateway */

struct asking {
	const struct mac_addr *own;
	struct verdict_asked *a;
	bool patient; /* who else answers is heard to the end */
	bool answered;
};

static bool heard_answer(void *ctx, const unsigned char *frame, size_t n)
{
	struct asking *q = ctx;
	struct mac_addr mac;

	if (!frames_answers(frame, n, &q->a->gateway, &mac) || mac_eq(&mac, q->own))
		return false;
	verdict_add_mac(q->a, &mac);
	q->answered = q->answered || frames_is_for(frame, n, q->own);
	return q->answered && !q->patient;
}

int lan_ask(int fd, const struct mac_addr *own, struct verdict_asked *a, bool *out_answered,
	    struct err *e)
{
	struct asking q = {.own = own, .a = a};
	const struct ear ear = {fd, heard_answer, &q};
	unsigned char frame[FRAMES_MAX];
	size_t n = frames_ask(&a->gateway, own, frame);

	for (int i = 0; i < LAN_ASKED && !q.answered; i++) {
		if (send_frame(fd, frame, n, e) < 0 || listen_for(&ear, TRY_MS, e) < 0)
			return -1;
	}
	q.patient = true;
	if (q.answered && listen_for(&ear, AFTER_MS, e) < 0)
		return -1;
	*out_answered = q.answered;
	return 0;
}

/* ------------------------------------------------------------------ an echo */

static bool heard_reply(void *ctx, const unsigned char *frame, size_t n)
{
	return frames_is_reply(frame, n, ctx);
}

int lan_echo(int fd, struct frames_echo *q, int tries, struct err *e)
{
	const struct ear ear = {fd, heard_reply, q};
	unsigned char frame[FRAMES_MAX];
	int rc = 0;

	for (int i = 0; i < tries && rc == 0; i++) {
		size_t n;

		q->seq++;
		n = frames_echo(q, frame);
		if (!n || send_frame(fd, frame, n, e) < 0)
			return n ? -1 : 0;
		rc = listen_for(&ear, TRY_MS, e);
	}
	return rc;
}

/* ------------------------------------------------------------------ others, a switch */

struct crowd {
	const struct mac_addr *own;
	size_t n_own;
};

static bool heard_other(void *ctx, const unsigned char *frame, size_t n)
{
	const struct crowd *c = ctx;

	return frames_is_others(frame, n, c->own, c->n_own);
}

bool lan_hears_others(int fd, const struct mac_addr *own, size_t n_own, int ms)
{
	struct crowd c = {own, n_own};
	const struct ear ear = {fd, heard_other, &c};
	struct err ignored = {0};

	return listen_for(&ear, ms, &ignored) > 0;
}

static bool heard_switch(void *ctx, const unsigned char *frame, size_t n)
{
	return lldp_parse(frame, n, ctx);
}

bool lan_hears_switch(int fd, struct lldp *out)
{
	const struct ear ear = {fd, heard_switch, out};
	struct err ignored = {0};

	return take(&ear, &ignored) > 0;
}
