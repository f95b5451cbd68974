/* SPDX-License-Identifier: Apache-2.0 */
/* tandem-services by hand: svc, ep, status, load, unload. It needs no cluster and no daemon. */
#ifndef SERVICES_TOOL_H
#define SERVICES_TOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "services/load/load.h"

#define TOOL_LOCK      "/run/tandem/services.lock"
#define TOOL_NETNS_DIR "/run/netns"

struct sb;
struct table;

struct tool_options {
	struct load_where where;
	const char *lock;
	const char *netns_dir; /* of the namespaces whose sockets may have to end */
	const char *output;    /* "json", or NULL = a table */
	bool json;
	/* svc */
	const char *service, *backends;
	int64_t affinity_s;
	uint32_t scope;
	/* ep */
	const char *netns, *ifname;
	bool skip, single, cut;
	/* load */
	bool udp, host;
	const char *no_endpoints;
	/* unload */
	bool stay;
};

/** tool_run - the words after the program's name. The exit code. */
int tool_run(int argc, char **argv);

/* The commands. Text for standard output goes to out. */
int tool_svc_add(const struct tool_options *o, struct sb *out, struct err *e) FN_MUST;
int tool_svc_del(const struct tool_options *o, struct sb *out, struct err *e) FN_MUST;
int tool_svc_ls(const struct tool_options *o, struct sb *out, struct err *e) FN_MUST;
int tool_ep_add(const struct tool_options *o, struct sb *out, struct err *e) FN_MUST;
int tool_ep_del(const struct tool_options *o, struct sb *out, struct err *e) FN_MUST;
int tool_ep_ls(const struct tool_options *o, struct sb *out, struct err *e) FN_MUST;
int tool_status(const struct tool_options *o, struct sb *out, struct err *e) FN_MUST;
int tool_load(const struct tool_options *o, struct sb *out, struct err *e) FN_MUST;
int tool_mount(const struct tool_options *o, struct sb *out, struct err *e) FN_MUST;
int tool_unload(const struct tool_options *o, struct sb *out, struct err *e) FN_MUST;

/** tool_lock - the lock of all writers, its folder made if need be. The caller closes *out_fd. */
int tool_lock(const char *file, int *out_fd, struct err *e) FN_MUST;

/** tool_load_again - load, over what is there, with o's switches; under the lock. */
int tool_load_again(const struct tool_options *o, struct err *e) FN_MUST;

/** tool_have_loaded - load, unless it is, with o's switches; under the lock. */
int tool_have_loaded(const struct tool_options *o, struct err *e) FN_MUST;

/* A table for people: cells in rows, columns as wide as they must be. */
#define GRID_COLUMNS 8
struct grid {
	char ***rows;
	size_t n, columns;
};
void grid_add(struct grid *g, const char *const cells[], size_t n);
void grid_print(const struct grid *g, struct sb *out);
void grid_done(struct grid *g);
DEFINE_AUTO_VALUE(struct grid, grid_done)

#endif
