/* SPDX-License-Identifier: Apache-2.0 */
/* The node's state files, as far as a witness needs them: whose card is whose, and in which namespace. */
#ifndef NODE_FILES_H
#define NODE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/ip.h"

struct state;
struct state_dir;

/* One attachment. Strings are owned, "" for what is not known. */
struct node_file {
	char *name; /* of the file */
	uint64_t stamp;
	char *container_id;
	char *ifname;
	char *netns;
	char *ns, *pod, *uid;  /* of the pod */
	char *card;            /* "" = the pod has no card of ours */
	char *given_up;        /* the record whose card its ADD will not make, "" = none */
	char *nic;             /* that the card is on, "" where the record names it */
	char *parent;          /* the host's link that it sits on, by the name that it had */
	struct mac_addr mac;   /* zero = not known */
	struct ip_addr ips[2]; /* that its ADD gave the card; unset = none known */
	bool complete;         /* its ADD was through */
	bool this_boot;        /* made since the machine has started */
	bool fresh;  /* complete now and not before; for who has to do with that, and clears it */
	bool listed; /* for files_scan() */
};

struct files {
	char *boot_id;
	struct node_file **v;
	size_t n;
	struct node_file **gone; /* went since the start; forgotten by files_forget() */
	size_t n_gone;
};

void files_init(struct files *f);
void files_done(struct files *f);
DEFINE_AUTO_VALUE(struct files, files_done)

/**
 * files_scan - bring the list up to date; only what has changed is read.
 *
 * A damaged file is logged and passed over: what was known of it before stays. On failure none is gone.
 */
int files_scan(struct files *f, const struct state_dir *state, struct err *e) FN_MUST;

/** files_add - take one file in, or exchange it (for files_scan() and tests). */
void files_add(struct files *f, const char *name, uint64_t stamp, const struct state *s);

/** files_is_pod - the attachment is that pod's, or may be: an old runtime does not tell the UID. */
bool files_is_pod(const struct node_file *file, const char *ns, const char *pod, const char *uid);

/** files_forget - drop the i-th of those that went. */
void files_forget(struct files *f, size_t i);

#endif
