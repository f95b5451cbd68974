/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a connect() or sendmsg() to an address that may be a ClusterIP, and of the address that getpeername()
 * and recvmsg() give back. The same text is compiled into the BPF programs, a table of tests and a fuzzer; whoever
 * includes it defines the look_*() functions first. They return what is in a map, lent, or NULL.
 *
 *	family, protocol -> the namespace's flags -> the Service -> the socket's own or the client's earlier backend, if it
 *	is still there -> else one at random -> remember it -> the new address
 *
 * What is not known is left alone, and so is everything when a map is full: the cluster's own proxy is behind us.
 */
#ifndef SERVICES_DECIDE_DECIDE_H
#define SERVICES_DECIDE_DECIDE_H

#include <stdbool.h>

#include "services/decide/layout.h"

#define DECIDE_INLINE static inline __attribute__((always_inline))
#define DECIDE_TCP    6
#define DECIDE_UDP    17

enum decide_verdict { DECIDE_LEAVE, DECIDE_TRANSLATE, DECIDE_REFUSE };

struct decide_ask {
	void *sk; /* for look_choices() */
	struct svc_addr addr;
	struct svc_addr source; /* that the socket is bound to; zero = none */
	__u64 netns, socket;    /* cookies */
	__u16 port;
	__u8 proto;
	bool connects; /* else it is one datagram */
	bool on_node;  /* of the node's own namespace, by the kernel's word */
};

struct decide_answer {
	struct svc_addr addr;
	__u16 port;
};

struct decide_socket {
	void *sk;
	__u64 cookie;
};

/* ------------------------------------------------------------------------------- look-ups */
DECIDE_INLINE const struct svc_conf *look_conf(void);
DECIDE_INLINE const struct svc_pod *look_pod(__u64 netns);
DECIDE_INLINE const struct svc_value *look_service(const struct svc_key *k);
DECIDE_INLINE const struct svc_slot *look_slot(const struct svc_slot_key *k);
DECIDE_INLINE bool look_live(const struct svc_live *k);
DECIDE_INLINE const struct svc_affinity *look_affinity(const struct svc_affinity_key *k);
DECIDE_INLINE bool keep_affinity(const struct svc_affinity_key *k, const struct svc_affinity *v);
/* Of a socket; make: zeroed, if it has none yet. */
DECIDE_INLINE struct svc_choices *look_choices(void *sk, bool make);
DECIDE_INLINE const struct svc_reverse *look_reverse(const struct svc_reverse_key *k);
DECIDE_INLINE bool keep_reverse(const struct svc_reverse_key *k, const struct svc_reverse *v);
DECIDE_INLINE void drop_reverse(const struct svc_reverse_key *k);
DECIDE_INLINE __u64 look_now_ns(void);
DECIDE_INLINE __u32 look_random(void);
DECIDE_INLINE void count(enum svc_counter what);

/* ------------------------------------------------------------------------------- addresses */
DECIDE_INLINE bool addr_eq(const struct svc_addr *a, const struct svc_addr *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1] && a->w[2] == b->w[2] && a->w[3] == b->w[3];
}

DECIDE_INLINE bool addr_is_set(const struct svc_addr *a)
{
	return a->w[0] || a->w[1] || a->w[2] || a->w[3];
}

/* ------------------------------------------------------------------------------- which Service */
/* A socket that is bound to another address than the card's does not leave by the card. */
DECIDE_INLINE __u32 decide_scope(const struct svc_pod *pod, const struct decide_ask *a)
{
	if (!pod)
		return 0;
	if (addr_is_set(&a->source) && !addr_eq(&a->source, &pod->addr[0]) &&
	    !addr_eq(&a->source, &pod->addr[1]))
		return 0;
	return pod->scope;
}

DECIDE_INLINE bool take_service(const struct svc_key *k, struct svc_value *out)
{
	const struct svc_value *v = look_service(k);

	if (!v)
		return false;
	*out = *v;
	return out->check == svc_check(k);
}

/*
 * The Service as this client is to see it. TRANSLATE: *out, which may have no backends. A set of the client's LAN that
 * is empty counts as none.
 */
DECIDE_INLINE enum decide_verdict decide_service(const struct decide_ask *a,
						 const struct svc_pod *pod, struct svc_value *out)
{
	struct svc_key k = {.addr = a->addr, .port = a->port, .proto = a->proto};

	k.scope = decide_scope(pod, a);
	if (k.scope && take_service(&k, out) && out->n)
		return DECIDE_TRANSLATE;
	k.scope = 0;
	if (!take_service(&k, out))
		return DECIDE_LEAVE;
	if (pod && pod->flags & SVC_POD_CUT)
		return DECIDE_REFUSE;
	if (pod && pod->flags & SVC_POD_SINGLE)
		return DECIDE_LEAVE;
	return DECIDE_TRANSLATE;
}

/* ------------------------------------------------------------------------------- which backend */
DECIDE_INLINE bool decide_is_live(__u32 id, const struct svc_addr *addr, __u16 port)
{
	struct svc_live k = {.addr = *addr, .port = port, .id = id};

	return look_live(&k);
}

/* One socket's datagrams stay with one backend, however the others change. */
DECIDE_INLINE bool decide_as_before(const struct decide_ask *a, __u32 id, struct decide_answer *out)
{
	const struct svc_choices *c = look_choices(a->sk, false);

	if (!c)
		return false;
	for (int i = 0; i < SERVICES_CHOICES; i++) {
		const struct svc_choice *v = &c->v[i];

		if (v->id != id || v->service_port != a->port || !addr_eq(&v->service, &a->addr))
			continue;
		if (!decide_is_live(id, &v->backend, v->backend_port))
			return false;
		out->addr = v->backend;
		out->port = v->backend_port;
		return true;
	}
	return false;
}

DECIDE_INLINE bool decide_by_affinity(const struct svc_affinity_key *k, __u32 affinity_s,
				      struct decide_answer *out)
{
	const struct svc_affinity *v = look_affinity(k);
	__u64 used_ns;

	if (!v)
		return false;
	used_ns = v->used_ns;
	out->addr = v->backend;
	out->port = v->port;
	return look_now_ns() - used_ns <= affinity_s * 1000000000ULL &&
	       decide_is_live(k->id, &out->addr, out->port);
}

/* What an unconnected socket cannot remember shall not hop about all the same: its cookie chooses. */
DECIDE_INLINE __u32 decide_number(const struct decide_ask *a, __u32 id)
{
	__u64 h;

	if (a->connects)
		return look_random();
	h = (a->socket ^ id) * 0x9e3779b97f4a7c15ULL;
	return (__u32)(h >> 32);
}

DECIDE_INLINE bool decide_slot(const struct decide_ask *a, const struct svc_value *s,
			       struct decide_answer *out)
{
	struct svc_slot_key k = {.id = s->id, .gen = s->gen};
	const struct svc_slot *v;

	k.slot = decide_number(a, s->id) % s->n;
	v = look_slot(&k);
	if (!v)
		return false;
	out->addr = v->addr;
	out->port = v->port;
	return v->id == s->id && v->gen == s->gen;
}

/* ------------------------------------------------------------------------------- remembering */
/* The place for a choice: that of the same Service or the same backend, else a free one; -1 = all are taken. */
DECIDE_INLINE int decide_place(const struct svc_choices *c, const struct decide_ask *a,
			       const struct decide_answer *to)
{
	int place = -1;

	for (int i = 0; i < SERVICES_CHOICES; i++) {
		const struct svc_choice *v = &c->v[i];

		if (v->id && ((v->service_port == a->port && addr_eq(&v->service, &a->addr)) ||
			      (v->backend_port == to->port && addr_eq(&v->backend, &to->addr))))
			return i;
		if (!v->id && place < 0)
			place = i;
	}
	return place;
}

DECIDE_INLINE void decide_forget(struct svc_choices *c, __u64 socket)
{
	struct svc_reverse_key k = {.socket = socket};

	for (int i = 0; i < SERVICES_CHOICES; i++) {
		if (!c->v[i].id)
			continue;
		k.backend = c->v[i].backend;
		k.port = c->v[i].backend_port;
		drop_reverse(&k);
		c->v[i].id = 0;
	}
}

DECIDE_INLINE bool decide_remember(const struct decide_ask *a, __u32 id,
				   const struct decide_answer *to)
{
	struct svc_reverse_key k = {.socket = a->socket, .backend = to->addr, .port = to->port};
	struct svc_reverse r = {.service = a->addr, .port = a->port, .id = id};
	struct svc_choices *c = look_choices(a->sk, true);
	struct svc_choice *v;
	int place = 0;

	if (!c)
		return false;
	if (a->connects)
		decide_forget(c, a->socket);
	else
		place = decide_place(c, a, to);
	if (a->connects && a->proto == DECIDE_UDP)
		keep_reverse(&k, &r); /* without it the socket only is not ended */
	if (place < 0 || place >= SERVICES_CHOICES)
		return keep_reverse(&k, &r);
	v = &c->v[place];
	v->service = a->addr;
	v->service_port = a->port;
	v->backend = to->addr;
	v->backend_port = to->port;
	v->id = id;
	return true;
}

DECIDE_INLINE bool decide_keep(const struct decide_ask *a, const struct svc_value *s,
			       const struct decide_answer *to)
{
	struct svc_affinity_key k = {.netns = a->netns, .id = s->id};
	struct svc_affinity v = {.backend = to->addr, .port = to->port};

	if (s->affinity_s) {
		v.used_ns = look_now_ns();
		if (!keep_affinity(&k, &v))
			return false;
	}
	return decide_remember(a, s->id, to);
}

/* ------------------------------------------------------------------------------- the whole */
DECIDE_INLINE enum decide_verdict decide_empty(const struct svc_conf *conf,
					       const struct svc_value *s)
{
	if (s->flags & SVC_PASS)
		return DECIDE_LEAVE;
	return (conf->flags & SVC_CONF_REFUSE) || (s->flags & SVC_REFUSE) ? DECIDE_REFUSE
									  : DECIDE_LEAVE;
}

/* 1: *out. 2: *out, which the socket remembers already. 0: there is none. -1: the Service has changed; look again. */
DECIDE_INLINE int decide_backend(const struct decide_ask *a, const struct svc_value *s,
				 struct decide_answer *out)
{
	struct svc_affinity_key k = {.netns = a->netns, .id = s->id};

	if (!s->n)
		return 0;
	if (!a->connects && decide_as_before(a, s->id, out))
		return s->affinity_s ? 1 : 2;
	if (s->affinity_s && decide_by_affinity(&k, s->affinity_s, out))
		return 1;
	return decide_slot(a, s, out) ? 1 : -1;
}

DECIDE_INLINE bool decide_concerns(const struct svc_conf *conf, const struct svc_pod *pod,
				   const struct decide_ask *a)
{
	if (conf->flags & SVC_CONF_OFF)
		return false;
	if (a->proto == DECIDE_UDP && !(conf->flags & SVC_CONF_UDP))
		return false;
	if ((a->on_node || a->netns == conf->host) && !(conf->flags & SVC_CONF_HOST))
		return false;
	return !pod || !(pod->flags & SVC_POD_SKIP);
}

DECIDE_INLINE enum decide_verdict decide_try(const struct decide_ask *a, struct decide_answer *out)
{
	const struct svc_conf *conf = look_conf();
	const struct svc_pod *pod = look_pod(a->netns);
	enum decide_verdict verdict;
	struct svc_value s;
	int rc;

	if (!conf || !decide_concerns(conf, pod, a))
		return DECIDE_LEAVE;
	/* Between two looks a Service may get its next generation, and lose the slots of the one before. */
	for (int i = 0; i < 2; i++) {
		verdict = decide_service(a, pod, &s);
		if (verdict == DECIDE_LEAVE)
			count(SVC_MISSED);
		if (verdict != DECIDE_TRANSLATE)
			return verdict;
		rc = decide_backend(a, &s, out);
		if (rc == 0)
			return decide_empty(conf, &s);
		if (rc < 0)
			continue;
		if (rc == 2 || decide_keep(a, &s, out))
			return DECIDE_TRANSLATE;
		break;
	}
	count(SVC_FULL);
	return DECIDE_LEAVE;
}

/** decide - of a connect() or a datagram. TRANSLATE: to *out. The counters are brought up to date. */
DECIDE_INLINE enum decide_verdict decide(const struct decide_ask *a, struct decide_answer *out)
{
	enum decide_verdict verdict;
	struct svc_choices *c;

	if (a->proto != DECIDE_TCP && a->proto != DECIDE_UDP)
		return DECIDE_LEAVE;
	verdict = decide_try(a, out);
	if (verdict == DECIDE_TRANSLATE)
		count(SVC_TRANSLATED);
	else if (verdict == DECIDE_REFUSE)
		count(SVC_REFUSED);
	else if (a->connects && (c = look_choices(a->sk, false)))
		decide_forget(c, a->socket); /* what it connects to now is itself */
	return verdict;
}

/** decide_reverse - the Service that this socket knows the backend by. False: it is what it is. */
DECIDE_INLINE bool decide_reverse(const struct decide_socket *s,
				  const struct decide_answer *backend, struct decide_answer *out)
{
	struct svc_reverse_key k = {
		.socket = s->cookie, .backend = backend->addr, .port = backend->port};
	const struct svc_choices *c = look_choices(s->sk, false);
	const struct svc_reverse *r;

	if (!c)
		return false;
	for (int i = 0; i < SERVICES_CHOICES; i++) {
		const struct svc_choice *v = &c->v[i];

		if (!v->id || v->backend_port != backend->port ||
		    !addr_eq(&v->backend, &backend->addr))
			continue;
		out->addr = v->service;
		out->port = v->service_port;
		return true;
	}
	r = look_reverse(&k);
	if (!r)
		return false;
	out->addr = r->service;
	out->port = r->port;
	return true;
}

#endif
