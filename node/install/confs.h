/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime's folder of confs: whose they are, in which order, and which of them is the primary's. */
#ifndef NODE_INSTALL_CONFS_H
#define NODE_INSTALL_CONFS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/json/jscan.h"

#define CONFS_PLUGIN "tandem" /* our plugin's type */
#define CONFS_OURS   "00-tandem.conflist"
/* Where something else sorts before that. */
#define CONFS_OURS_FIRST "+00-tandem.conflist"

/* A file that a runtime takes for a conf. */
struct confs_file {
	char *name;
	char *network; /* NULL: a runtime could not use it */
	bool runs_us;  /* our plugin is in it */
	bool runs_multus;
	bool settling; /* of no use as it is, and written a moment ago: perhaps half of it is there */
};

/* In the order of libcni. */
struct confs {
	struct confs_file *v;
	size_t n;
};

void confs_done(struct confs *c);
DEFINE_AUTO_VALUE(struct confs, confs_done)

/** confs_is_name - libcni reads a file of this name: its last suffix is .conf, .conflist or .json. */
bool confs_is_name(const char *name);

/** confs_add - take one in, at its place. @fresh: it was written a moment ago. */
void confs_add(struct confs *c, const char *name, struct jspan text, bool fresh);

/** confs_read - all of a folder, as seen from here, into an empty list. ERR_IO. */
int confs_read(const char *dir, struct confs *out, struct err *e) FN_MUST;

/* What is wanted for the primary. NULL for what does not matter. */
struct confs_wish {
	const char *only;            /* this file and no other */
	const char *default_network; /* the runtime takes this network alone (CRI-O) */
	const char *file, *network;  /* what our conf follows now */
	bool with_multus;            /* in front of us it may be */
};

enum confs_verdict {
	CONFS_FOUND,
	CONFS_NONE,     /* there is no primary's conf (yet) */
	CONFS_SETTLING, /* one that would come first is being written */
	CONFS_GONE,     /* what we follow is no more, and nothing has clearly taken its place */
	CONFS_MULTUS,   /* Multus is in front of it */
};

/**
 * confs_pick - the primary's conf: what the runtime would use if ours were not there. Pure.
 * @out: the file, or what stands in the way; lent by the list; NULL: none
 *
 * Never one with our plugin in it, Multus's, or one whose name begins with a dot. What we follow is left only
 * for a file that comes before it, or for the only other one of its network when it has gone: a second CNI's conf
 * that stays behind must not become the primary while the primary's own is being written.
 */
enum confs_verdict confs_pick(const struct confs *c, const struct confs_wish *wish,
			      const struct confs_file **out);

/**
 * confs_before - the first file that comes before a name and keeps the runtime from us; NULL: none. Lent.
 *
 * One that runs our plugin itself does not, nor does Multus where it may be in front.
 */
const struct confs_file *confs_before(const struct confs *c, const char *name, bool with_multus);

/** confs_find - by name, or NULL. Lent. */
const struct confs_file *confs_find(const struct confs *c, const char *name);

#endif
