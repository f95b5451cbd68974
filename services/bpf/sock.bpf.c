/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs at the root of cgroup v2 (BPF_PROG_TYPE_CGROUP_SOCK_ADDR, Linux 5.10 and later). Each reads the address
 * that a socket is given or gives back, has services/decide decide, and writes the other address. They need no
 * interface and no route, and cost nothing per packet.
 *
 * Compiled with clang -target bpf -mcpu=v3: no name of the kernel's own types, hence no BTF of the running kernel.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "services/decide/decide.h"

#define V4_MAPPED    bpf_htonl(0xffff)
#define ECONNREFUSED 111
#define REFUSE       0
#define GO_ON        1

/* Set by the loader, which has tried it: a constant, so that older kernels never see the call. */
const volatile __u32 can_set_retval = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct svc_conf);
} conf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SERVICES_MAX);
	__type(key, struct svc_key);
	__type(value, struct svc_value);
} svc SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SERVICES_SLOTS_MAX);
	__type(key, struct svc_slot_key);
	__type(value, struct svc_slot);
} slot SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SERVICES_SLOTS_MAX);
	__type(key, struct svc_live);
	__type(value, __u32);
} live SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SERVICES_PODS_MAX);
	__type(key, __u64);
	__type(value, struct svc_pod);
} netns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct svc_choices);
} sk SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SERVICES_REVERSE_MAX);
	__type(key, struct svc_reverse_key);
	__type(value, struct svc_reverse);
} rev SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SERVICES_AFFINITY_MAX);
	__type(key, struct svc_affinity_key);
	__type(value, struct svc_affinity);
} aff SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SERVICES_LEARN_MAX);
	__type(key, __u64);
	__type(value, __u64);
} learn SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SVC_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} stat SEC(".maps");

/* ------------------------------------------------------------------------------- look-ups */
DECIDE_INLINE const struct svc_conf *look_conf(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&conf, &zero);
}

DECIDE_INLINE const struct svc_pod *look_pod(__u64 cookie)
{
	return bpf_map_lookup_elem(&netns, &cookie);
}

DECIDE_INLINE const struct svc_value *look_service(const struct svc_key *k)
{
	return bpf_map_lookup_elem(&svc, k);
}

DECIDE_INLINE const struct svc_slot *look_slot(const struct svc_slot_key *k)
{
	return bpf_map_lookup_elem(&slot, k);
}

DECIDE_INLINE bool look_live(const struct svc_live *k)
{
	return bpf_map_lookup_elem(&live, k);
}

DECIDE_INLINE const struct svc_affinity *look_affinity(const struct svc_affinity_key *k)
{
	return bpf_map_lookup_elem(&aff, k);
}

DECIDE_INLINE bool keep_affinity(const struct svc_affinity_key *k, const struct svc_affinity *v)
{
	return bpf_map_update_elem(&aff, k, v, BPF_ANY) == 0;
}

DECIDE_INLINE struct svc_choices *look_choices(void *socket, bool make)
{
	return bpf_sk_storage_get(&sk, socket, NULL, make ? BPF_SK_STORAGE_GET_F_CREATE : 0);
}

DECIDE_INLINE const struct svc_reverse *look_reverse(const struct svc_reverse_key *k)
{
	return bpf_map_lookup_elem(&rev, k);
}

DECIDE_INLINE bool keep_reverse(const struct svc_reverse_key *k, const struct svc_reverse *v)
{
	return bpf_map_update_elem(&rev, k, v, BPF_ANY) == 0;
}

DECIDE_INLINE void drop_reverse(const struct svc_reverse_key *k)
{
	bpf_map_delete_elem(&rev, k);
}

DECIDE_INLINE __u64 look_now_ns(void)
{
	return bpf_ktime_get_ns();
}

DECIDE_INLINE __u32 look_random(void)
{
	return bpf_get_prandom_u32();
}

DECIDE_INLINE void count(enum svc_counter what)
{
	__u32 key = what;
	__u64 *n = bpf_map_lookup_elem(&stat, &key);

	if (n)
		(*n)++;
}

/* ------------------------------------------------------------------------------- there */
DECIDE_INLINE int refuse(void)
{
	if (can_set_retval)
		bpf_set_retval(-ECONNREFUSED);
	return REFUSE;
}

/* A kernel without SO_NETNS_COOKIE is asked this way; see SERVICES_LEARN_ADDR. */
DECIDE_INLINE void file_cookie(const struct decide_ask *a)
{
	if (a->connects && a->proto == DECIDE_UDP && a->port == bpf_htons(SERVICES_LEARN_PORT) &&
	    a->addr.w[3] == bpf_htonl(SERVICES_LEARN_ADDR) && a->addr.w[2] == V4_MAPPED)
		bpf_map_update_elem(&learn, &a->socket, &a->netns, BPF_ANY);
}

DECIDE_INLINE void begin(struct bpf_sock_addr *ctx, bool connects, struct decide_ask *a)
{
	a->sk = ctx->sk;
	a->netns = bpf_get_netns_cookie(ctx);
	a->on_node = a->netns == bpf_get_netns_cookie(NULL);
	a->socket = bpf_get_socket_cookie(ctx);
	a->port = (__u16)ctx->user_port;
	a->proto = (__u8)ctx->protocol;
	a->connects = connects;
}

DECIDE_INLINE int there4(struct bpf_sock_addr *ctx, bool connects)
{
	struct decide_ask a = {};
	struct decide_answer to = {};
	enum decide_verdict verdict;
	struct bpf_sock *socket = ctx->sk;

	begin(ctx, connects, &a);
	a.addr.w[2] = V4_MAPPED;
	a.addr.w[3] = ctx->user_ip4;
	if (socket && socket->src_ip4) {
		a.source.w[2] = V4_MAPPED;
		a.source.w[3] = socket->src_ip4;
	}
	file_cookie(&a);
	verdict = decide(&a, &to);
	if (verdict == DECIDE_REFUSE)
		return refuse();
	if (verdict == DECIDE_TRANSLATE) {
		ctx->user_ip4 = to.addr.w[3];
		ctx->user_port = to.port;
	}
	return GO_ON;
}

DECIDE_INLINE void source6(const struct bpf_sock *socket, struct svc_addr *out)
{
	out->w[0] = socket->src_ip6[0];
	out->w[1] = socket->src_ip6[1];
	out->w[2] = socket->src_ip6[2];
	out->w[3] = socket->src_ip6[3];
}

DECIDE_INLINE int there6(struct bpf_sock_addr *ctx, bool connects)
{
	struct decide_ask a = {};
	struct decide_answer to = {};
	enum decide_verdict verdict;
	struct bpf_sock *socket = ctx->sk;

	begin(ctx, connects, &a);
	a.addr.w[0] = ctx->user_ip6[0];
	a.addr.w[1] = ctx->user_ip6[1];
	a.addr.w[2] = ctx->user_ip6[2];
	a.addr.w[3] = ctx->user_ip6[3];
	if (socket)
		source6(socket, &a.source);
	verdict = decide(&a, &to);
	if (verdict == DECIDE_REFUSE)
		return refuse();
	if (verdict == DECIDE_TRANSLATE) {
		ctx->user_ip6[0] = to.addr.w[0];
		ctx->user_ip6[1] = to.addr.w[1];
		ctx->user_ip6[2] = to.addr.w[2];
		ctx->user_ip6[3] = to.addr.w[3];
		ctx->user_port = to.port;
	}
	return GO_ON;
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *ctx)
{
	return there4(ctx, true);
}

SEC("cgroup/sendmsg4")
int sendmsg4(struct bpf_sock_addr *ctx)
{
	return there4(ctx, false);
}

SEC("cgroup/connect6")
int connect6(struct bpf_sock_addr *ctx)
{
	return there6(ctx, true);
}

SEC("cgroup/sendmsg6")
int sendmsg6(struct bpf_sock_addr *ctx)
{
	return there6(ctx, false);
}

/* ------------------------------------------------------------------------------- and back */
DECIDE_INLINE int back4(struct bpf_sock_addr *ctx)
{
	struct decide_socket s = {.sk = ctx->sk, .cookie = bpf_get_socket_cookie(ctx)};
	struct decide_answer from = {}, service = {};

	from.addr.w[2] = V4_MAPPED;
	from.addr.w[3] = ctx->user_ip4;
	from.port = (__u16)ctx->user_port;
	if (decide_reverse(&s, &from, &service)) {
		ctx->user_ip4 = service.addr.w[3];
		ctx->user_port = service.port;
	}
	return GO_ON;
}

DECIDE_INLINE int back6(struct bpf_sock_addr *ctx)
{
	struct decide_socket s = {.sk = ctx->sk, .cookie = bpf_get_socket_cookie(ctx)};
	struct decide_answer from = {}, service = {};

	from.addr.w[0] = ctx->user_ip6[0];
	from.addr.w[1] = ctx->user_ip6[1];
	from.addr.w[2] = ctx->user_ip6[2];
	from.addr.w[3] = ctx->user_ip6[3];
	from.port = (__u16)ctx->user_port;
	if (decide_reverse(&s, &from, &service)) {
		ctx->user_ip6[0] = service.addr.w[0];
		ctx->user_ip6[1] = service.addr.w[1];
		ctx->user_ip6[2] = service.addr.w[2];
		ctx->user_ip6[3] = service.addr.w[3];
		ctx->user_port = service.port;
	}
	return GO_ON;
}

SEC("cgroup/recvmsg4")
int recvmsg4(struct bpf_sock_addr *ctx)
{
	return back4(ctx);
}

SEC("cgroup/recvmsg6")
int recvmsg6(struct bpf_sock_addr *ctx)
{
	return back6(ctx);
}

SEC("cgroup/getpeername4")
int getpeername4(struct bpf_sock_addr *ctx)
{
	return back4(ctx);
}

SEC("cgroup/getpeername6")
int getpeername6(struct bpf_sock_addr *ctx)
{
	return back6(ctx);
}

/* ------------------------------------------------------------------------------- the end of a socket */
/* Otherwise those that are closed would drive those that live out of the map. */
SEC("cgroup/sock_release")
int sock_release(struct bpf_sock *ctx)
{
	struct svc_choices *c;

	if (ctx->protocol != DECIDE_UDP)
		return GO_ON;
	c = bpf_sk_storage_get(&sk, ctx, NULL, 0);
	if (c)
		decide_forget(c, bpf_get_socket_cookie(ctx));
	return GO_ON;
}

char licence[] SEC("license") = "Dual MIT/GPL";
