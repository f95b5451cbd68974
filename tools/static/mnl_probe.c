/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints what libmnl's functions answer to fixed and to odd input. Linked once with the system's
 * libmnl and once with tools/static/mnl.c, it must print the same: see mnl_test.sh.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <libmnl/libmnl.h>

static void dump(const char *what, const void *p, size_t n)
{
	const unsigned char *b = p;

	printf("%s %zu:", what, n);
	for (size_t i = 0; i < n; i++)
		printf(" %02x", b[i]);
	printf("\n");
}

static int show_attr(const struct nlattr *a, void *data)
{
	int *stop_at = data;

	printf("attr type %u len %u payload %u valid %d\n", mnl_attr_get_type(a),
	       mnl_attr_get_len(a), mnl_attr_get_payload_len(a), mnl_attr_type_valid(a, 9));
	return --*stop_at;
}

static void writing(void)
{
	/* Zeroed: libmnl 1.0.4 leaves the padding as it is, later ones and ours clear it. */
	_Alignas(8) char buf[512] = {0};
	struct nlmsghdr *h;
	struct nlattr *outer, *inner;
	struct rtmsg *m;
	int many = 100, two = 2;

	h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = RTM_NEWROUTE;
	m = mnl_nlmsg_put_extra_header(h, 13);
	m->rtm_family = 2;
	mnl_attr_put(h, 1, 3, "abc");
	mnl_attr_put(h, 2, 0, NULL);
	mnl_attr_put_u8(h, 3, 0xab);
	mnl_attr_put_u16(h, 4, 0xabcd);
	outer = mnl_attr_nest_start(h, 5);
	mnl_attr_put_u32(h, 6, 0xabcdef01);
	inner = mnl_attr_nest_start_check(h, sizeof(buf), 7);
	mnl_attr_put_u64(h, 8, 0x0102030405060708);
	mnl_attr_put_strz(h, 9, "eth1");
	mnl_attr_nest_end(h, inner);
	mnl_attr_put_str(h, 10, "eth1");
	mnl_attr_nest_end(h, outer);
	inner = mnl_attr_nest_start(h, 11);
	mnl_attr_put_u8(h, 12, 1);
	mnl_attr_nest_cancel(h, inner);
	dump("message", buf, h->nlmsg_len);
	printf("payload %zu offset %td tail %td size %zu\n", mnl_nlmsg_get_payload_len(h),
	       (char *)mnl_nlmsg_get_payload_offset(h, 13) - buf,
	       (char *)mnl_nlmsg_get_payload_tail(h) - buf, mnl_nlmsg_size(5));
	printf("parse %d\n", mnl_attr_parse(h, 13, show_attr, &many));
	printf("stopped %d\n", mnl_attr_parse(h, 13, show_attr, &two));
	many = 100;
	printf("nested %d\n", mnl_attr_parse_nested(outer, show_attr, &many));
	printf("payload %d\n",
	       mnl_attr_parse_payload(mnl_attr_get_payload(outer), 11, show_attr, &many));
}

static void full(void)
{
	for (size_t room = 16; room < 48; room++) {
		_Alignas(8) char buf[64] = {0};
		struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
		bool a = mnl_attr_put_u8_check(h, room, 1, 1);
		bool b = mnl_attr_put_u16_check(h, room, 2, 1);
		bool c = mnl_attr_put_strz_check(h, room, 3, "abc");
		bool d = mnl_attr_put_str_check(h, room, 3, "abcde");
		bool e = mnl_attr_put_u32_check(h, room, 4, 7);
		bool f = mnl_attr_put_u64_check(h, room, 5, 7);
		bool g = mnl_attr_nest_start_check(h, room, 6) != NULL;

		printf("room %zu: %d%d%d%d%d%d%d len %u\n", room, a, b, c, d, e, f, g,
		       h->nlmsg_len);
	}
}

static void validating(void)
{
	static const char *const texts[] = {"", "a", "ab", "abc", "abcd", "abcde", "abcdefgh", ""};
	static const size_t lens[] = {0, 1, 2, 3, 4, 5, 8, 1};

	for (int t = 0; t <= MNL_TYPE_MAX; t++)
		for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
			_Alignas(8) char buf[64] = {0};
			struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
			struct nlattr *a = mnl_nlmsg_get_payload(h);

			mnl_attr_put(h, 1, lens[i], texts[i]);
			errno = 0;
			printf("validate %d/%zu: %d", t, lens[i],
			       mnl_attr_validate(a, (enum mnl_attr_data_type)t));
			printf(" errno %d", errno);
			errno = 0;
			printf(" %d", mnl_attr_validate2(a, (enum mnl_attr_data_type)t, 3));
			printf(" errno %d\n", errno);
		}
}

static void odd_lengths(void)
{
	for (int have = -1; have < 24; have++)
		for (unsigned int says = 0; says < 24; says++) {
			struct nlmsghdr h = {.nlmsg_len = says};
			struct nlattr a = {.nla_len = (uint16_t)says};

			printf("%d", mnl_nlmsg_ok(&h, have) * 2 + mnl_attr_ok(&a, have));
		}
	printf("\n");
}

static int on_data(const struct nlmsghdr *h, void *data)
{
	(void)data;
	printf("data type %u\n", h->nlmsg_type);
	return h->nlmsg_type == 99 ? MNL_CB_STOP : MNL_CB_OK;
}

static void run(const char *what, uint16_t type, uint16_t flags, int error, size_t n)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		struct nlmsghdr h2;
	} m = {.h = {.nlmsg_len = sizeof(m.h) + sizeof(m.e),
		     .nlmsg_type = type,
		     .nlmsg_flags = flags,
		     .nlmsg_seq = 5,
		     .nlmsg_pid = 6},
	       .e = {.error = error},
	       .h2 = {.nlmsg_len = sizeof(m.h2), .nlmsg_type = 77}};
	static const unsigned int seqs[] = {0, 5, 9}, ports[] = {0, 6, 9};

	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 3; k++) {
			errno = 0;
			printf("%s: %d", what, mnl_cb_run(&m, n, seqs[i], ports[k], on_data, NULL));
			printf(" errno %d\n", errno);
		}
}

static void callbacks(void)
{
	size_t whole = sizeof(struct nlmsghdr) * 2 + sizeof(struct nlmsgerr);

	run("ack", NLMSG_ERROR, 0, 0, whole);
	run("error", NLMSG_ERROR, 0, -ENODEV, whole);
	run("positive", NLMSG_ERROR, 0, 5, whole);
	run("done", NLMSG_DONE, NLM_F_MULTI, 0, whole);
	run("noop", NLMSG_NOOP, 0, 0, whole);
	run("overrun", NLMSG_OVERRUN, 0, 0, whole);
	run("data", 50, 0, 0, whole);
	run("stop", 99, 0, 0, whole);
	run("interrupted", 50, NLM_F_DUMP_INTR, 0, whole);
	run("cut", 50, 0, 0, whole - 1);
	run("none", 50, 0, 0, 3);
}

/* A short receive buffer, then a real dump of lo. */
static void kernel(void)
{
	_Alignas(8) char buf[32768];
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *m;
	int on = 1;
	socklen_t len = sizeof(on);

	printf("bind %d\n", mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID));
	printf("port %d fd %d\n", mnl_socket_get_portid(nl) != 0, mnl_socket_get_fd(nl) > 2);
	printf("set %d", mnl_socket_setsockopt(nl, NETLINK_EXT_ACK, &on, sizeof(on)));
	printf(" get %d", mnl_socket_getsockopt(nl, NETLINK_EXT_ACK, &on, &len));
	printf(" on %d\n", on);
	h->nlmsg_type = RTM_GETLINK;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	h->nlmsg_seq = 5;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->ifi_index = 1;
	for (int i = 0; i < 2; i++) {
		ssize_t n = mnl_socket_sendto(nl, buf, h->nlmsg_len);

		printf("sent %zd", n);
		errno = 0;
		n = mnl_socket_recvfrom(nl, i ? buf : (char[16]){0}, i ? sizeof(buf) : 16);
		printf(" got %d errno %d\n", n > 0, errno);
		if (i == 0) {
			char ack[256];

			printf("ack %zd\n", mnl_socket_recvfrom(nl, ack, sizeof(ack)));
			continue;
		}
		printf("run %d\n",
		       mnl_cb_run(buf, (size_t)n, 5, mnl_socket_get_portid(nl), on_data, NULL));
	}
	printf("close %d\n", mnl_socket_close(nl));
	errno = 0;
	printf("no such bus %d", mnl_socket_open(9999) == NULL);
	printf(" errno %d\n", errno);
}

int main(void)
{
	writing();
	full();
	validating();
	odd_lengths();
	callbacks();
	kernel();
	return 0;
}
