/* SPDX-License-Identifier: Apache-2.0 */
#include "services/ends.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/bpf/map.h"
#include "lib/nl/netns.h"

#define WAIT_S       2
#define BUFFER       (64 * 1024)
#define BACKENDS_MAX 65536

void ends_note(void *ctx, const struct table_service *s, const struct table_endpoint *backend)
{
	struct ends *ends = ctx;

	if (s->proto != IPPROTO_UDP || ends->n == BACKENDS_MAX)
		return;
	ends->v = xreallocarray(ends->v, ends->n + 1, sizeof(*ends->v));
	ends->v[ends->n++] = (struct ends_backend){
		.id = s->id, .addr = entry_addr(&backend->addr), .port = htons(backend->port)};
}

void ends_done(struct ends *ends)
{
	free(ends->v);
	*ends = (struct ends){0};
}

/* One visit of a namespace. */
struct visit {
	const struct ends *ends;
	int rev; /* the map */
	size_t ended;
	struct inet_diag_msg *found; /* sockets to be ended */
	size_t n_found;
};

/* ------------------------------------------------------------------------------- asking */
struct question {
	struct nlmsghdr h;
	struct inet_diag_req_v2 r;
};

static int ask(int fd, uint8_t family, struct err *e)
{
	struct question q = {
		.h = {.nlmsg_len = sizeof(q),
		      .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.r = {.sdiag_family = family,
		      .sdiag_protocol = IPPROTO_UDP,
		      .idiag_states = 1U << TCP_ESTABLISHED},
	};

	if (send(fd, &q, sizeof(q), 0) < 0)
		return err_errno(e, ERR_KERNEL, errno, "ask for the UDP sockets");
	return 0;
}

static struct svc_addr peer_of(const struct inet_diag_msg *m)
{
	struct svc_addr a = {{0, 0, htonl(0xffff), m->id.idiag_dst[0]}};

	if (m->idiag_family == AF_INET6)
		memcpy(&a, m->id.idiag_dst, sizeof(a));
	return a;
}

static bool is_among(const struct ends *ends, const struct svc_reverse_key *k, uint32_t id)
{
	for (size_t i = 0; i < ends->n; i++) {
		const struct ends_backend *b = &ends->v[i];

		if (b->id == id && b->port == k->port &&
		    memcmp(&b->addr, &k->backend, sizeof(b->addr)) == 0)
			return true;
	}
	return false;
}

static bool is_to_end(const struct visit *v, const struct nlmsghdr *h)
{
	const struct inet_diag_msg *m = NLMSG_DATA(h);
	struct svc_reverse r;
	struct err e = {0};
	struct svc_reverse_key k;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return false;
	k = (struct svc_reverse_key){
		.socket = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0],
		.backend = peer_of(m),
		.port = m->id.idiag_dport,
	};
	return bpf_map_get(v->rev, &k, &r, &e) > 0 && is_among(v->ends, &k, r.id);
}

/* 1: the end of the dump; 0: more is to come. */
static int take(struct visit *v, const struct nlmsghdr *h, struct err *e)
{
	const struct nlmsgerr *error = NLMSG_DATA(h);

	if (h->nlmsg_type == NLMSG_DONE)
		return 1;
	if (h->nlmsg_type == NLMSG_ERROR)
		return err_errno(e, ERR_KERNEL, -error->error, "list the UDP sockets");
	if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY || !is_to_end(v, h))
		return 0;
	v->found = xreallocarray(v->found, v->n_found + 1, sizeof(*v->found));
	memcpy(&v->found[v->n_found++], NLMSG_DATA(h), sizeof(*v->found));
	return 0;
}

static int read_dump(int fd, struct visit *v, struct err *e)
{
	AUTO(free) char *buf = xmalloc(BUFFER);
	int rc = 0;

	while (rc == 0) {
		ssize_t got = recv(fd, buf, BUFFER, 0);
		unsigned int n = got > 0 ? (unsigned int)got : 0;
		const struct nlmsghdr *h = (const void *)buf;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_errno(e, ERR_KERNEL, errno, "read the UDP sockets");
		for (; rc == 0 && NLMSG_OK(h, n); h = NLMSG_NEXT(h, n))
			rc = take(v, h, e);
	}
	return rc < 0 ? -1 : 0;
}

/* ------------------------------------------------------------------------------- ending */
/* A socket that has been closed meanwhile is ended as well. */
static void end_socket(int fd, struct visit *v, const struct inet_diag_msg *m)
{
	struct {
		struct nlmsghdr h;
		struct inet_diag_req_v2 r;
	} q = {.h = {.nlmsg_len = sizeof(q),
		     .nlmsg_type = SOCK_DESTROY,
		     .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
	       .r = {.sdiag_family = m->idiag_family,
		     .sdiag_protocol = IPPROTO_UDP,
		     .idiag_states = 1U << TCP_ESTABLISHED,
		     .id = m->id}};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr error;
		char rest[512];
	} answer;

	if (send(fd, &q, sizeof(q), 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 0)
		return;
	if (answer.h.nlmsg_type == NLMSG_ERROR && answer.error.error == 0)
		v->ended++;
	else if (answer.error.error != -ENOENT)
		log_debug("a UDP socket cannot be ended", "error", strerror(-answer.error.error));
}

static int visit_inside(void *ctx, struct err *e)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct timeval wait = {.tv_sec = WAIT_S};
	struct visit *v = ctx;
	AUTO(fd) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0)
		return err_errno(e, ERR_KERNEL, errno, "open NETLINK_SOCK_DIAG");
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		if (ask(fd, families[i], e) < 0 || read_dump(fd, v, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < v->n_found; i++)
		end_socket(fd, v, &v->found[i]);
	return 0;
}

static void visit_netns(struct visit *v, const char *path)
{
	AUTO(fd) int netns = -1;
	struct err e = {0};

	v->n_found = 0;
	if (netns_open(path, &netns, &e) < 0 || netns_call(netns, visit_inside, v, &e) < 0)
		log_debug("its UDP sockets are not looked at", "netns", path, "error", e.msg);
}

int ends_run(struct ends *ends, const char *netns_dir, const char *dir, size_t *out_ended,
	     struct err *e)
{
	struct visit v = {.ends = ends, .rev = -1};
	AUTO(closedir) DIR *d = NULL;
	AUTO(fd) int rev = -1;
	const struct dirent *entry;
	int rc;

	*out_ended = 0;
	if (!ends->n)
		return 0;
	rc = bpf_map_open(dir, "rev", sizeof(struct svc_reverse_key), sizeof(struct svc_reverse),
			  &rev, e);
	d = rc > 0 ? opendir(netns_dir) : NULL;
	v.rev = rev;
	while (d && (entry = readdir(d))) {
		AUTO(free) char *path = xasprintf("%s/%s", netns_dir, entry->d_name);

		if (entry->d_name[0] != '.')
			visit_netns(&v, path);
	}
	free(v.found);
	*out_ended = v.ended;
	ends_done(ends);
	return rc < 0 ? -1 : 0;
}
