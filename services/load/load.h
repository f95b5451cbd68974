/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket programs in the kernel: loaded, linked to the root of cgroup v2, pinned, found again.
 *
 *	<pins>/v1/conf svc slot live netns rev aff learn stat sk	maps
 *	<pins>/v1/link_connect4 ...					one link for each hook
 *
 * What is pinned stays when this process ends, and serves what stands in the maps. All or nothing: where one hook
 * cannot be had, none is taken. Callers hold table_lock().
 */
#ifndef SERVICES_LOAD_LOAD_H
#define SERVICES_LOAD_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

#define LOAD_PINS   "/sys/fs/bpf/tandem"
#define LOAD_HOOKS  9
#define LOAD_OTHERS 16
#define LOAD_NAME   16 /* BPF_OBJ_NAME_LEN */

struct load_where {
	const char *pins;   /* a folder on a file system of BPF, made if need be */
	const char *cgroup; /* NULL = the real root, wherever it is mounted */
};

/** load_dir - where the maps of this version are pinned. The caller frees it. */
char *load_dir(const char *pins);

/**
 * load_mount - the file systems that load_begin() needs, where nobody has mounted them: by a program that may mount, for
 * one that may not. ERR_UNSUPPORTED, ERR_CONFIG, ERR_IO.
 */
int load_mount(const struct load_where *w, struct err *e) FN_MUST;

/**
 * load_begin - have this program's programs at the hooks, with the maps that are there already.
 * @out_can_refuse: the kernel lets a program choose the error (ECONNREFUSED) that a refused socket gets
 *
 * ERR_UNSUPPORTED: this kernel or this place cannot. ERR_CONFLICT: another's exclusive program sits there; the text
 * names it. ERR_KERNEL, ERR_IO. After a failure nothing is attached that was not before.
 */
int load_begin(const struct load_where *w, bool *out_can_refuse, struct err *e) FN_MUST;

/** load_end - links first, then maps, then the folders, then what we have mounted. Nothing there is fine. */
int load_end(const struct load_where *w, struct err *e) FN_MUST;

struct load_other {
	uint32_t id;
	char name[LOAD_NAME]; /* "" = not to be had without more rights */
};

struct load_hook {
	const char *name;
	bool attached; /* the kernel says so, at the cgroup */
	uint32_t program;
	struct load_other others[LOAD_OTHERS]; /* in the order in which they run */
	size_t n_others;
};

struct load_state {
	char *cgroup; /* owned; NULL = none was found */
	bool maps;    /* are pinned */
	size_t attached;
	struct load_hook hooks[LOAD_HOOKS];
};

/** load_look - what the kernel has at the hooks. End it with load_state_done(). */
int load_look(const struct load_where *w, struct load_state *out, struct err *e) FN_MUST;
void load_state_done(struct load_state *s);

#endif
