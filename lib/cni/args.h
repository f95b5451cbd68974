/* SPDX-License-Identifier: Apache-2.0 */
/* What the runtime says in the environment. */
#ifndef LIB_CNI_ARGS_H
#define LIB_CNI_ARGS_H

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/cni/version.h"

/* Owned strings; "" for what was not given. */
struct cni_args {
	enum cni_command command;
	char *container_id;
	char *netns;
	char *ifname;
	char *cni_args; /* CNI_ARGS as it is: "K=V;K=V" */
	char *path;     /* CNI_PATH: directories with colons between */
};

#define CNI_ARGS_INIT        \
	{                    \
		.command = 0 \
	}

/**
 * cni_args_from_env - read the CNI_ variables of an environment ("environ").
 *
 * 1: *out is filled, release it with cni_args_done(). 0: no CNI_COMMAND at all, so a person
 * has called (print an about line). -1: ERR_ENV names every missing variable at once, or the first
 * malformed one. If a variable is there twice, the later one counts.
 */
int cni_args_from_env(char *const *env, struct cni_args *out, struct err *e) FN_MUST;
void cni_args_done(struct cni_args *a);
DEFINE_AUTO_VALUE(struct cni_args, cni_args_done)

/**
 * cni_args_get - one value out of CNI_ARGS (K8S_POD_NAME and such; unknown keys are fine).
 *
 * 1 found (the caller frees *out), 0 not there, -1 ERR_ENV: a pair without or with two '='.
 */
int cni_args_get(const char *cni_args, const char *key, char **out, struct err *e) FN_MUST;

/** cni_name_check - container ID and network name syntax: [A-Za-z0-9][A-Za-z0-9_.-]*. -1 if not. */
int cni_name_check(const char *s) FN_MUST;
/** cni_ifname_check - 1..15 bytes, not "." or "..", no '/', ':' or white space. -1 if not. */
int cni_ifname_check(const char *s) FN_MUST;

#endif
