/* SPDX-License-Identifier: Apache-2.0 */
/* The primary: a conf or a conflist, run plugin by plugin as libcni runs it. */
#ifndef DELEGATE_CHAIN_H
#define DELEGATE_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/cni/args.h"
#include "lib/cni/version.h"
#include "lib/json/jscan.h"

struct chain;
struct sb;

struct chain_source {
	const char *what; /* for messages: "delegate" or the file's path */
	struct jspan text;
	const char *fallback_name; /* the network name when the conf has none of its own */
	const char *own_type;      /* this type in it is ERR_CONFIG: we do not run ourselves */
	bool by_type; /* a file not called *.conflist: with a type it is one plugin's conf, whatever plugins it has */
};

/**
 * chain_load - check a conf or conflist and keep a copy of it.
 *
 * Strict enough to see half a file: ERR_DECODE for anything that is not one complete JSON text.
 * ERR_CONFIG: no type, no plugins, a bad name; ERR_VERSION: no version that we know.
 */
int chain_load(const struct chain_source *src, struct chain **out, struct err *e) FN_MUST;
/** chain_none - no plugins at all: whatever is done with it succeeds. */
struct chain *chain_none(const char *name, enum cni_version version);
void chain_free(struct chain *c);
DEFINE_AUTO(struct chain, chain_free)

/**
 * chain_list - what was read as one plugin's conf, with plugins beside it, as a list that reads alike anywhere.
 *
 * NULL for all else: its text says what it is. Caller frees.
 */
char *chain_list(const struct chain *c);

/* All lent by the chain. */
const char *chain_name(const struct chain *c);
enum cni_version chain_version(const struct chain *c);
size_t chain_len(const struct chain *c);
const char *chain_type(const struct chain *c, size_t i);
/** chain_conf - plugin i's own bytes in the conf. */
struct jspan chain_conf(const struct chain *c, size_t i);
/** chain_drop - the plugins of that type are not run; true when there was one. */
bool chain_drop(struct chain *c, const char *type);
/** chain_note - what deserves a warning (a name unlike fallback_name), NULL if nothing. */
const char *chain_note(const struct chain *c);

/* Spans are valid JSON, as jscan_check() has it, or absent. */
struct chain_env {
	const struct cni_args *args; /* all but its command */
	char *const *environ;  /* what else the plugins see; its CNI_ variables are replaced */
	const char *more_dirs; /* searched after CNI_PATH, colons between; NULL = none */
	struct jspan runtime_config;
	struct jspan prev_result; /* ADD: of a plugin before us; DEL, CHECK: the final result */
	int64_t deadline_ms;      /* CLOCK_MONOTONIC */
	int cancel_fd;            /* see struct exec_run; -1 = none */
	struct jspan valid_attachments; /* GC only */
	struct sb *notes; /* gets what deserves a warning, "; " between; NULL = dropped */
};

struct chain_results {
	char **v; /* each plugin's own result, as printed; the last one is the chain's */
	size_t n;
};

/**
 * chain_add - ADD, in order, each plugin with the result of the one before.
 *
 * On failure of plugin k, *out holds the results of the k before it and nothing is rolled back, as
 * in libcni: the caller runs chain_del(). Errors are those of exec_run() and find_plugin(), so a
 * missing binary is ERR_NOT_FOUND and a plugin's failure ERR_DELEGATE; ERR_DECODE: no result.
 */
int chain_add(const struct chain *c, const struct chain_env *env, struct chain_results *out,
	      struct err *e) FN_MUST;
void chain_results_done(struct chain_results *r);
DEFINE_AUTO_VALUE(struct chain_results, chain_results_done)

/**
 * chain_del - DEL, last plugin first, each with prev_result (from 0.4.0 on).
 *
 * Every plugin is run whatever happens to the others, with a fair share of the time that is left.
 * The error is the first failure; ERR_NOT_FOUND (a missing binary) only when nothing else failed.
 */
int chain_del(const struct chain *c, const struct chain_env *env, struct err *e) FN_MUST;
/** chain_check - CHECK, in order; nothing below 0.4.0 or with disableCheck. */
int chain_check(const struct chain *c, const struct chain_env *env, struct err *e) FN_MUST;
/** chain_status - STATUS, in order; nothing below 1.1.0. */
int chain_status(const struct chain *c, const struct chain_env *env, struct err *e) FN_MUST;
/** chain_gc - GC of all plugins, going on after errors; nothing below 1.1.0 or with disableGC. */
int chain_gc(const struct chain *c, const struct chain_env *env, struct err *e) FN_MUST;

#endif
