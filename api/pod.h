/* The few fields of a pod that tandem reads. */
#ifndef API_POD_H
#define API_POD_H

#include "api/annotations.h"
#include "api/meta.h"

struct api_pod {
	struct api_meta meta;
	char *node;       /* "" while it is not bound */
	char *phase;      /* "Pending", "Running", "Succeeded", "Failed", "Unknown" or "" */
	char *owner_kind; /* of the controlling owner, "" for a bare pod */
	char *owner_name;
	char *owner_uid;
	int64_t deletion_grace_s; /* metadata.deletionGracePeriodSeconds, 0 = none or forced */
	bool host_network;
	bool is_static;      /* made from a file of the kubelet, or the mirror of one */
	bool has_ip;         /* status.podIP stands: the sandbox has been made */
	bool any_running;    /* by the last status a container runs */
	bool all_terminated; /* there is a status for every container and each one has ended */
	int64_t ended;       /* when the last container ended, 0 = not said */
	char *template_hash; /* label pod-template-hash, "" for none */
	char *annotation[API_ANNOTATIONS]; /* NULL = absent */
};

/**
 * api_pod_decode - JSON to struct. ERR_DECODE names the key. The caller frees *out.
 * @legacy: the older product's annotations count too, see api_annotations_read()
 */
int api_pod_decode(const struct jval *obj, bool legacy, struct api_pod **out,
		   struct err *e) FN_MUST;
void api_pod_free(struct api_pod *p);
DEFINE_AUTO(struct api_pod, api_pod_free)

/** api_pod_annotations - its four annotations, for api_request_parse(). Lent from the pod. */
struct api_annotations api_pod_annotations(const struct api_pod *p);
/** api_pod_is_annotated - it carries at least one of them. */
bool api_pod_is_annotated(const struct api_pod *p);
/** api_pod_is_over - phase Succeeded or Failed. */
bool api_pod_is_over(const struct api_pod *p);

#endif
