/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/options.h"

#include "api/journal.h"
#include "api/meta.h"
#include "api/network.h"
#include "controller/process/leader.h"
#include "controller/rules/copy_labels.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/daemon/options.h"

#define PER_SECOND_MAX 100000

struct options options_defaults(void)
{
	return (struct options){
		.system_ns = API_DEFAULT_SYSTEM_NAMESPACE,
		.qps = 200,
		.burst = 400,
		.records = {.rules = {.after_terminal_ms = 30000,
				      .hold_s = 3600,
				      .quarantine_s = 3600,
				      .missing_after_ms = 15000}},
		.journal = {.parts = 8, .days = 30},
		.leader = leader_defaults(),
		.webhook = webhook_options_defaults(),
	};
}

static int take_qps(const char *value, void *field)
{
	uint32_t n = 0;

	if (parse_u32(value, PER_SECOND_MAX, &n) < 0)
		return -1;
	*(double *)field = n;
	return 0;
}

static int take_burst(const char *value, void *field)
{
	uint32_t n = 0;

	if (parse_u32(value, PER_SECOND_MAX, &n) < 0)
		return -1;
	*(unsigned int *)field = n;
	return 0;
}

static int take_parts(const char *value, void *field)
{
	return parse_u32(value, API_JOURNAL_PARTS_MAX, field);
}

static int take_days(const char *value, void *field)
{
	uint32_t n = 0;

	if (parse_u32(value, 3650, &n) < 0 || !n)
		return -1;
	*(uint32_t *)field = n;
	return 0;
}

/* One of two words. */
static int take_word(const char *value, const char *yes, const char *no, bool *field)
{
	if (!str_eq(value, yes) && !str_eq(value, no))
		return -1;
	*field = str_eq(value, yes);
	return 0;
}

static int take_legacy(const char *value, void *field)
{
	return take_word(value, "read", "off", field);
}

static int take_attached(const char *value, void *field)
{
	return take_word(value, "pod-ip", "report", field);
}

#define FIELD(name) offsetof(struct options, name)

static const struct options_row rows[] = {
	{.name = "kubeconfig",
	 .value = "FILE",
	 .help = "default: the account of the pod that it runs in",
	 .take = options_take_text,
	 .field = FIELD(kubeconfig)},
	{.name = "system-namespace",
	 .value = "NAME",
	 .help = "namespace of the MacvlanSubnets (kube-system)",
	 .take = options_take_text,
	 .field = FIELD(system_ns)},
	{.name = "kube-api-qps",
	 .value = "N",
	 .help = "requests per second to the API server, 0 = no limit (200)",
	 .take = take_qps,
	 .field = FIELD(qps)},
	{.name = "kube-api-burst",
	 .value = "N",
	 .help = "how many of them at once (400)",
	 .take = take_burst,
	 .field = FIELD(burst)},
	{.name = "release-after-terminal",
	 .value = "S",
	 .help = "seconds that an address is held after its pod has ended (30)",
	 .take = options_take_seconds_ms,
	 .field = FIELD(records.rules.after_terminal_ms)},
	{.name = "hold-unwitnessed",
	 .value = "S",
	 .help = "seconds that it is held when nobody saw the pod end (3600)",
	 .take = options_take_seconds,
	 .field = FIELD(records.rules.hold_s)},
	{.name = "quarantine",
	 .value = "S",
	 .help = "seconds that an address which another machine uses is in\n"
		 "quarantine (3600), 0 = never",
	 .take = options_take_seconds,
	 .field = FIELD(records.rules.quarantine_s)},
	{.name = "legacy-annotations",
	 .value = "MODE",
	 .help = "off, or read: those of macvlan.pandaria.cattle.io/ as well\n(off)",
	 .take = take_legacy,
	 .field = FIELD(legacy_annotations)},
	{.name = "attached-by",
	 .value = "WHAT",
	 .help = "report, or pod-ip: a pod IP is taken as proof of the card, for\n"
		 "-macvlan Services and network-status (report)",
	 .take = take_attached,
	 .field = FIELD(records.attached_by_pod_ip)},
	{.name = "missing-after",
	 .value = "S",
	 .help = "with report: seconds after which a pod with an IP counts as\n"
		 "without a card when its node reports none (15)",
	 .take = options_take_seconds_ms,
	 .field = FIELD(records.rules.missing_after_ms)},
	{.name = "default-subnet",
	 .value = "NAME",
	 .help = "what pods ask for that name no subnet, in namespaces without a\n"
		 "default: where the nodes' conf has it as defaultSubnet (none)",
	 .take = options_take_text,
	 .field = FIELD(default_subnet)},
	{.name = "copy-labels",
	 .value = "LIST",
	 .help = "labels of a Service that its -macvlan Service bears too: keys, or\n"
		 "beginnings of keys that end in *, joined by commas (none)",
	 .take = options_take_text,
	 .field = FIELD(copy_labels)},
	{.name = "journal-parts",
	 .value = "N",
	 .help = "ConfigMaps of 256 KiB that who had which address is written to,\n"
		 "at most 16, 0 = it is not (8)",
	 .take = take_parts,
	 .field = FIELD(journal.parts)},
	{.name = "journal-days",
	 .value = "N",
	 .help = "how long it is kept there, where there is room (30)",
	 .take = take_days,
	 .field = FIELD(journal.days)},
	{.name = "metrics-bind-address",
	 .value = "A:P",
	 .help = "where /metrics is served, 0 = nowhere (:8080 in a pod)",
	 .take = options_take_text,
	 .field = FIELD(metrics_bind)},
	{.name = "webhook-bind-address",
	 .value = "A:P",
	 .help = "where the admission webhook listens, 0 = nowhere (:9443 in a\npod)",
	 .take = options_take_text,
	 .field = FIELD(webhook.bind)},
	{.name = "webhook-service",
	 .value = "NAME",
	 .help = "the Service that leads to it (tandem-controller-webhook)",
	 .take = options_take_text,
	 .field = FIELD(webhook.service)},
	{.name = "webhook-url",
	 .value = "URL",
	 .help = "https://HOST:PORT where it is reached instead, outside a cluster",
	 .take = options_take_text,
	 .field = FIELD(webhook.url)},
	{.name = "webhook-cert-duration",
	 .value = "D",
	 .help = "life of its certificate (8760h)",
	 .take = options_take_duration_ms,
	 .field = FIELD(webhook.cert_ms)},
	{.name = "webhook-authority-duration",
	 .value = "D",
	 .help = "of the authority that signs it (87600h)",
	 .take = options_take_duration_ms,
	 .field = FIELD(webhook.authority_ms)},
	{.name = "uninstall-webhook",
	 .value = NULL,
	 .help = "remove its configuration and certificate, then exit",
	 .take = options_take_flag,
	 .field = FIELD(uninstall_webhook)},
	{.name = "leader-elect",
	 .value = "BOOL",
	 .help = "one of the replicas works, the others stand by (true)",
	 .take = options_take_bool,
	 .field = FIELD(leader.elect),
	 .optional = true},
	{.name = "leader-elect-lease-duration",
	 .value = "D",
	 .help = "how long others wait for a silent leader (15s)",
	 .take = options_take_duration_ms,
	 .field = FIELD(leader.duration_ms)},
	{.name = "leader-elect-renew-deadline",
	 .value = "D",
	 .help = "a leader that cannot renew for so long exits (10s)",
	 .take = options_take_duration_ms,
	 .field = FIELD(leader.renew_deadline_ms)},
	{.name = "leader-elect-retry-period",
	 .value = "D",
	 .help = "between two attempts (2s)",
	 .take = options_take_duration_ms,
	 .field = FIELD(leader.retry_ms)},
	{.name = "leader-elect-resource-name",
	 .value = "NAME",
	 .help = "of the Lease (tandem-controller)",
	 .take = options_take_text,
	 .field = FIELD(leader.name)},
	{.name = "leader-elect-resource-namespace",
	 .value = "NAME",
	 .help = "of the Lease (the system namespace)",
	 .take = options_take_text,
	 .field = FIELD(leader.ns)},
};

static const struct options_program program = {
	.name = "tandem-controller",
	.version = TANDEM_VERSION,
	.about = "tandem-controller gives pods annotated with tandem-cni.io/subnet an address of "
		 "that\n"
		 "MacvlanSubnet. See tandem-controller(8).\n",
	.rows = rows,
	.n_rows = ARRAY_SIZE(rows),
};

int options_read(int argc, char **argv, struct options *o)
{
	struct err e = {0};
	int rc = options_parse(&program, argc, argv, o);

	if (rc >= 0)
		return rc;
	if (!api_name_ok(o->system_ns)) {
		log_error("not a namespace", "value", o->system_ns);
		return 2;
	}
	if (copy_labels_check(o->copy_labels, &e) < 0) {
		log_error("not an option's value", "error", e.msg);
		return 2;
	}
	if (leader_options_check(&o->leader, o->system_ns, &e) < 0 ||
	    webhook_options_check(&o->webhook, !o->kubeconfig, &e) < 0) {
		log_error("options that exclude each other", "error", e.msg);
		return 2;
	}
	return -1;
}
