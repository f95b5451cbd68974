/* tandem-controller: gives pods that ask for a second card an address on the LAN. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "controller/app.h"
#include "controller/cache.h"
#include "controller/ent.h"
#include "controller/hook.h"
#include "controller/leader.h"
#include "controller/metrics.h"
#include "controller/loop.h"
#include "controller/netstatus.h"
#include "controller/reserve.h"
#include "controller/sub.h"
#include "controller/svc.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/daemon/daemon.h"
#include "lib/kube/client.h"
#include "lib/kube/config.h"

static const char help[] =
	"tandem-controller gives pods annotated with tandem-cni.io/subnet an address of that\n"
	"MacvlanSubnet. See tandem-controller(8).\n"
	"\n"
	"  --kubeconfig FILE            default: the account of the pod that it runs in\n"
	"  --system-namespace NAME      whose MacvlanSubnets count (kube-system)\n"
	"  --kube-api-qps N             requests per second to the API server, 0 = no limit (200)\n"
	"  --kube-api-burst N           how many of them may come at once (400)\n"
	"  --release-after-terminal S   seconds that an address is kept when its pod has ended (30)\n"
	"  --hold-unwitnessed S         seconds that it is kept when nobody saw the pod end (3600)\n"
	"  --quarantine S               seconds that an address which another machine uses is set aside\n"
	"                               (3600), 0 = never\n"
	"  --legacy-annotations MODE    off, or read: macvlan.pandaria.cattle.io/ ones count too (off)\n"
	"  --attached-by WHAT           report, or pod-ip: a pod IP is taken as proof of the card,\n"
	"                               for -macvlan Services and network-status (pod-ip)\n"
	"  --missing-after S            with report: seconds after which a pod with an IP is said to have\n"
	"                               no card when its node reports none (15)\n"
	"  --metrics-bind-address A:P   where /metrics is served, 0 = nowhere (:8080 in a pod)\n"
	"  --webhook-bind-address A:P   where the admission webhook listens, 0 = nowhere (:9443 in a pod)\n"
	"  --webhook-service NAME       the Service that leads to it (tandem-controller-webhook)\n"
	"  --webhook-url URL            https://HOST:PORT that leads to it instead, outside of a cluster\n"
	"  --webhook-cert-duration D    life of its certificate (8760h)\n"
	"  --webhook-authority-duration D     of the authority that signs it (87600h)\n"
	"  --uninstall-webhook          remove its configuration and certificate, then exit\n"
	"  --leader-elect=BOOL          one of the replicas works, the others stand by (true)\n"
	"  --leader-elect-lease-duration D    others wait so long for a leader that is silent (15s)\n"
	"  --leader-elect-renew-deadline D    a leader that cannot renew so long exits (10s)\n"
	"  --leader-elect-retry-period D      between two tries (2s)\n"
	"  --leader-elect-resource-name NAME  of the Lease (tandem-controller)\n"
	"  --leader-elect-resource-namespace NAME   (the system namespace)\n"
	"  --v N                        4 and above also logs details\n"
	"  --version, --help            print and exit\n";

enum option_number {
	OPT_KUBECONFIG = 256,
	OPT_SYSTEM_NS,
	OPT_QPS,
	OPT_BURST,
	OPT_TERMINAL,
	OPT_HOLD,
	OPT_QUARANTINE,
	OPT_LEADER,
	OPT_LEGACY,
	OPT_LEASE_DURATION,
	OPT_LEASE_DEADLINE,
	OPT_LEASE_RETRY,
	OPT_LEASE_NAME,
	OPT_LEASE_NS,
	OPT_METRICS,
	OPT_HOOK_BIND,
	OPT_HOOK_SERVICE,
	OPT_HOOK_URL,
	OPT_HOOK_CERT,
	OPT_HOOK_AUTHORITY,
	OPT_HOOK_UNINSTALL,
	OPT_ATTACHED,
	OPT_MISSING,
	OPT_VERSION,
	OPT_HELP,
};

static const struct option options[] = {
	{"kubeconfig", required_argument, NULL, OPT_KUBECONFIG},
	{"system-namespace", required_argument, NULL, OPT_SYSTEM_NS},
	{"kube-api-qps", required_argument, NULL, OPT_QPS},
	{"kube-api-burst", required_argument, NULL, OPT_BURST},
	{"release-after-terminal", required_argument, NULL, OPT_TERMINAL},
	{"hold-unwitnessed", required_argument, NULL, OPT_HOLD},
	{"quarantine", required_argument, NULL, OPT_QUARANTINE},
	{"leader-elect", optional_argument, NULL, OPT_LEADER},
	{"legacy-annotations", required_argument, NULL, OPT_LEGACY},
	{"leader-elect-lease-duration", required_argument, NULL, OPT_LEASE_DURATION},
	{"leader-elect-renew-deadline", required_argument, NULL, OPT_LEASE_DEADLINE},
	{"leader-elect-retry-period", required_argument, NULL, OPT_LEASE_RETRY},
	{"leader-elect-resource-name", required_argument, NULL, OPT_LEASE_NAME},
	{"leader-elect-resource-namespace", required_argument, NULL, OPT_LEASE_NS},
	{"metrics-bind-address", required_argument, NULL, OPT_METRICS},
	{"webhook-bind-address", required_argument, NULL, OPT_HOOK_BIND},
	{"webhook-service", required_argument, NULL, OPT_HOOK_SERVICE},
	{"webhook-url", required_argument, NULL, OPT_HOOK_URL},
	{"webhook-cert-duration", required_argument, NULL, OPT_HOOK_CERT},
	{"webhook-authority-duration", required_argument, NULL, OPT_HOOK_AUTHORITY},
	{"uninstall-webhook", no_argument, NULL, OPT_HOOK_UNINSTALL},
	{"attached-by", required_argument, NULL, OPT_ATTACHED},
	{"missing-after", required_argument, NULL, OPT_MISSING},
	{"v", required_argument, NULL, 'v'},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static int seconds(const char *text, uint32_t *out)
{
	return daemon_seconds(text, 30 * 86400, out);
}

/* As Kubernetes writes durations, in one unit: "15s", "500ms", "1m"; a bare number is seconds. */
static int duration(const char *text, int64_t *out_ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"", 1000}};
	size_t n = strspn(text, "0123456789");
	AUTO(free) char *digits = xstrndup(text, n);
	uint32_t value = 0;

	if (parse_u32(digits, 86400000, &value) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!str_eq(text + n, units[i].unit))
			continue;
		*out_ms = value * units[i].ms;
		return 0;
	}
	return -1;
}

static int legacy_annotations(const char *value, bool *out)
{
	*out = str_eq(value, "read");
	if (*out || str_eq(value, "off"))
		return 0;
	log_error("--legacy-annotations must be off or read", "value", value);
	return -1;
}

static int boolean(const char *text, bool *out)
{
	if (!str_eq(text, "true") && !str_eq(text, "false"))
		return -1;
	*out = *text == 't';
	return 0;
}

/* Those of leader election: 1 = taken, 0 = not one of them, -1 = bad. */
static int take_leader_option(int c, const char *arg, struct leader_options *o)
{
	int rc = 0;

	switch (c) {
	case OPT_LEADER:
		rc = boolean(arg ? arg : "true", &o->elect);
		break;
	case OPT_LEASE_DURATION:
		rc = duration(arg, &o->duration_ms);
		break;
	case OPT_LEASE_DEADLINE:
		rc = duration(arg, &o->renew_deadline_ms);
		break;
	case OPT_LEASE_RETRY:
		rc = duration(arg, &o->retry_ms);
		break;
	case OPT_LEASE_NAME:
		o->name = arg;
		break;
	case OPT_LEASE_NS:
		o->ns = arg;
		break;
	default:
		return 0;
	}
	if (rc < 0)
		log_error("not a value that can be used", "value", arg);
	return rc < 0 ? -1 : 1;
}

/* Those of the webhook, likewise. */
static int take_hook_option(int c, const char *arg, struct options *o)
{
	int rc = 0;

	switch (c) {
	case OPT_HOOK_BIND:
		o->hook.bind = arg;
		break;
	case OPT_HOOK_SERVICE:
		o->hook.service = arg;
		break;
	case OPT_HOOK_URL:
		o->hook.url = arg;
		break;
	case OPT_HOOK_CERT:
		rc = duration(arg, &o->hook.cert_ms);
		break;
	case OPT_HOOK_AUTHORITY:
		rc = duration(arg, &o->hook.authority_ms);
		break;
	case OPT_HOOK_UNINSTALL:
		o->uninstall_hook = true;
		break;
	default:
		return 0;
	}
	if (rc < 0)
		log_error("not a value that can be used", "value", arg);
	return rc < 0 ? -1 : 1;
}

static int attached_by(const char *value, bool *out)
{
	*out = str_eq(value, "pod-ip");
	if (*out || str_eq(value, "report"))
		return 0;
	log_error("--attached-by must be pod-ip or report", "value", value);
	return -1;
}

/* 0 = taken, -1 = bad, told. */
static int take_option(int c, const char *arg, struct options *o)
{
	uint32_t n = 0;
	int rc = take_leader_option(c, arg, &o->leader);

	if (!rc)
		rc = take_hook_option(c, arg, o);
	if (rc)
		return rc < 0 ? -1 : 0;
	switch (c) {
	case OPT_KUBECONFIG:
		o->kubeconfig = arg;
		return 0;
	case OPT_SYSTEM_NS:
		o->system_ns = arg;
		return 0;
	case OPT_METRICS:
		o->metrics_bind = arg;
		return 0;
	case OPT_LEGACY:
		return legacy_annotations(arg, &o->legacy_annotations);
	case OPT_ATTACHED:
		return attached_by(arg, &o->attached_by_pod_ip);
	case OPT_QPS:
		rc = parse_u32(arg, 100000, &n);
		o->qps = n;
		break;
	case OPT_BURST:
		rc = parse_u32(arg, 100000, &n);
		o->burst = n;
		break;
	case OPT_TERMINAL:
		rc = seconds(arg, &n);
		o->rules.after_terminal_ms = (int64_t)n * 1000;
		break;
	case OPT_HOLD:
		rc = seconds(arg, &n);
		o->rules.hold_s = n;
		break;
	case OPT_QUARANTINE:
		rc = seconds(arg, &n);
		o->rules.quarantine_s = n;
		break;
	case OPT_MISSING:
		rc = seconds(arg, &n);
		o->rules.missing_after_ms = (int64_t)n * 1000;
		break;
	case 'v':
		rc = daemon_verbosity(arg);
		break;
	default:
		return -1;
	}
	if (rc < 0)
		log_error("not a number that can be used", "value", arg);
	return rc;
}

/* -1 = go on, else the exit code. */
static int parse_options(int argc, char **argv, struct options *o)
{
	struct err e = {0};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "v:", options, NULL)) != -1) {
		if (c == OPT_HELP)
			return daemon_say(help);
		if (c == OPT_VERSION)
			return daemon_say_version("tandem-controller", TANDEM_VERSION);
		if (c == '?')
			log_error("unknown option or missing value; try --help", "option",
				  argv[optind - 1]);
		if (take_option(c, optarg, o) < 0)
			return 2;
	}
	if (optind < argc) {
		log_error("takes no arguments; try --help", "argument", argv[optind]);
		return 2;
	}
	if (!api_name_ok(o->system_ns)) {
		log_error("not a namespace", "value", o->system_ns);
		return 2;
	}
	if (leader_options_check(o, &e) < 0 ||
	    hook_options_check(&o->hook, !o->kubeconfig, &e) < 0) {
		log_error("options that do not go together", "error", e.msg);
		return 2;
	}
	return -1;
}

/* A leader that has slept in the middle of a round finds its queue still full. */
static void before_send(void *ctx)
{
	leader_check(ctx);
}

static int connect_api(struct app *app, struct err *e)
{
	AUTO(kube_config_free) struct kube_config *cfg = NULL;
	struct kube_client_options opt = {
		.user_agent = "tandem-controller/" TANDEM_VERSION,
		.qps = app->opt.qps,
		.burst = app->opt.burst,
		.max_connections = 16,
		.before_send = before_send,
		.ctx = app,
	};
	struct kube_client_options lease_opt = {
		.user_agent = "tandem-controller/" TANDEM_VERSION " leader-election",
		.max_connections = 1,
	};
	int rc = app->opt.kubeconfig ? kube_config_load(app->opt.kubeconfig, &cfg, e)
				     : kube_config_in_cluster(&cfg, e);

	if (rc < 0 || kube_client_new(cfg, &opt, &app->client, e) < 0)
		return -1;
	if (!app->opt.leader.elect)
		return 0;
	return kube_client_new(cfg, &lease_opt, &app->lease_client, e);
}

static int random_holder(char out[40], struct err *e)
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return err_set(e, ERR_INTERNAL, 0, "no random bytes");
	for (size_t i = 0; i < sizeof(b); i++)
		snprintf(out + 2 * i, 3, "%02x", b[i]);
	return 0;
}

static void app_done(struct app *app)
{
	struct sub *sub;
	struct ent *ent;
	size_t pos;

	metrics_free(app->metrics);
	hook_free(app->hook);
	reserve_done(app);
	svc_done(app);
	netstatus_done(app);
	cache_done(app);
	kube_client_free(app->client);
	/* Only now, when nothing of ours is under way any more. */
	leader_done(app);
	while (pos = 0, (ent = map_each(&app->ents, &pos)))
		ent_free(ent);
	while (pos = 0, (sub = map_each(&app->subs, &pos))) {
		sub->call = NULL;
		sub_free(sub);
	}
	map_done(&app->ents);
	map_done(&app->subs);
	map_done(&app->claims);
	map_done(&app->macs);
	free(app->dirty);
}

static int uninstall(struct app *app)
{
	struct err e = {0};
	int rc = hook_uninstall(app->client, app->opt.system_ns, &e);

	kube_client_free(app->client);
	kube_client_free(app->lease_client);
	if (rc < 0)
		log_error("the webhook cannot be removed", "error", e.msg);
	return rc < 0;
}

/* What is read of the environment; all else is taken away. */
static const char *const kept[] = {"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", NULL};

int main(int argc, char **argv)
{
	struct app app = {
		.opt = {.system_ns = API_DEFAULT_SYSTEM_NAMESPACE,
			.qps = 200,
			.burst = 400,
			.attached_by_pod_ip = true,
			.rules = {.after_terminal_ms = 30000,
				  .hold_s = 3600,
				  .quarantine_s = 3600,
				  .missing_after_ms = 15000},
			.leader = leader_defaults(),
			.hook = hook_options_defaults()},
	};
	struct err e = {0};
	int rc;

	process_begin(kept);
	log_init("tandem-controller", LOG_LEVEL_INFO);
	rc = parse_options(argc, argv, &app.opt);
	if (rc >= 0)
		return rc;
	loop_init_clock(&app);
	if (random_holder(app.holder, &e) < 0 || connect_api(&app, &e) < 0) {
		log_error("cannot start", "error", e.msg);
		return 1;
	}
	if (app.opt.uninstall_hook)
		return uninstall(&app);
	log_info("started", "version", TANDEM_VERSION, "system-namespace", app.opt.system_ns,
		 "holder", app.holder);
	cache_init(&app);
	svc_init(&app);
	rc = loop_run(&app, &e);
	if (rc < 0)
		log_error("stopped", "error", e.msg);
	else
		log_info("stopped on request");
	app_done(&app);
	return rc < 0;
}
