/* SPDX-License-Identifier: Apache-2.0 */
/* Leader election on a Lease (coordination.k8s.io/v1), inside the client's dispatch. */
#ifndef LIB_KUBE_LEASE_H
#define LIB_KUBE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct kube_client;
struct kube_lease;

/* Called from the client's dispatch; must not free the lease. Each may be NULL. */
struct kube_lease_ops {
	/* We hold it. Once. */
	void (*acquired)(void *ctx);
	/* We held it and do not any more: another has it, or it could not be renewed in time. Final. */
	void (*lost)(void *ctx, const char *why);
	/* While we wait: who holds it, "" = nobody. When it changes. */
	void (*holder)(void *ctx, const char *identity);
	/* A request failed; it is repeated. */
	void (*failed)(void *ctx, const struct err *why);
};

struct kube_lease_options {
	const char *ns, *name; /* of the Lease; made when it is not there. Copied */
	const char *identity;  /* no other process ever has the same. Copied */
	int64_t duration_ms;   /* others wait so long after our last sign of life; whole seconds */
	int64_t renew_deadline_ms;        /* after so long without renewal we count it as lost */
	int64_t retry_ms;                 /* between two tries to acquire or to renew */
	const struct kube_lease_ops *ops; /* lent */
	void *ctx;
};

/**
 * kube_lease_new - starts to campaign at once.
 * @c: best a client of its own: a renewal must not wait behind a thousand writes
 *
 * Another's Lease is over when its record has not been seen to change for the duration that stands
 * in it, by our monotonic clock: clocks of different machines are never compared.
 */
struct kube_lease *kube_lease_new(struct kube_client *c, const struct kube_lease_options *opt);

/** kube_lease_free - without releasing it. Before the client is freed. */
void kube_lease_free(struct kube_lease *l);
DEFINE_AUTO(struct kube_lease, kube_lease_free)

/**
 * kube_lease_is_held - acquired, not lost, and the renew deadline has not passed.
 *
 * By CLOCK_BOOTTIME: also right after the process or the machine has slept.
 */
bool kube_lease_is_held(const struct kube_lease *l);

/**
 * kube_lease_doubt - something was seen that another holder may have done: read the Lease now.
 *
 * Nothing happens unless it is held.
 */
void kube_lease_doubt(struct kube_lease *l);

/** kube_lease_in_doubt - the read that kube_lease_doubt() asked for has not been answered yet. */
bool kube_lease_in_doubt(const struct kube_lease *l);

/**
 * kube_lease_release - give it up, so that another need not wait. Waits for the answer.
 *
 * Not from a callback. Nothing happens unless it is held, and when another has it by now.
 * Errors of kube_do().
 */
int kube_lease_release(struct kube_lease *l, int64_t deadline_ms, struct err *e) FN_MUST;

#endif
