/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/cluster/objects.h"

#include "api/annotations.h"
#include "api/meta.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"

static int read_labels(const struct jval *obj, struct api_label **out, size_t *n, struct err *e)
{
	struct jval meta, labels, item;
	struct api_label *list;
	int rc;

	if (jas_obj(obj, e) < 0 || jneed_obj(obj, "metadata", &meta, e) < 0)
		return -1;
	rc = jget_obj(&meta, "labels", &labels, e);
	if (rc <= 0)
		return rc;
	list = xcalloc(jlen(&labels) + 1, sizeof(*list));
	*out = list;
	for (struct jiter it = jiter_of(&labels); jiter_next(&it, &item);) {
		if (!jis_str(&item))
			continue;
		list[*n].key = xstrdup(item.key);
		list[*n].value = xstrdup(jstr(&item));
		(*n)++;
	}
	return 0;
}

static void free_labels(struct api_label *labels, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(labels[i].key);
		free(labels[i].value);
	}
	free(labels);
}

static bool labels_eq(const struct api_label *a, size_t n, const struct api_label *b, size_t m)
{
	if (n != m)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(a[i].key, b[i].key) || !str_eq(a[i].value, b[i].value))
			return false;
	}
	return true;
}

void cluster_namespace_free(void *obj)
{
	struct cluster_namespace *ns = obj;

	if (!ns)
		return;
	free_labels(ns->labels, ns->n_labels);
	free(ns->subnet);
	free(ns);
}

static int read_default(const struct jval *obj, char **out, struct err *e)
{
	const char *text = NULL;
	struct jval meta, all;
	int rc;

	if (jneed_obj(obj, "metadata", &meta, e) < 0)
		return -1;
	rc = jget_obj(&meta, "annotations", &all, e);
	if (rc > 0)
		rc = jget_str(&all, API_ANNOTATION_SUBNET, &text, e);
	if (rc < 0)
		return -1;
	*out = text && !str_eq(text, API_SUBNET_NONE) ? xstrdup(text) : NULL;
	return 0;
}

int cluster_namespace_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct cluster_namespace *ns = xcalloc(1, sizeof(*ns));

	(void)ctx;
	if (read_labels(obj, &ns->labels, &ns->n_labels, e) < 0 ||
	    read_default(obj, &ns->subnet, e) < 0) {
		cluster_namespace_free(ns);
		return -1;
	}
	*out = ns;
	return 0;
}

bool cluster_namespace_eq(const void *a, const void *b)
{
	const struct cluster_namespace *x = a, *y = b;

	return labels_eq(x->labels, x->n_labels, y->labels, y->n_labels) &&
	       str_eq(x->subnet, y->subnet);
}

void cluster_node_free(void *obj)
{
	struct cluster_node *node = obj;

	if (!node)
		return;
	free_labels(node->labels, node->n_labels);
	free(node->addrs);
	ipam_nets_done(&node->pod_cidrs);
	api_doctor_done(&node->doctor);
	free(node);
}

/* Every address of every kind: what is not an address (Hostname) does not parse. */
static int read_addresses(const struct jval *status, struct cluster_node *node, struct err *e)
{
	struct jval list, item;
	int rc = jget_arr(status, "addresses", &list, e);

	if (rc <= 0)
		return rc;
	node->addrs = xcalloc(jlen(&list) + 1, sizeof(*node->addrs));
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		const char *text = "";

		if (jas_obj(&item, e) < 0 || jget_str(&item, "address", &text, e) < 0)
			return -1;
		if (ip_parse(text, &node->addrs[node->n_addrs]) == 0)
			node->n_addrs++;
	}
	return 0;
}

/* podCIDR alone is what API servers before 1.16 say. */
static int read_pod_cidrs(const struct jval *spec, struct cluster_node *node, struct err *e)
{
	struct jval list = {0}, item;
	const char *text = "";
	struct ip_net net;

	if (jget_arr(spec, "podCIDRs", &list, e) < 0 || jget_str(spec, "podCIDR", &text, e) < 0)
		return -1;
	if (ip_net_parse(text, &net) == 0)
		ipam_nets_add(&node->pod_cidrs, &net);
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		if (jis_str(&item) && ip_net_parse(jstr(&item), &net) == 0)
			ipam_nets_add(&node->pod_cidrs, &net);
	}
	ipam_nets_join(&node->pod_cidrs);
	return 0;
}

/* Set by a hand that knows the machine to be off: nothing of its pods runs any more. */
static int read_taints(const struct jval *spec, struct cluster_node *node, struct err *e)
{
	struct jval list = {0}, item;

	if (jget_arr(spec, "taints", &list, e) < 0)
		return -1;
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		const char *key = "";

		if (jas_obj(&item, e) < 0 || jget_str(&item, "key", &key, e) < 0)
			return -1;
		node->out_of_service |= str_eq(key, "node.kubernetes.io/out-of-service");
	}
	return 0;
}

/* Text of which nothing is believed but what it says of the LAN. What cannot be read is as good as none. */
static int read_doctor(const struct jval *obj, struct cluster_node *node, struct err *e)
{
	const char *text = NULL, *asked = NULL;
	struct jval meta, all;
	struct err ignored = {0};
	int rc;

	if (jneed_obj(obj, "metadata", &meta, e) < 0)
		return -1;
	rc = jget_obj(&meta, "annotations", &all, e);
	if (rc <= 0)
		return rc;
	if (jget_str(&all, API_ANNOTATION_DOCTOR, &text, e) < 0 ||
	    jget_str(&all, API_ANNOTATION_DOCTOR_NOW, &asked, e) < 0)
		return -1;
	IGNORE(text && api_doctor_read(text, &node->doctor, &ignored) < 0, "see above");
	if (asked && clock_parse_rfc3339(asked, &node->doctor_asked_s) < 0)
		node->doctor_asked_s = 0;
	return 0;
}

int cluster_node_decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	struct cluster_node *node = xcalloc(1, sizeof(*node));
	struct jval spec = {0}, status = {0};

	(void)ctx;
	if (read_labels(obj, &node->labels, &node->n_labels, e) < 0 ||
	    read_doctor(obj, node, e) < 0 || jget_obj(obj, "spec", &spec, e) < 0 ||
	    jget_obj(obj, "status", &status, e) < 0 ||
	    (jis_obj(&spec) &&
	     (read_taints(&spec, node, e) < 0 || read_pod_cidrs(&spec, node, e) < 0)) ||
	    (jis_obj(&status) && (read_addresses(&status, node, e) < 0 ||
				  api_is_ready(&status, &node->ready, e) < 0))) {
		cluster_node_free(node);
		return -1;
	}
	*out = node;
	return 0;
}

bool cluster_node_eq(const void *a, const void *b)
{
	const struct cluster_node *x = a, *y = b;

	if (x->ready != y->ready || x->out_of_service != y->out_of_service ||
	    x->n_addrs != y->n_addrs || !labels_eq(x->labels, x->n_labels, y->labels, y->n_labels))
		return false;
	for (size_t i = 0; i < x->n_addrs; i++) {
		if (!ip_eq(&x->addrs[i], &y->addrs[i]))
			return false;
	}
	return ipam_nets_eq(&x->pod_cidrs, &y->pod_cidrs) &&
	       x->doctor_asked_s == y->doctor_asked_s && api_doctor_eq(&x->doctor, &y->doctor);
}
