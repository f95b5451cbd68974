/* SPDX-License-Identifier: Apache-2.0 */
/* The hooks of sockets, and who sits at each of them. */
#ifndef SERVICES_LOAD_HOOKS_H
#define SERVICES_LOAD_HOOKS_H

#include <bpf/bpf.h>

#include "services/load/load.h"

struct hook {
	const char *name; /* of the program */
	enum bpf_attach_type type;
};

extern const struct hook hooks[LOAD_HOOKS];

/** hook_pin - where its link is pinned. The caller frees it. */
char *hook_pin(const char *dir, const struct hook *h);

/** hook_link - its pinned link as a descriptor, -1 = none. The caller closes it. */
int hook_link(const char *dir, const struct hook *h);

/** hook_program - the program of a link, and which cgroup it is at; 0 = unknown. */
uint32_t hook_program(int link_fd);

/** hook_look - who is at the hook of the cgroup; ours: the program that is ours, 0 = none is. */
int hook_look(int cgroup_fd, const struct hook *h, uint32_t ours, struct load_hook *out,
	      struct err *e) FN_MUST;

#endif
