/* SPDX-License-Identifier: Apache-2.0 */
#include "services/tool.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/daemon/daemon.h"
#include "lib/daemon/loop.h"
#include "lib/daemon/options.h"
#include "services/table/table.h"

#define LOCK_WAIT_MS 10000

/* ------------------------------------------------------------------------------- options */
#define FIELD(name) offsetof(struct tool_options, name)

static int take_output(const char *value, void *field)
{
	*(const char **)field = value;
	return str_eq(value, "json") ? 0 : -1;
}

static int take_no_endpoints(const char *value, void *field)
{
	*(const char **)field = value;
	return str_eq(value, "refuse") || str_eq(value, "pass") ? 0 : -1;
}

static int take_scope(const char *value, void *field)
{
	return parse_u32(value, UINT32_MAX, field);
}

static const struct options_row place_rows[] = {
	{.name = "pins",
	 .value = "DIR",
	 .help = "where programs and maps are pinned (" LOAD_PINS ")",
	 .take = options_take_text,
	 .field = FIELD(where.pins)},
	{.name = "cgroup",
	 .value = "DIR",
	 .help = "where the programs are attached (the root of cgroup v2)",
	 .take = options_take_text,
	 .field = FIELD(where.cgroup)},
	{.name = "output",
	 .value = "json",
	 .help = "-o json: JSON instead of a table",
	 .take = take_output,
	 .field = FIELD(output)},
};
static const struct options_row service_rows[] = {
	{.name = "service",
	 .value = "IP:PORT[/tcp|/udp]",
	 .help = "the Service's own address; without a protocol both",
	 .take = options_take_text,
	 .field = FIELD(service)},
	{.name = "scope",
	 .value = "N",
	 .help = "for the endpoints of that scope alone (0: for all)",
	 .take = take_scope,
	 .field = FIELD(scope)},
};
static const struct options_row backend_rows[] = {
	{.name = "backend",
	 .value = "IP:PORT,...",
	 .help = "where connections go, one at random",
	 .take = options_take_text,
	 .field = FIELD(backends)},
	{.name = "affinity",
	 .value = "S",
	 .help = "a client keeps its backend until it has been silent for S\nseconds (0: it does not)",
	 .take = options_take_seconds,
	 .field = FIELD(affinity_s)},
};
static const struct options_row netns_rows[] = {
	{.name = "netns",
	 .value = "FILE",
	 .help = "a network namespace, such as /run/netns/pod-a",
	 .take = options_take_text,
	 .field = FIELD(netns)},
};
static const struct options_row pod_rows[] = {
	{.name = "ifname",
	 .value = "NAME",
	 .help = "the interface to show (eth1, else eth0)",
	 .take = options_take_text,
	 .field = FIELD(ifname)},
	{.name = "scope",
	 .value = "N",
	 .help = "it sees the Services of that scope first (0: none)",
	 .take = take_scope,
	 .field = FIELD(scope)},
	{.name = "skip",
	 .help = "translate nothing for it",
	 .take = options_take_flag,
	 .field = FIELD(skip)},
	{.name = "single",
	 .help = "only its scope's backends; all else goes as it would without",
	 .take = options_take_flag,
	 .field = FIELD(single)},
	{.name = "cut",
	 .help = "as --single, and all else is refused",
	 .take = options_take_flag,
	 .field = FIELD(cut)},
};
static const struct options_row status_rows[] = {
	{.name = "json", .help = "as -o json", .take = options_take_flag, .field = FIELD(json)},
};
static const struct options_row load_rows[] = {
	{.name = "udp",
	 .value = "BOOL",
	 .help = "translate UDP too (true)",
	 .take = options_take_bool,
	 .field = FIELD(udp),
	 .optional = true},
	{.name = "host",
	 .value = "BOOL",
	 .help = "translate for the node's own namespace too (false)",
	 .take = options_take_bool,
	 .field = FIELD(host),
	 .optional = true},
	{.name = "no-endpoints",
	 .value = "WHAT",
	 .help = "refuse or pass: what becomes of a Service without backends\n"
		 "(refuse where the kernel can say ECONNREFUSED)",
	 .take = take_no_endpoints,
	 .field = FIELD(no_endpoints)},
};

static const struct options_row unload_rows[] = {
	{.name = "stay",
	 .help = "then wait for a signal to end, as a pod of a DaemonSet has to",
	 .take = options_take_flag,
	 .field = FIELD(stay)},
};

typedef int command_fn(const struct tool_options *o, struct sb *out, struct err *e);

/* Options that several commands have in common. */
enum group {
	GROUP_PLACE = 0, /* of all commands */
	GROUP_SERVICE,
	GROUP_BACKEND,
	GROUP_NETNS,
	GROUP_POD,
	GROUP_STATUS,
	GROUP_LOAD,
	GROUP_UNLOAD,
};
static const struct {
	const struct options_row *v;
	size_t n;
} groups[] = {
	[GROUP_PLACE] = {place_rows, ARRAY_SIZE(place_rows)},
	[GROUP_SERVICE] = {service_rows, ARRAY_SIZE(service_rows)},
	[GROUP_BACKEND] = {backend_rows, ARRAY_SIZE(backend_rows)},
	[GROUP_NETNS] = {netns_rows, ARRAY_SIZE(netns_rows)},
	[GROUP_POD] = {pod_rows, ARRAY_SIZE(pod_rows)},
	[GROUP_STATUS] = {status_rows, ARRAY_SIZE(status_rows)},
	[GROUP_LOAD] = {load_rows, ARRAY_SIZE(load_rows)},
	[GROUP_UNLOAD] = {unload_rows, ARRAY_SIZE(unload_rows)},
};
#define GROUPS 3

struct command {
	const char *words[2];
	command_fn *run;
	enum group groups[GROUPS]; /* its own, then GROUP_PLACE */
	const char *about;
};

static const struct command commands[] = {
	{{"svc", "add"},
	 tool_svc_add,
	 {GROUP_SERVICE, GROUP_BACKEND},
	 "Add a Service by hand, or change one.\n"},
	{{"svc", "del"}, tool_svc_del, {GROUP_SERVICE}, "Remove a Service made by hand.\n"},
	{{"svc", "ls"}, tool_svc_ls, {GROUP_PLACE}, "List all Services that are translated.\n"},
	{{"ep", "add"},
	 tool_ep_add,
	 {GROUP_NETNS, GROUP_POD},
	 "Say what is special about a network namespace.\n"},
	{{"ep", "del"}, tool_ep_del, {GROUP_NETNS}, "Forget what is special about it.\n"},
	{{"ep", "ls"}, tool_ep_ls, {GROUP_PLACE}, "List the network namespaces that are known.\n"},
	{{"status", NULL}, tool_status, {GROUP_STATUS}, "Show what the kernel has.\n"},
	{{"load", NULL},
	 tool_load,
	 {GROUP_LOAD},
	 "Load and attach the programs, with these switches.\n"},
	{{"mount", NULL},
	 tool_mount,
	 {GROUP_PLACE},
	 "Mount the file systems that load needs, where they are not: for a daemon that may not.\n"},
	{{"unload", NULL}, tool_unload, {GROUP_UNLOAD}, "Take everything away.\n"},
};

/* The caller frees it. */
static struct options_row *all_rows(const struct command *c, size_t *out_n)
{
	struct options_row *v = NULL;
	size_t n = 0;

	for (size_t i = 0; i < GROUPS; i++) {
		enum group g = c->groups[i];

		v = xreallocarray(v, n + groups[g].n, sizeof(*v));
		memcpy(v + n, groups[g].v, groups[g].n * sizeof(*v));
		n += groups[g].n;
		if (g == GROUP_PLACE)
			break;
	}
	*out_n = n;
	return v;
}

/* "-o json" as users know it: the options have long names only. */
static void long_output(int argc, char **argv)
{
	static char name[] = "--output", joined[] = "--output=json";

	for (int i = 1; i < argc; i++) {
		if (str_eq(argv[i], "-o"))
			argv[i] = name;
		else if (str_eq(argv[i], "-ojson") || str_eq(argv[i], "-o=json"))
			argv[i] = joined;
	}
}

static const struct command *find(int argc, char **argv, int *out_words)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];

		if (argc < 2 || !str_eq(argv[1], c->words[0]))
			continue;
		*out_words = c->words[1] ? 2 : 1;
		if (!c->words[1] || (argc > 2 && str_eq(argv[2], c->words[1])))
			return c;
	}
	return NULL;
}

static int run(const struct command *c, struct tool_options *o)
{
	AUTO(sb_done) struct sb out = SB_INIT;
	struct err e = {0};
	int rc;

	o->json = o->json || o->output;
	rc = c->run(o, &out, &e);
	if (out.len && daemon_say(sb_get(&out)) != 0)
		return 1;
	if (rc < 0 && e.kind)
		log_error(c->words[0], "error", e.msg);
	return rc < 0;
}

int tool_run(int argc, char **argv)
{
	struct tool_options o = {.where = {.pins = LOAD_PINS},
				 .lock = TOOL_LOCK,
				 .netns_dir = TOOL_NETNS_DIR,
				 .udp = true};
	struct options_program program = {.name = "tandem-services", .version = TANDEM_VERSION};
	AUTO(free) struct options_row *rows = NULL;
	const struct command *c;
	int words = 0, rc;

	c = find(argc, argv, &words);
	if (!c) {
		log_error(
			"unknown command; there are svc add|del|ls, ep add|del|ls, status, load, mount, unload",
			"command", argv[1]);
		return 2;
	}
	program.about = c->about;
	program.rows = rows = all_rows(c, &program.n_rows);
	long_output(argc - words, argv + words);
	rc = options_parse(&program, argc - words, argv + words, &o);
	return rc >= 0 ? rc : run(c, &o);
}

/* ------------------------------------------------------------------------------- load, unload */
int tool_lock(const char *file, int *out_fd, struct err *e)
{
	AUTO(free) char *dir = xstrndup(file, (size_t)(strrchr(file, '/') - file));

	if (io_mkdirs(dir, 0755, e) < 0)
		return -1;
	return table_lock(file, clock_now_ms() + LOCK_WAIT_MS, out_fd, e);
}

static int set_conf(const struct tool_options *o, bool can_refuse, struct err *e)
{
	AUTO(free) char *dir = load_dir(o->where.pins);
	AUTO(table_free) struct table *t = NULL;
	bool refuse = o->no_endpoints ? str_eq(o->no_endpoints, "refuse") : can_refuse;
	struct svc_conf conf;

	if (table_open(dir, &t, e) < 0 || table_conf(t, &conf, e) < 0)
		return -1;
	conf.flags = (o->udp ? SVC_CONF_UDP : 0) | (o->host ? SVC_CONF_HOST : 0) |
		     (refuse ? SVC_CONF_REFUSE : 0);
	return table_set_conf(t, &conf, e);
}

int tool_load_again(const struct tool_options *o, struct err *e)
{
	bool can_refuse = false;

	if (load_begin(&o->where, &can_refuse, e) < 0)
		return -1;
	return set_conf(o, can_refuse, e);
}

int tool_have_loaded(const struct tool_options *o, struct err *e)
{
	struct load_state s = {0};
	struct err ignored = {0};
	size_t attached = 0;

	if (load_look(&o->where, &s, &ignored) == 0)
		attached = s.attached;
	load_state_done(&s);
	return attached == LOAD_HOOKS ? 0 : tool_load_again(o, e);
}

int tool_load(const struct tool_options *o, struct sb *out, struct err *e)
{
	AUTO(fd) int lock = -1;

	(void)out;
	return tool_lock(o->lock, &lock, e) < 0 || tool_load_again(o, e) < 0 ? -1 : 0;
}

/* Where it cannot be, the daemon will say so: a pod whose first container fails says nothing. */
int tool_mount(const struct tool_options *o, struct sb *out, struct err *e)
{
	struct err why = {0};
	AUTO(fd) int lock = -1;

	(void)out;
	if (tool_lock(o->lock, &lock, e) < 0)
		return -1;
	if (load_mount(&o->where, &why) < 0)
		log_warn("not mounted", "error", why.msg);
	return 0;
}

static int wait_for_end(struct err *e)
{
	AUTO(loop_free) struct loop *l = NULL;
	int rc;

	if (loop_new(&l, e) < 0)
		return -1;
	do
		rc = loop_turn(l, clock_now_ms() + LOCK_WAIT_MS, e);
	while (rc > 0);
	return rc;
}

static int unload(const struct tool_options *o, struct err *e)
{
	AUTO(fd) int lock = -1;

	return tool_lock(o->lock, &lock, e) < 0 || load_end(&o->where, e) < 0 ? -1 : 0;
}

int tool_unload(const struct tool_options *o, struct sb *out, struct err *e)
{
	(void)out;
	if (unload(o, e) < 0)
		return -1;
	if (!o->stay)
		return 0;
	log_info("nothing is left; waiting to be ended");
	return wait_for_end(e);
}
