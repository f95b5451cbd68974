/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which addresses Services have, from the API server's own mouth: it refuses a Service with an address of another
 * network, and names its own.
 */
#include "api/meta.h"
#include "controller/facts/internal.h"
#include "controller/process/process.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"
#include "lib/kube/store.h"

#define TIMEOUT_MS   10000
#define AGAIN_MS     (10 * 60 * 1000)
#define RETRY_MS     10000
#define TEMP_NAME    "tandem-asks-for-the-range"
#define FAMILY_STEPS 4

/*
 * Addresses of the documentation (RFC 5737, RFC 3849) and of nobody (RFC 6666): no cluster should use them for
 * Services. One that does takes the first, and refuses the second. API servers up to 1.21 take any address in a dry
 * run: those are asked in earnest, with the same addresses. A Service that is made all the same has no endpoints,
 * and is deleted at once.
 */
static const struct {
	const char *address;
	bool in_earnest;
} steps[] = {
	{"192.0.2.1", false},   {"198.51.100.1", false}, {"192.0.2.1", true},
	{"198.51.100.1", true}, {"2001:db8::1", false},  {"100::1", false},
	{"2001:db8::1", true},  {"100::1", true},
};
/* cppcheck-suppress preprocessorErrorDirective */
#define STEPS ((int)ARRAY_SIZE(steps))

static void ask(struct facts *f);

/* To the next family, or the next step of this one. */
static void go_on(struct facts *f, bool was_taken)
{
	struct refusal *p = &f->refusal;

	p->step += was_taken ? 1 : FAMILY_STEPS - p->step % FAMILY_STEPS;
	if (p->step < STEPS) {
		ask(f);
		return;
	}
	ipam_nets_join(&p->heard);
	ipam_nets_done(&p->nets);
	p->nets = p->heard;
	p->heard = (struct ipam_nets)IPAM_NETS_INIT;
	p->is_done = true;
	p->next_ms = clock_now_ms() + AGAIN_MS;
	f->changed = true;
}

static void unmade(void *ctx, struct kube_response *res, const struct err *e)
{
	(void)ctx;
	(void)res;
	if (e && e->kind != ERR_NOT_FOUND)
		log_warn("Service cannot be deleted", "service", TEMP_NAME, "error", e->msg);
}

static void unmake(const struct facts *f)
{
	const struct process *p = f->in.process;
	AUTO(free) char *path = kube_path("v1", p->system_ns, "services", TEMP_NAME, NULL);
	struct kube_request req = kube_request_delete(path, NULL, clock_now_ms() + TIMEOUT_MS);

	log_warn("a Service with an address of the documentation was taken, and is deleted",
		 "service", TEMP_NAME, "address", steps[f->refusal.step].address);
	kube_submit(p->client, &req, unmade, NULL);
}

static void answered(void *ctx, struct kube_response *res, const struct err *e)
{
	struct facts *f = ctx;
	struct refusal *p = &f->refusal;

	p->call = NULL;
	/* Nobody has answered: what was known stays. */
	if (e && (!res->status || res->status >= 500)) {
		p->is_done = true;
		p->next_ms = clock_now_ms() + RETRY_MS;
		f->changed = true;
		return;
	}
	if (e && !settings_read_refusal(e->msg, &p->heard))
		log_debug("a Service's network is not told", "address", steps[p->step].address,
			  "answer", e->msg);
	if (!e && steps[p->step].in_earnest)
		unmake(f);
	go_on(f, !e);
}

static void ask(struct facts *f)
{
	const struct process *process = f->in.process;
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *path = kube_path("v1", process->system_ns, "services", NULL, NULL);
	struct kube_request req;
	struct jw w = jw_init(&body);

	jw_obj(&w);
	jw_kv_str(&w, "apiVersion", "v1");
	jw_kv_str(&w, "kind", "Service");
	jw_kv_obj(&w, "metadata");
	jw_kv_str(&w, "name", TEMP_NAME);
	jw_end(&w);
	jw_kv_obj(&w, "spec");
	jw_kv_str(&w, "clusterIP", steps[f->refusal.step].address);
	jw_kv_arr(&w, "ports");
	jw_obj(&w);
	jw_kv_i64(&w, "port", 53);
	jw_end(&w);
	jw_end(&w);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	req = kube_request_create(path, sb_get(&body), clock_now_ms() + TIMEOUT_MS);
	if (!steps[f->refusal.step].in_earnest)
		req.query = "dryRun=All";
	f->refusal.call = kube_submit(process->client, &req, answered, f);
}

/* Objects say it better, and follow: then nobody is asked. */
static bool is_needed(const struct facts *f)
{
	const struct source *cidrs = &f->source[SOURCE_CIDRS];

	return source_has_answered(cidrs) && !kube_store_count(cidrs->store);
}

int64_t refusal_run(struct facts *f)
{
	struct refusal *p = &f->refusal;

	if (p->call || !is_needed(f))
		return 0;
	if (p->next_ms > clock_now_ms())
		return p->next_ms;
	p->step = 0;
	ipam_nets_done(&p->heard);
	ask(f);
	return 0;
}

void refusal_done(struct facts *f)
{
	kube_cancel(f->refusal.call);
	ipam_nets_done(&f->refusal.nets);
	ipam_nets_done(&f->refusal.heard);
	f->refusal = (struct refusal){0};
}
