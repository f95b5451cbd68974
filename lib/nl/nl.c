/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nl/nl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/base/mem.h"
#include "lib/nl/netns.h"

/* The kernel fills at most this much in one go and sizes dumps by what the reader offers. */
#define NL_RECV_SIZE 32768

/* rtnetlink answers before sendto() returns: this only guards against a kernel that never does. */
#define NL_RECV_TIMEOUT_S 10

/* Each try takes about a millisecond, and something on the node may change more often for a while. */
#define NL_DUMP_TRIES 100

struct nl {
	struct mnl_socket *sock;
	uint32_t seq;
	_Alignas(8) unsigned char buf[NL_RECV_SIZE];
};

/* What one pass over the answers found. */
enum nl_step { NL_MORE, NL_END };

struct nl_answer {
	const struct nl_sink *sink;
	bool interrupted;
};

static void nl_socket_options(struct mnl_socket *s)
{
	struct timeval tv = {.tv_sec = NL_RECV_TIMEOUT_S};
	int on = 1;

	/* Kernels before 4.12 and 4.3 do not know these two: there we do without the text. */
	mnl_socket_setsockopt(s, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(s, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

int nl_open(struct nl **out, struct err *e)
{
	struct nl *nl;
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (!s)
		return err_errno(e, ERR_KERNEL, errno, "open a netlink socket");
	if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
		int saved = errno;

		mnl_socket_close(s);
		return err_errno(e, ERR_KERNEL, saved, "bind a netlink socket");
	}
	nl_socket_options(s);
	nl = xmalloc(sizeof(*nl));
	nl->sock = s;
	nl->seq = 0;
	*out = nl;
	return 0;
}

static int nl_open_there(void *ctx, struct err *e)
{
	return nl_open(ctx, e);
}

int nl_open_in(int netns_fd, struct nl **out, struct err *e)
{
	return netns_call(netns_fd, nl_open_there, out, e);
}

void nl_close(struct nl *nl)
{
	int saved = errno;

	if (!nl)
		return;
	mnl_socket_close(nl->sock);
	free(nl);
	errno = saved;
}

int nl_fd(const struct nl *nl)
{
	return mnl_socket_get_fd(nl->sock);
}

/* ------------------------------------------------------------------ requests */

static struct nlmsghdr *nl_req_head(struct nl_req *r)
{
	return (struct nlmsghdr *)(void *)r->buf;
}

void nl_req_init(struct nl_req *r, uint16_t type, uint16_t flags, const void *head, size_t head_len)
{
	struct nlmsghdr *nlh;

	memset(r, 0, sizeof(*r));
	nlh = mnl_nlmsg_put_header(r->buf);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	if (head_len > 64)
		r->full = true;
	else
		memcpy(mnl_nlmsg_put_extra_header(nlh, head_len), head, head_len);
}

void nl_req_put(struct nl_req *r, uint16_t attr, const void *data, size_t n)
{
	if (!mnl_attr_put_check(nl_req_head(r), sizeof(r->buf), attr, n, data))
		r->full = true;
}

void nl_req_put_u8(struct nl_req *r, uint16_t attr, uint8_t value)
{
	nl_req_put(r, attr, &value, sizeof(value));
}

void nl_req_put_u16(struct nl_req *r, uint16_t attr, uint16_t value)
{
	nl_req_put(r, attr, &value, sizeof(value));
}

void nl_req_put_u32(struct nl_req *r, uint16_t attr, uint32_t value)
{
	nl_req_put(r, attr, &value, sizeof(value));
}

void nl_req_put_str(struct nl_req *r, uint16_t attr, const char *value)
{
	nl_req_put(r, attr, value, strlen(value) + 1);
}

struct nlattr *nl_req_nest(struct nl_req *r, uint16_t attr)
{
	struct nlattr *nest = mnl_attr_nest_start_check(nl_req_head(r), sizeof(r->buf), attr);

	if (!nest)
		r->full = true;
	return nest;
}

void nl_req_nest_end(struct nl_req *r, struct nlattr *nest)
{
	if (nest)
		mnl_attr_nest_end(nl_req_head(r), nest);
}

/* ------------------------------------------------------------------ answers */

/* The kernel's own words about an error, from the attributes at offset into the payload. */
static const char *nl_ext_text(const struct nlmsghdr *nlh, size_t offset)
{
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || offset > mnl_nlmsg_get_payload_len(nlh))
		return NULL;
	mnl_attr_for_each(attr, nlh, offset) {
		if (mnl_attr_get_type(attr) != NLMSGERR_ATTR_MSG)
			continue;
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
			return NULL;
		return mnl_attr_get_str(attr);
	}
	return NULL;
}

static int nl_fail(int num, const char *text, struct err *e)
{
	if (!text || !*text)
		return err_set(e, ERR_KERNEL, num, "%s", strerror(num));
	return err_set(e, ERR_KERNEL, num, "%s (%s)", text, strerror(num));
}

/* NLMSG_ERROR: the acknowledgement, or an error with the request (or its header) in front of the text. */
static int nl_take_error(const struct nlmsghdr *nlh, enum nl_step *step, struct err *e)
{
	const struct nlmsgerr *ack = mnl_nlmsg_get_payload(nlh);
	size_t offset = sizeof(*ack);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ack))
		return err_set(e, ERR_KERNEL, EBADMSG, "short acknowledgement");
	*step = NL_END;
	if (!ack->error)
		return 0;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && ack->msg.nlmsg_len >= MNL_NLMSG_HDRLEN)
		offset += MNL_ALIGN(ack->msg.nlmsg_len) - MNL_NLMSG_HDRLEN;
	return nl_fail(-ack->error, nl_ext_text(nlh, offset), e);
}

/* NLMSG_DONE ends a dump, with an error of its own since 4.12. */
static int nl_take_done(const struct nlmsghdr *nlh, enum nl_step *step, struct err *e)
{
	int error = 0;

	*step = NL_END;
	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(nlh), sizeof(error));
	return error < 0 ? nl_fail(-error, nl_ext_text(nlh, sizeof(error)), e) : 0;
}

static int nl_take(const struct nlmsghdr *nlh, struct nl_answer *a, enum nl_step *step,
		   struct err *e)
{
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		a->interrupted = true;
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		return nl_take_error(nlh, step, e);
	case NLMSG_DONE:
		return nl_take_done(nlh, step, e);
	case NLMSG_NOOP:
		return 0;
	case NLMSG_OVERRUN:
		return err_set(e, ERR_KERNEL, ENOBUFS, "netlink lost messages");
	default:
		return a->sink ? a->sink->msg(nlh, a->sink->ctx, e) : 0;
	}
}

/* One datagram. A former request's late answers carry another number and are passed over. */
static int nl_take_buffer(struct nl *nl, size_t len, struct nl_answer *a, enum nl_step *step,
			  struct err *e)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)nl->buf;
	int left = (int)len;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (!mnl_nlmsg_seq_ok(nlh, nl->seq) ||
		    !mnl_nlmsg_portid_ok(nlh, mnl_socket_get_portid(nl->sock)))
			continue;
		if (nl_take(nlh, a, step, e) < 0)
			return -1;
		if (*step == NL_END)
			return 0;
	}
	return 0;
}

static int nl_exchange(struct nl *nl, struct nl_req *r, struct nl_answer *a, struct err *e)
{
	struct nlmsghdr *nlh = nl_req_head(r);
	enum nl_step step = NL_MORE;
	ssize_t n;

	if (r->full)
		return err_set(e, ERR_INTERNAL, EMSGSIZE, "netlink request over %d bytes",
			       NL_REQ_SIZE);
	nlh->nlmsg_seq = ++nl->seq;
	do
		n = mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, ERR_KERNEL, errno, "send to netlink");
	while (step == NL_MORE) {
		n = mnl_socket_recvfrom(nl->sock, nl->buf, sizeof(nl->buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, ERR_KERNEL, errno, "receive from netlink");
		if (nl_take_buffer(nl, (size_t)n, a, &step, e) < 0)
			return -1;
	}
	return 0;
}

int nl_talk(struct nl *nl, struct nl_req *r, struct err *e)
{
	struct nl_answer a = {0};

	nl_req_head(r)->nlmsg_flags |= NLM_F_ACK;
	return nl_exchange(nl, r, &a, e);
}

int nl_query(struct nl *nl, struct nl_req *r, const struct nl_sink *sink, struct err *e)
{
	struct nl_answer a = {.sink = sink};

	/* With an acknowledgement behind the answer its end needs no guessing. */
	nl_req_head(r)->nlmsg_flags |= NLM_F_ACK;
	return nl_exchange(nl, r, &a, e);
}

int nl_dump(struct nl *nl, struct nl_req *r, const struct nl_sink *sink, struct err *e)
{
	int i;

	nl_req_head(r)->nlmsg_flags |= NLM_F_DUMP;
	for (i = 0; i < NL_DUMP_TRIES; i++) {
		struct nl_answer a = {.sink = sink};

		if (nl_exchange(nl, r, &a, e) < 0)
			return -1;
		if (!a.interrupted)
			return 0;
		if (sink->reset)
			sink->reset(sink->ctx);
	}
	return err_set(e, ERR_KERNEL, EINTR, "the table changed under each of %d dumps",
		       NL_DUMP_TRIES);
}
