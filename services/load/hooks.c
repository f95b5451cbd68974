/* SPDX-License-Identifier: Apache-2.0 */
#include "services/load/hooks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"

#define PROGRAMS_MAX 64 /* of one hook at one cgroup: BPF_CGROUP_MAX_PROGS */

const struct hook hooks[LOAD_HOOKS] = {
	{"connect4", BPF_CGROUP_INET4_CONNECT},
	{"connect6", BPF_CGROUP_INET6_CONNECT},
	{"sendmsg4", BPF_CGROUP_UDP4_SENDMSG},
	{"sendmsg6", BPF_CGROUP_UDP6_SENDMSG},
	{"recvmsg4", BPF_CGROUP_UDP4_RECVMSG},
	{"recvmsg6", BPF_CGROUP_UDP6_RECVMSG},
	{"getpeername4", BPF_CGROUP_INET4_GETPEERNAME},
	{"getpeername6", BPF_CGROUP_INET6_GETPEERNAME},
	{"sock_release", BPF_CGROUP_INET_SOCK_RELEASE},
};

char *hook_pin(const char *dir, const struct hook *h)
{
	return xasprintf("%s/link_%s", dir, h->name);
}

int hook_link(const char *dir, const struct hook *h)
{
	AUTO(free) char *pin = hook_pin(dir, h);

	return bpf_obj_get(pin);
}

uint32_t hook_program(int link_fd)
{
	struct bpf_link_info info = {0};
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(link_fd, &info, &len) < 0 ? 0 : info.prog_id;
}

static void name_program(struct load_other *o)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);
	AUTO(fd) int fd = bpf_prog_get_fd_by_id(o->id);

	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &len) == 0)
		snprintf(o->name, sizeof(o->name), "%s", info.name);
}

int hook_look(int cgroup_fd, const struct hook *h, uint32_t ours, struct load_hook *out,
	      struct err *e)
{
	uint32_t ids[PROGRAMS_MAX], n = PROGRAMS_MAX, flags = 0;

	*out = (struct load_hook){.name = h->name};
	if (bpf_prog_query(cgroup_fd, h->type, 0, &flags, ids, &n) < 0)
		return err_errno(e, errno == EINVAL ? ERR_UNSUPPORTED : ERR_KERNEL, errno,
				 "ask who is at the hook %s", h->name);
	for (uint32_t i = 0; i < n && i < PROGRAMS_MAX; i++) {
		if (ours && ids[i] == ours) {
			out->attached = true;
			out->program = ours;
		} else if (out->n_others < LOAD_OTHERS) {
			out->others[out->n_others].id = ids[i];
			name_program(&out->others[out->n_others++]);
		}
	}
	return 0;
}
