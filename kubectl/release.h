/* SPDX-License-Identifier: Apache-2.0 */
/* What check.c, release.c and release_off.c share. */
#ifndef KUBECTL_RELEASE_H
#define KUBECTL_RELEASE_H

#include <stdbool.h>

#include "lib/base/err.h"

struct api_ip;
struct cli;

/** check_read - subnets, records, pods of all namespaces, nodes. */
int check_read(struct cli *cli, struct err *e) FN_MUST;

/** release_ask - a question to the user; false: no, or there is nobody to ask. */
bool release_ask(const struct cli *cli, const char *question);

/**
 * release_off - of a node that is powered off: taint it, remove the pod, wait for the controller, take the taint away.
 *
 * An exit_status, or -1.
 */
int release_off(struct cli *cli, const struct api_ip *r, struct err *e);

#endif
