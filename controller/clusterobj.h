/* Namespaces and nodes: the few fields that allocation needs. */
#ifndef CONTROLLER_CLUSTEROBJ_H
#define CONTROLLER_CLUSTEROBJ_H

#include <stdbool.h>

#include "lib/base/err.h"

struct jval;

/* Of the shape that a kube_store wants; the objects are struct ns_obj and struct node_obj. */
int clusterobj_ns_decode(void *ctx, const struct jval *obj, void **out, struct err *e) FN_MUST;
void clusterobj_ns_free(void *obj);
bool clusterobj_ns_eq(const void *a, const void *b);

int clusterobj_node_decode(void *ctx, const struct jval *obj, void **out, struct err *e) FN_MUST;
void clusterobj_node_free(void *obj);
bool clusterobj_node_eq(const void *a, const void *b);

#endif
