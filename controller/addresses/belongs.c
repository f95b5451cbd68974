/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/addresses/belongs.h"

#include "api/owner.h"
#include "api/pod.h"
#include "api/workload.h"
#include "controller/cluster/cluster.h"
#include "controller/cluster/owners.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* One of its kind and name is there, with another UID: the pod's own is gone, or never was. */
static bool is_anothers(const struct cluster *c, const struct api_pod *pod)
{
	static const enum api_workload_kind kinds[] = {API_STATEFULSET, API_DAEMONSET, API_JOB};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct api_workload *w;

		if (!api_owner_is(&pod->owner, api_workload_type(kinds[i])->group,
				  api_workload_kind_name(kinds[i])))
			continue;
		w = cluster_workload(c, kinds[i], pod->meta.ns, pod->owner.name);
		return w && !str_eq(w->meta.uid, pod->owner.uid);
	}
	return false;
}

bool belongs_to(const struct cluster *c, struct owners *owners, const struct api_pod *pod,
		char **out)
{
	AUTO(free) char *id = NULL;
	const struct api_workload *job;

	*out = NULL;
	if (is_anothers(c, pod))
		return true;
	if (api_owner_is(&pod->owner, "batch", api_workload_kind_name(API_JOB))) {
		job = cluster_workload(c, API_JOB, pod->meta.ns, pod->owner.name);
		if (job) {
			*out = api_workload_id(job);
			return true;
		}
	}
	id = api_workload_id_of_pod(pod);
	if (id && api_owner_is_id(id))
		return !pod->annotations.request.n_ips ||
		       owners_top(owners, pod->meta.ns, &pod->owner, out);
	*out = STEAL(id);
	return true;
}
