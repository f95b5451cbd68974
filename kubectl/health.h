/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the parts of tandem work, as far as objects tell. */
#ifndef KUBECTL_HEALTH_H
#define KUBECTL_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include "kubectl/print/table.h"

struct cli;

enum health { HEALTH_OK = 0, HEALTH_WARNING, HEALTH_WRONG };

struct health_line {
	const char *kind; /* "controller", "webhook", "node", "subnet" */
	char *name;       /* of a node or subnet, else NULL */
	enum health health;
	char *text;
};

struct health_lines {
	struct health_line *items;
	size_t n;
};

void health_done(struct health_lines *l);
DEFINE_AUTO_VALUE(struct health_lines, health_done)

/*
 * What each appends its lines with; tandem's pods, nodes and subnets stand in the facts. What the user may not read
 * is a warning.
 */
void health_controller(struct cli *cli, struct health_lines *out);
void health_webhook(struct cli *cli, struct health_lines *out);
void health_nodes(struct cli *cli, struct health_lines *out);
void health_subnets(struct cli *cli, struct health_lines *out);

/** health_leader_wrong - why no controller works; NULL = one does. The caller frees it. */
char *health_leader_wrong(struct cli *cli);
/** health_daemon_wrong - why tandem-node does not on this node; NULL = it does, or none is there at all. */
char *health_daemon_wrong(struct cli *cli, const char *node);

/** health_add - one more line. */
void health_add(struct health_lines *out, const char *kind, const char *name, enum health health,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
