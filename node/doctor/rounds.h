/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the daemon probes, and where what it finds goes: at the start, when a subnet or a NIC has changed, every hour, and
 * on request; into an annotation of its own Node. Probing itself is a child's work (node/doctor/once.h).
 */
#ifndef NODE_DOCTOR_ROUNDS_H
#define NODE_DOCTOR_ROUNDS_H

#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct kube_client;
struct rounds;

/* All lent. */
struct rounds_env {
	struct kube_client *client;
	const char *node, *state_dir;
	const char *root; /* where the node's / is; NULL = here */
};

/** rounds_new - nothing is asked before rounds_told(). ERR_IO. */
int rounds_new(const struct rounds_env *env, struct rounds **out, struct err *e) FN_MUST;
/** rounds_free - a child that probes is ended. Before the client is freed. */
void rounds_free(struct rounds *r);
DEFINE_AUTO(struct rounds, rounds_free)

/** rounds_fd - readable when a child has ended: call rounds_run(). Lent. */
int rounds_fd(const struct rounds *r);

/** rounds_told - what is to be looked at (ConfigMap tandem-cluster, key doctor); NULL: nothing. Copied. */
void rounds_told(struct rounds *r, const char *text);
/** rounds_links - the host's links have changed: NICs among them are looked at. */
void rounds_links(struct rounds *r);

/** rounds_next_ms - when rounds_run() has something to do (CLOCK_MONOTONIC); 0 = not before something happens. */
int64_t rounds_next_ms(const struct rounds *r);
void rounds_run(struct rounds *r);

#endif
