/* SPDX-License-Identifier: Apache-2.0 */
/* What config.c and user_config.c share. */
#ifndef LIB_KUBE_CONFIG_INT_H
#define LIB_KUBE_CONFIG_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

struct kube_config;
struct yaml_at;

#define KUBE_CONFIG_FILE_MAX ((size_t)1 << 20)

/* One kubeconfig, or several that count as one: the first that has a thing. */
struct kube_files {
	const struct yaml_at *roots;
	size_t n;     /* one at least */
	bool of_user; /* what only users' programs may do is let through */
};

/**
 * kube_config_read_files - of the context (NULL = the current one) the cluster and what stands there of the user.
 *
 * 1 = *out_user is the user's entry, 0 = the context names none, -1.
 */
int kube_config_read_files(const struct kube_files *files, const char *context_name,
			   struct kube_config *c, struct yaml_at *out_user, struct err *e) FN_MUST;

/** kube_config_proxy_ok - a URL of a proxy that curl knows. */
bool kube_config_proxy_ok(const char *url);

#endif
