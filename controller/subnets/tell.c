/* SPDX-License-Identifier: Apache-2.0 */
/* A subnet's status, and what is told of it. */
#include "controller/facts/facts.h"
#include "controller/process/events.h"
#include "controller/subnets/internal.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

struct status_in subnet_status(const struct subnet *subnet, const struct ipam_allocation *record)
{
	const struct facts *facts = subnet->all->in.facts;

	return (struct status_in){
		.meta = &subnet->obj->meta,
		.spec = subnet->obj->spec,
		.why = &subnet->obj->why,
		.record = record,
		.range = &subnet->range,
		.range6 = subnet_range6(subnet),
		.named = subnet_named(subnet),
		.overlap = subnet->overlap,
		.services = facts_services(facts),
		.pods = facts_pods(facts),
		.kubernetes = facts_kubernetes(facts),
		.networks_settled = facts_are_settled(facts),
		.n_held = subnet->n_held,
		.n_waiting = subnet->n_queue,
		.doctor = subnet->doctor,
		.conditions = subnet->conditions,
		.conflicts_until_s = subnet->conflicts_until_s,
		.conflicts_reason = subnet->conflicts_reason,
		.conflicts_why = subnet->conflicts_why,
		.now_s = process_now_s(subnet->all->in.process),
	};
}

static void tell_condition(struct subnet *subnet, enum condition_kind kind,
			   const struct condition *c)
{
	bool ready = kind == CONDITION_READY;
	struct event v = {
		.api_version = API_GROUP_VERSION,
		.kind = API_KIND_SUBNET,
		.about = &subnet->obj->meta,
		.warning = ready != c->holds,
		.reason = ready && !c->holds ? c->reason : c->type,
		.message = c->message,
	};

	/* Of the others only the bad news. */
	if ((!ready && !c->holds) || event_was_told(&subnet->told_ms[kind]))
		return;
	log_line(v.warning ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, "subnet", "subnet", subnet->name,
		 "reason", v.reason, "message", v.message, (char *)0);
	event_send(subnet->all->in.process, &v);
}

void subnet_tell_conditions(struct subnet *subnet, const char *before)
{
	struct status_in in = subnet_status(subnet, &subnet->record);
	struct condition c[CONDITIONS];
	int n = conditions_make(&in, c);

	for (int i = 0; i < n; i++) {
		const char *type = c[i].type;

		if (conditions_was(subnet->conditions, type, NULL) == c[i].holds &&
		    conditions_was(before, type, NULL) != c[i].holds)
			tell_condition(subnet, (enum condition_kind)i, &c[i]);
	}
}
