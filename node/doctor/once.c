/* SPDX-License-Identifier: Apache-2.0 */
#include "node/doctor/once.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "api/doctor.h"
#include "api/subnet.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/daemon/daemon.h"
#include "lib/daemon/options.h"
#include "lib/json/jread.h"
#include "lib/nl/link.h"
#include "lib/nl/nl.h"
#include "meta/attachment/state.h"
#include "node/doctor/lan.h"
#include "node/doctor/lldp.h"
#include "node/doctor/probe.h"

#define INPUT_MAX (4 * 1024 * 1024)
/* Of a bond or bridge each port is another cable. */
#define PORTS_MAX 4
#define LISTEN_MS 250

struct once_options {
	const char *node, *subnets, *only, *state_dir, *masters, *root;
	int64_t lldp_s;
};

static const struct options_row rows[] = {
	{.name = "subnets",
	 .value = "FILE",
	 .help = "MacvlanSubnets as kubectl get -o json prints them (standard input)",
	 .take = options_take_text,
	 .field = offsetof(struct once_options, subnets)},
	{.name = "subnet",
	 .value = "NAME",
	 .help = "only this one of them",
	 .take = options_take_text,
	 .field = offsetof(struct once_options, only)},
	{.name = "lldp-wait",
	 .value = "S",
	 .help = "wait at most so long for the switch to tell of itself (0)",
	 .take = options_take_seconds,
	 .field = offsetof(struct once_options, lldp_s)},
	{.name = "node-name",
	 .value = "NAME",
	 .help = "for messages ($NODE_NAME, else the host's name)",
	 .take = options_take_text,
	 .field = offsetof(struct once_options, node)},
	{.name = "state-dir",
	 .value = "DIR",
	 .help = "of the plugin (/var/lib/cni/tandem)",
	 .take = options_take_text,
	 .field = offsetof(struct once_options, state_dir)},
	{.name = "masters",
	 .value = "FILE",
	 .help = "aliases of NICs (" ONCE_DEFAULT_MASTERS ")",
	 .take = options_take_text,
	 .field = offsetof(struct once_options, masters)},
	{.name = "host-root",
	 .value = "DIR",
	 .help = "in a container: where the node's / is mounted",
	 .take = options_take_text,
	 .field = offsetof(struct once_options, root)},
};

static const struct options_program program = {
	.name = "tandem-node",
	.version = TANDEM_VERSION,
	.about =
		"tandem-node doctor asks the LAN of each MacvlanSubnet, from a card of its own without an\n"
		"address, whether this node can serve it, and prints what it finds. See tandem-node(8).\n",
	.rows = rows,
	.n_rows = ARRAY_SIZE(rows),
};

/* ------------------------------------------------------------------ switches */

struct cable {
	char nic[IFNAMSIZ];
	int fds[PORTS_MAX];
	size_t n_fds;
	struct lldp told;
	bool heard;
};

struct cables {
	struct cable *v;
	size_t n;
};

static void cables_done(struct cables *c)
{
	for (size_t i = 0; i < c->n; i++) {
		for (size_t k = 0; k < c->v[i].n_fds; k++)
			fd_auto(&c->v[i].fds[k]);
	}
	free(c->v);
}

static const struct cable *cables_get(const struct cables *c, const char *nic)
{
	for (size_t i = 0; i < c->n; i++) {
		if (str_eq(c->v[i].nic, nic))
			return &c->v[i];
	}
	return NULL;
}

/* From the link itself and its ports. A switch that is not heard is not missed. */
static void cables_add(struct cables *c, const char *nic)
{
	AUTO(free) struct nl_link *links = NULL;
	AUTO(nl_close) struct nl *host = NULL;
	struct nl_link own = {0};
	struct cable *x;
	struct err e = {0};
	size_t n = 0;

	if (!*nic || cables_get(c, nic))
		return;
	c->v = xreallocarray(c->v, c->n + 1, sizeof(*c->v));
	x = &c->v[c->n++];
	*x = (struct cable){0};
	memcpy(x->nic, nic, strlen(nic));
	if (nl_open(&host, &e) < 0 || nl_link_find(host, nic, &own, &e) <= 0 ||
	    nl_link_list(host, &links, &n, &e) < 0)
		return;
	for (size_t i = 0; i < n && x->n_fds < PORTS_MAX; i++) {
		if ((links[i].index == own.index || links[i].master == own.index) &&
		    lan_open(-1, links[i].index, LAN_LLDP, &x->fds[x->n_fds], &e) == 0)
			x->n_fds++;
	}
}

/* True: each has told. */
static bool cables_hear(struct cables *c)
{
	bool all = true;

	for (size_t i = 0; i < c->n; i++) {
		struct cable *x = &c->v[i];

		for (size_t k = 0; k < x->n_fds && !x->heard; k++)
			x->heard = lan_hears_switch(x->fds[k], &x->told);
		all = all && (x->heard || !x->n_fds);
	}
	return all;
}

static void cables_wait(struct cables *c, int64_t s)
{
	int64_t end = clock_now_ms() + s * 1000;
	int left;

	while (!cables_hear(c) && (left = clock_left_ms(end)) > 0)
		poll(NULL, 0, left < LISTEN_MS ? left : LISTEN_MS);
}

/* ------------------------------------------------------------------ subnets */

struct run {
	const struct once_options *opt;
	struct probe_env env;
	struct state_dir *dir;
	struct api_doctor found;
	struct cables cables;
};

static void run_done(struct run *r)
{
	api_doctor_done(&r->found);
	cables_done(&r->cables);
	state_dir_free(r->dir);
	if (r->env.netns_fd >= 0)
		close(r->env.netns_fd);
}
DEFINE_AUTO_VALUE(struct run, run_done)

/* The cards' own, which ends with this process at the latest. */
static int make_netns(int *out, struct err *e)
{
	const char *path = "/proc/self/ns/net";
	AUTO(fd) int host = open(path, O_RDONLY | O_CLOEXEC);
	int own = -1;

	if (host < 0 || unshare(CLONE_NEWNET) < 0)
		return err_errno(e, ERR_NETNS, errno, "make a network namespace");
	own = open(path, O_RDONLY | O_CLOEXEC);
	if (setns(host, CLONE_NEWNET) < 0)
		abort();
	if (own < 0)
		return err_errno(e, ERR_NETNS, errno, "open %s", path);
	*out = own;
	return 0;
}

static void look_at(struct run *r, const struct jval *obj)
{
	AUTO(api_subnet_free) struct api_subnet *s = NULL;
	struct api_doctor_entry entry = {0};
	struct err e = {0};

	/* The controller says it of such a subnet. */
	if (api_subnet_decode(obj, &s, &e) < 0) {
		log_warn("subnet passed over", "error", e.msg);
		return;
	}
	if ((r->opt->only && !str_eq(r->opt->only, s->meta.name)) ||
	    r->found.n >= API_DOCTOR_ENTRIES)
		return;
	probe_subnet(&r->env, s, &entry);
	cables_add(&r->cables, entry.nic);
	*api_doctor_add(&r->found) = entry;
}

/* A list, or a single one. */
static int look_at_all(struct run *r, const struct jval *root, struct err *e)
{
	struct jval items = {0}, item;
	int rc = jas_obj(root, e);

	if (rc == 0)
		rc = jget_arr(root, "items", &items, e);
	if (rc < 0)
		return -1;
	if (rc == 0)
		look_at(r, root);
	for (struct jiter it = jiter_of(&items); rc && jiter_next(&it, &item);)
		look_at(r, &item);
	return 0;
}

static int read_subnets(const struct once_options *o, struct jdoc **out, struct err *e)
{
	AUTO(free) char *text = NULL;
	size_t len = 0;

	if (o->subnets ? io_read_file(o->subnets, INPUT_MAX, &text, &len, e) < 0
		       : io_read_all(STDIN_FILENO, "stdin", INPUT_MAX, &text, &len, e) < 0)
		return -1;
	return jdoc_parse(o->subnets ? o->subnets : "stdin", text, len, out, e);
}

static int look(struct run *r, struct sb *out, struct err *e)
{
	const struct once_options *o = r->opt;
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root;

	if (read_subnets(o, &doc, e) < 0)
		return -1;
	if (o->root && (chroot(o->root) < 0 || chdir("/") < 0))
		return err_errno(e, ERR_IO, errno, "go to %s", o->root);
	if (state_dir_open(o->state_dir, &r->dir, e) < 0 || make_netns(&r->env.netns_fd, e) < 0)
		return -1;
	r->env.dir = r->dir;
	root = jdoc_root(doc);
	if (look_at_all(r, &root, e) < 0)
		return -1;
	cables_wait(&r->cables, o->lldp_s);
	for (size_t i = 0; i < r->found.n; i++) {
		const struct cable *x = cables_get(&r->cables, r->found.v[i].nic);

		if (x && x->heard) {
			memcpy(r->found.v[i].sw, x->told.sw, sizeof(x->told.sw));
			memcpy(r->found.v[i].port, x->told.port, sizeof(x->told.port));
		}
	}
	r->found.time_s = clock_wall_s();
	api_doctor_write(&r->found, out);
	sb_putc(out, '\n');
	return 0;
}

int once_main(int argc, char **argv)
{
	struct once_options o = {.state_dir = "/var/lib/cni/tandem",
				 .masters = ONCE_DEFAULT_MASTERS,
				 .node = daemon_node_name()};
	AUTO(run_done) struct run r = {.opt = &o, .env.netns_fd = -1};
	AUTO(sb_done) struct sb out = SB_INIT;
	struct err e = {0};
	int rc = options_parse(&program, argc, argv, &o);

	if (rc >= 0)
		return rc;
	r.env.node = o.node;
	r.env.masters_file = o.masters;
	if (look(&r, &out, &e) < 0) {
		log_error("doctor", "error", e.msg);
		return 1;
	}
	return daemon_say(sb_get(&out));
}
