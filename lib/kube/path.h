/* SPDX-License-Identifier: Apache-2.0 */
/* URL paths and queries of the Kubernetes API, every part escaped (RFC 3986). No I/O. */
#ifndef LIB_KUBE_PATH_H
#define LIB_KUBE_PATH_H

#include "lib/base/sb.h"

/**
 * kube_path - the path of a collection, an object or its subresource.
 * @group_version: "v1" for the core group, else "group/version"
 * @ns: NULL = cluster scope, or the collection over all namespaces
 * @name: NULL = the collection
 * @subresource: "status" and the like, or NULL; only with a name
 *
 * "/api/v1/namespaces/a/pods/b", "/apis/tandem-cni.io/v1/macvlanips". The caller frees it.
 * Hostile text cannot leave its segment: "..", "/" and "?" are escaped.
 */
char *kube_path(const char *group_version, const char *ns, const char *resource, const char *name,
		const char *subresource);

/** kube_path_group - of a group version, where the server lists what it has of it. The caller frees it. */
char *kube_path_group(const char *group_version);

/** kube_path_child - "<collection>/<name, escaped>". The caller frees it. */
char *kube_path_child(const char *collection, const char *name);

/**
 * kube_query_add - append "key=value" with the value escaped, after an "&" if it is not the first.
 *
 * A NULL value adds nothing. Keys are ours ("labelSelector", "limit"), not escaped.
 */
void kube_query_add(struct sb *query, const char *key, const char *value);

/** kube_query_add_number - the same for a number. */
void kube_query_add_number(struct sb *query, const char *key, long long value);

/** kube_query_add_field - "fieldSelector=<field>=<value>", escaped for selector and URL. */
void kube_query_add_field(struct sb *query, const char *field, const char *value);

#endif
