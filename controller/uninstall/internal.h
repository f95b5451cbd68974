/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of uninstall/ share. */
#ifndef CONTROLLER_UNINSTALL_INTERNAL_H
#define CONTROLLER_UNINSTALL_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/map.h"

struct jval;
struct kube_client;
struct kube_request;

/* Names, in the order in which they are found; owned. */
struct names {
	char **v;
	size_t n, cap;
};

struct uninstall {
	const char *kubeconfig; /* NULL = in-cluster */
	const char *system_ns;
	bool wait;  /* for pods with cards */
	bool force; /* leave them running */
	int64_t timeout_ms;
	struct kube_client *client;
	struct map with_card; /* the pods that have a card, by their UIDs, which are in: */
	struct names uids;
};

/** names_add - a copy of it, and all copies' end. */
void names_add(struct names *l, const char *name);
void names_done(struct names *l);
DEFINE_AUTO_VALUE(struct names, names_done)
/** names_text - sorted: "a, b, c" and how many more. The caller frees it. */
char *names_text(struct names *l);

/* One object of a list. 0, or -1 with e, which ends it. */
typedef int uninstall_item_fn(void *ctx, const struct jval *obj, struct err *e);

/** uninstall_each - every object of a collection; a kind that is not served has none. */
int uninstall_each(const struct uninstall *u, const char *path, const char *query,
		   uninstall_item_fn *item, void *ctx, struct err *e) FN_MUST;
/** uninstall_send - one request; that the object is gone is fine. */
int uninstall_send(const struct uninstall *u, const struct kube_request *req,
		   struct err *e) FN_MUST;
/** uninstall_patch, uninstall_delete - one object, which may be gone. */
int uninstall_patch(const struct uninstall *u, const char *path, const char *body,
		    struct err *e) FN_MUST;
int uninstall_delete(const struct uninstall *u, const char *path, struct err *e) FN_MUST;
/** uninstall_pause - a second, in which calls go on. */
void uninstall_pause(const struct uninstall *u);

/** uninstall_cards - which pods have a card. out may be NULL. */
int uninstall_cards(struct uninstall *u, struct names *out, struct err *e) FN_MUST;
/** uninstall_nodes - wait until each node has taken away what it has. was_told: it was told before. */
int uninstall_nodes(const struct uninstall *u, bool was_told, struct err *e) FN_MUST;
/** uninstall_forget_nodes - their annotations go. */
int uninstall_forget_nodes(const struct uninstall *u, struct err *e) FN_MUST;
/** uninstall_objects - what the controller has made, and its marks on what users have made. */
int uninstall_objects(struct uninstall *u, struct err *e) FN_MUST;
/** uninstall_kinds - the definitions, where nothing is left of them. 1 = gone, 0 = there are objects: names. */
int uninstall_kinds(const struct uninstall *u, struct names *left, struct err *e) FN_MUST;

#endif
