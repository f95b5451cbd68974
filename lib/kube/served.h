/* SPDX-License-Identifier: Apache-2.0 */
/* What an API server serves, by its own word: GET /apis/GROUP/VERSION, an APIResourceList. */
#ifndef LIB_KUBE_SERVED_H
#define LIB_KUBE_SERVED_H

#include <stdbool.h>

struct kube_response;

/** kube_serves - the list has that resource, by its plural. What cannot be read serves nothing. */
bool kube_serves(const struct kube_response *res, const char *resource);

#endif
