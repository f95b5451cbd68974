/* SPDX-License-Identifier: Apache-2.0 */
#include "node/doctor/rounds.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "api/doctor.h"
#include "api/subnet.h"
#include "delegate/exec.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"
#include "lib/nl/link.h"
#include "lib/nl/nl.h"

#define TIMEOUT_MS 20000
#define AGAIN_MS   10000
#define PERIOD_MS  (60 * 60 * 1000)
#define RUN_MS     (15 * 60 * 1000)
/* A change is for all nodes at once: each waits a moment of its own. */
#define SETTLE_MS 2000
#define SPREAD_MS 8000
/* A carrier that comes and goes is not asked after each time. */
#define REST_MS 10000
/* Switches tell of themselves every 30 seconds, mostly; so long is listened once an hour. */
#define LLDP_S "31"

/* One run of the child, on a thread that waits for it. */
struct job {
	pthread_t thread;
	char *input, *args[12];
	int done, cancel; /* eventfds */
	int64_t asked_s;  /* the request that it answers */
	struct exec_output out;
	struct err err;
	int rc;
};

struct rounds {
	struct rounds_env env;
	struct jdoc *told; /* NULL = nothing is to be looked at */
	char *text;        /* of it */
	int64_t asked_s;   /* the newest request for this node; 0 = none */
	int64_t due_ms;    /* 0 = never */
	int64_t rest_ms;   /* not before */
	int64_t lldp_ms;   /* when to listen for switches again */
	uint64_t links;    /* of the NICs as they were */
	int fd;
	struct job *job;
	struct kube_call *call;
	struct api_doctor found; /* the last run's */
	char *wanted;            /* the annotation; NULL = none */
	bool is_written;
	int64_t write_ms;
};

static void job_free(struct job *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(j->args); i++)
		free(j->args[i]);
	free(j->input);
	exec_output_done(&j->out);
	fd_auto(&j->cancel);
	free(j);
}

static void job_end(struct rounds *r)
{
	if (!r->job)
		return;
	pthread_join(r->job->thread, NULL);
	job_free(STEAL(r->job));
}

int rounds_new(const struct rounds_env *env, struct rounds **out, struct err *e)
{
	struct rounds *r = xcalloc(1, sizeof(*r));

	r->env = *env;
	r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->fd < 0) {
		free(r);
		return err_errno(e, ERR_IO, errno, "eventfd");
	}
	*out = r;
	return 0;
}

void rounds_free(struct rounds *r)
{
	if (!r)
		return;
	if (r->job)
		IGNORE(eventfd_write(r->job->cancel, 1) < 0, "the counter cannot overflow");
	job_end(r);
	kube_cancel(r->call);
	jdoc_free(r->told);
	api_doctor_done(&r->found);
	free(r->text);
	free(r->wanted);
	fd_auto(&r->fd);
	free(r);
}

int rounds_fd(const struct rounds *r)
{
	return r->fd;
}

/* ------------------------------------------------------------------ when */

static void due_at(struct rounds *r, int64_t at_ms)
{
	if (!r->due_ms || at_ms < r->due_ms)
		r->due_ms = at_ms;
}

/* Nodes that learn of a change at once do not ask the LAN at once. */
static int64_t settled_ms(const struct rounds *r)
{
	uint64_t own = hash_fnv1a(HASH_FNV1A_INIT, r->env.node, strlen(r->env.node));

	return clock_now_ms() + SETTLE_MS + (int64_t)(own % SPREAD_MS);
}

static int64_t asked_of(const struct rounds *r, const struct jval *root)
{
	const char *when = NULL;
	struct jval asked = {0};
	struct err ignored = {0};
	int64_t s = 0;

	if (jget_obj(root, "asked", &asked, &ignored) <= 0 ||
	    jget_str(&asked, r->env.node, &when, &ignored) <= 0 ||
	    clock_parse_rfc3339(when, &s) < 0)
		return 0;
	return s;
}

/* The same subnets: only what is asked for may be another. */
static bool same_subnets(const char *a, const char *b)
{
	struct jspan x = {0}, y = {0};

	return a && b && jspan_find(jspan_of(a), "items", &x) &&
	       jspan_find(jspan_of(b), "items", &y) && x.len == y.len && !memcmp(x.p, y.p, x.len);
}

void rounds_told(struct rounds *r, const char *text)
{
	struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;
	int64_t asked;

	if (str_eq(text, r->text))
		return;
	if (text && jdoc_parse("tandem-cluster: doctor", text, strlen(text), &doc, &e) < 0) {
		log_warn("what the LAN doctor is to look at cannot be read", "error", e.msg);
		return;
	}
	if (!same_subnets(text, r->text))
		due_at(r, settled_ms(r));
	jdoc_free(r->told);
	r->told = doc;
	free(r->text);
	r->text = xstrdup(text);
	if (!doc)
		return;
	root = jdoc_root(doc);
	asked = asked_of(r, &root);
	if (asked && asked != r->asked_s) {
		r->asked_s = asked;
		due_at(r, clock_now_ms());
	}
}

/* Plain devices, bonds, and whatever a subnet is on: not our own VLANs, nor pods' ends. */
static bool is_nic(const struct rounds *r, const struct nl_link *l)
{
	if (!l->kind[0] || str_eq(l->kind, "bond") || str_eq(l->kind, "team"))
		return true;
	for (size_t i = 0; i < r->found.n; i++) {
		if (str_eq(r->found.v[i].nic, l->name))
			return true;
	}
	return false;
}

static uint64_t look_at_links(const struct rounds *r)
{
	AUTO(free) struct nl_link *links = NULL;
	AUTO(nl_close) struct nl *host = NULL;
	uint64_t sum = 0;
	struct err e = {0};
	size_t n = 0;

	if (nl_open(&host, &e) < 0 || nl_link_list(host, &links, &n, &e) < 0)
		return r->links;
	for (size_t i = 0; i < n; i++) {
		const struct nl_link *l = &links[i];
		char text[96];
		int len;

		if (!is_nic(r, l))
			continue;
		len = snprintf(text, sizeof(text), "%s %d %d %u %d", l->name,
			       (l->flags & IFF_UP) != 0, l->carrier, l->mtu, l->master);
		/* In whatever order they come. */
		sum += hash_fnv1a(HASH_FNV1A_INIT, text, (size_t)len);
	}
	return sum;
}

void rounds_links(struct rounds *r)
{
	uint64_t now = look_at_links(r);

	if (now == r->links || !r->told)
		return;
	r->links = now;
	due_at(r, clock_now_ms() + SETTLE_MS);
}

/* ------------------------------------------------------------------ the child */

static void *wait_for_child(void *ctx)
{
	struct job *j = ctx;
	char *const env[] = {NULL};
	struct exec_run run = {.name = "tandem-node doctor",
			       .path = "/proc/self/exe",
			       .args = j->args,
			       .env = env,
			       .input = jspan_of(j->input),
			       .deadline_ms = clock_now_ms() + RUN_MS,
			       .cancel_fd = j->cancel};

	j->rc = exec_run(&run, &j->out, &j->err);
	IGNORE(eventfd_write(j->done, 1) < 0, "the counter cannot overflow");
	return NULL;
}

static void fill_args(struct rounds *r, struct job *j)
{
	bool listen = clock_now_ms() >= r->lldp_ms;
	size_t n = 0;

	j->args[n++] = xstrdup("doctor");
	j->args[n++] = xasprintf("--node-name=%s", r->env.node);
	j->args[n++] = xasprintf("--state-dir=%s", r->env.state_dir);
	if (r->env.root)
		j->args[n++] = xasprintf("--host-root=%s", r->env.root);
	if (listen) {
		j->args[n++] = xstrdup("--lldp-wait=" LLDP_S);
		r->lldp_ms = clock_now_ms() + PERIOD_MS - REST_MS;
	}
}

static void start_child(struct rounds *r, char *input_take)
{
	struct job *j = xcalloc(1, sizeof(*j));
	int rc;

	j->input = input_take;
	j->done = r->fd;
	j->asked_s = r->asked_s;
	j->cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fill_args(r, j);
	rc = j->cancel < 0 ? errno : pthread_create(&j->thread, NULL, wait_for_child, j);
	if (rc) {
		log_error("the LAN doctor cannot start", "error", strerror(rc));
		job_free(j);
		return;
	}
	r->job = j;
}

/* ------------------------------------------------------------------ the Node */

static void node_done(void *ctx, struct kube_response *res, const struct err *e);

/* @change: the annotation is written; else nothing is, and what the answer shows is the Node as it is. */
static void patch_node(struct rounds *r, bool change)
{
	AUTO(free) char *path = kube_path("v1", NULL, "nodes", r->env.node, NULL);
	AUTO(sb_done) struct sb body = SB_INIT;
	struct jw w = jw_init(&body);
	struct kube_request req;

	jw_obj(&w);
	if (change) {
		jw_kv_obj(&w, "metadata");
		jw_kv_obj(&w, "annotations");
		jw_kv_str(&w, API_ANNOTATION_DOCTOR, r->wanted);
		jw_end(&w);
		jw_end(&w);
	}
	jw_end(&w);
	jw_finish(&w);
	req = kube_request_merge_patch(path, sb_get(&body), clock_now_ms() + TIMEOUT_MS);
	req.priority = KUBE_IDLE;
	r->is_written = change;
	r->call = kube_submit(r->env.client, &req, node_done, r);
}

static size_t read_labels(const struct jval *node, struct api_label **out)
{
	struct jval meta = {0}, labels = {0}, v;
	struct err e = {0};
	size_t n = 0;

	if (jneed_obj(node, "metadata", &meta, &e) < 0 ||
	    jget_obj(&meta, "labels", &labels, &e) <= 0)
		return 0;
	*out = xcalloc(jlen(&labels) + 1, sizeof(**out));
	for (struct jiter it = jiter_of(&labels); jiter_next(&it, &v);) {
		/* Lent by the document. */
		if (jis_str(&v))
			(*out)[n++] = (struct api_label){(char *)v.key, (char *)jstr(&v)};
	}
	return n;
}

/* Those of the subnets that this Node is to serve; NULL: none. */
static char *choose(const struct rounds *r, const struct jval *node)
{
	AUTO(free) struct api_label *labels = NULL;
	AUTO(sb_done) struct sb text = SB_INIT;
	size_t n = read_labels(node, &labels), chosen = 0;
	struct jspan items = {0}, item;
	struct jspan_iter it;
	struct jw w = jw_init(&text);

	if (!r->text || !jspan_find(jspan_of(r->text), "items", &items))
		return NULL;
	jw_obj(&w);
	jw_kv_arr(&w, "items");
	for (it = jspan_begin(items); jspan_next_element(&it, &item);) {
		AUTO(api_subnet_free) struct api_subnet *s = NULL;
		AUTO(jdoc_free) struct jdoc *doc = NULL;
		struct err e = {0};
		struct jval root;

		if (jdoc_parse("subnet", item.p, item.len, &doc, &e) < 0)
			continue;
		root = jdoc_root(doc);
		if (api_subnet_decode(&root, &s, &e) < 0 ||
		    !api_selector_matches(&s->node_selector, labels, n))
			continue;
		jw_raw(&w, item);
		chosen++;
	}
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	return chosen ? sb_take(&text) : NULL;
}

static void want(struct rounds *r, const struct api_doctor *found)
{
	AUTO(sb_done) struct sb text = SB_INIT;

	if (found)
		api_doctor_write(found, &text);
	free(r->wanted);
	r->wanted = found ? sb_take(&text) : NULL;
	r->write_ms = clock_now_ms();
}

static void node_done(void *ctx, struct kube_response *res, const struct err *e)
{
	struct rounds *r = ctx;
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err why = {0};
	struct jval root;
	char *input;

	r->call = NULL;
	if (e) {
		log_debug("the Node cannot be asked or written yet", "error", e->msg);
		if (r->is_written)
			r->write_ms = clock_now_ms() + AGAIN_MS;
		else
			due_at(r, clock_now_ms() + AGAIN_MS);
		return;
	}
	if (r->is_written)
		return;
	if (kube_response_parse(res, &doc, &why) < 0) {
		due_at(r, clock_now_ms() + AGAIN_MS);
		return;
	}
	root = jdoc_root(doc);
	input = choose(r, &root);
	if (input) {
		start_child(r, input);
		return;
	}
	/* Nothing to look at, and nothing to say. */
	api_doctor_done(&r->found);
	want(r, NULL);
}

/* ------------------------------------------------------------------ what was found */

/* A run that has not listened does not know less of the switches than the one before. */
static void keep_switches(const struct rounds *r, struct api_doctor *now)
{
	for (size_t i = 0; i < now->n; i++) {
		struct api_doctor_entry *x = &now->v[i];
		const struct api_doctor_entry *was = api_doctor_get(&r->found, x->subnet);

		if (*x->sw || !was || !str_eq(was->nic, x->nic) ||
		    x->reason == API_DOCTOR_NO_CARRIER)
			continue;
		memcpy(x->sw, was->sw, sizeof(x->sw));
		memcpy(x->port, was->port, sizeof(x->port));
	}
}

static void tell(const struct rounds *r, const struct api_doctor *now)
{
	for (size_t i = 0; i < now->n; i++) {
		const struct api_doctor_entry *x = &now->v[i];
		const struct api_doctor_entry *was = api_doctor_get(&r->found, x->subnet);

		if (was ? was->reason == x->reason : !api_doctor_fails(x->reason))
			continue;
		if (api_doctor_fails(x->reason))
			log_warn("the LAN of a subnet", "subnet", x->subnet, "reason",
				 api_doctor_word(x->reason), "message", x->message);
		else
			log_info("the LAN of a subnet", "subnet", x->subnet, "reason",
				 api_doctor_word(x->reason));
	}
}

static void take(struct rounds *r)
{
	AUTO(api_doctor_done) struct api_doctor now = {0};
	AUTO(free) char *text = NULL;
	struct job *j = r->job;
	struct err e = {0};

	if (j->rc == 0)
		text = xstrndup(j->out.out ? j->out.out : "", j->out.out_len);
	if (j->rc < 0)
		e = j->err;
	if (e.kind || api_doctor_read(text, &now, &e) < 0) {
		log_warn("the LAN doctor has failed", "error", e.msg);
	} else {
		now.asked_s = j->asked_s;
		keep_switches(r, &now);
		tell(r, &now);
		want(r, &now);
		api_doctor_done(&r->found);
		r->found = now;
		now = (struct api_doctor){0};
	}
	job_end(r);
	r->links = look_at_links(r);
	r->rest_ms = clock_now_ms() + REST_MS;
	due_at(r, clock_now_ms() + PERIOD_MS);
}

/* ------------------------------------------------------------------ running */

static bool is_over(struct rounds *r)
{
	eventfd_t n;

	if (!r->job || eventfd_read(r->fd, &n) < 0)
		return false;
	return true;
}

int64_t rounds_next_ms(const struct rounds *r)
{
	int64_t due = r->due_ms && r->due_ms < r->rest_ms ? r->rest_ms : r->due_ms;

	if (r->call)
		return 0;
	return clock_earlier_ms(r->job ? 0 : due, r->write_ms);
}

void rounds_run(struct rounds *r)
{
	int64_t now = clock_now_ms();

	if (is_over(r))
		take(r);
	if (r->call)
		return;
	if (r->write_ms && now >= r->write_ms) {
		r->write_ms = 0;
		patch_node(r, true);
		return;
	}
	if (r->job || !r->due_ms || now < r->due_ms || now < r->rest_ms)
		return;
	r->due_ms = 0;
	patch_node(r, false);
}
