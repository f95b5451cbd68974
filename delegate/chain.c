/* SPDX-License-Identifier: Apache-2.0 */
#include "delegate/chain.h"

#include <errno.h>
#include <string.h>

#include "delegate/chain_conf.h"
#include "delegate/exec.h"
#include "delegate/find.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"

/* An environment: strings that are ours, then NULL. */
static void env_free(char **env)
{
	size_t i;

	for (i = 0; env[i]; i++)
		free(env[i]);
	free(env);
}
DEFINE_AUTO(char *, env_free)

/* Is there a later variable of the same name? */
static bool is_overridden(char *const *var)
{
	size_t n = strcspn(*var, "=");
	char *const *later;

	for (later = var + 1; *later; later++) {
		if (strncmp(*later, *var, n) == 0 && (*later)[n] == '=')
			return true;
	}
	return false;
}

static bool is_replaced(const char *var)
{
	static const char *const ours[] = {"CNI_COMMAND=", "CNI_CONTAINERID=", "CNI_NETNS=",
					   "CNI_IFNAME=",  "CNI_ARGS=",        "CNI_PATH="};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ours); i++) {
		if (str_starts(var, ours[i]))
			return true;
	}
	return false;
}

static char *search_path(const struct chain_env *env)
{
	const char *path = env->args->path ? env->args->path : "";
	const char *more = env->more_dirs ? env->more_dirs : "";

	return xasprintf("%s%s%s", path, *path && *more ? ":" : "", more);
}

static char *variable(const char *name, const char *value)
{
	return xasprintf("%s=%s", name, value ? value : "");
}

static char **build_env(const struct chain_env *env, enum cni_command command, const char *path)
{
	static char *const nothing[] = {NULL};
	const struct cni_args *a = env->args;
	char *const *from = env->environ ? env->environ : nothing;
	char **out;
	size_t n = 0;

	while (from[n])
		n++;
	out = xcalloc(n + 7, sizeof(*out));
	for (n = 0; *from; from++) {
		if (!is_replaced(*from) && !is_overridden(from))
			out[n++] = xstrdup(*from);
	}
	out[n++] = variable("CNI_COMMAND", cni_command_name(command));
	out[n++] = variable("CNI_CONTAINERID", a->container_id);
	out[n++] = variable("CNI_NETNS", a->netns);
	out[n++] = variable("CNI_IFNAME", a->ifname);
	out[n++] = variable("CNI_ARGS", a->cni_args);
	out[n] = variable("CNI_PATH", path);
	return out;
}

/* One verb over a chain. */
struct run {
	const struct chain *c;
	const struct chain_env *env;
	enum cni_command command;
	struct jspan prev; /* as the plugins can read it */
};

static int run_plugin(const struct run *r, size_t i, int64_t deadline_ms, struct exec_output *out,
		      struct err *e)
{
	AUTO(free) char *conf = chain_conf_build(r->c, i, r->command, r->env, r->prev);
	AUTO(free) char *dirs = search_path(r->env);
	AUTO(env_free) char **env = build_env(r->env, r->command, dirs);
	AUTO(free) char *path = NULL;
	struct exec_run run = {
		.name = r->c->v[i].type,
		.env = env,
		.input = jspan_of(conf),
		.deadline_ms = deadline_ms,
		.cancel_fd = r->env->cancel_fd,
	};

	if (find_plugin(r->c->v[i].type, dirs, r->env->notes, &path, e) < 0)
		return -1;
	run.path = path;
	return exec_run(&run, out, e);
}

void chain_results_done(struct chain_results *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		free(r->v[i]);
	free(r->v);
	*r = (struct chain_results){0};
}

/* What a plugin has printed must be a result or null, or the next plugin is handed junk. */
static int check_result(const char *type, struct jspan text, struct err *e)
{
	enum jtype kind = jspan_type(text);

	if (kind == JTYPE_NONE)
		return err_set(e, ERR_DECODE, 0, "plugin \"%s\" printed no result", type);
	if (jscan_check_lax("its result", text, NULL, e) < 0)
		return err_wrap(e, "plugin \"%s\"", type);
	if (kind != JTYPE_OBJECT && kind != JTYPE_NULL)
		return err_set(e, ERR_DECODE, 0, "plugin \"%s\": its result is not an object",
			       type);
	return 0;
}

static int add_one(struct run *r, size_t i, struct jspan before, struct chain_results *out,
		   struct err *e)
{
	AUTO(exec_output_done) struct exec_output printed = EXEC_OUTPUT_INIT;
	AUTO(free) char *owned = NULL;
	struct jspan text;

	if (chain_conf_prev(r->c, before, &owned, &r->prev, e) < 0)
		return -1;
	if (run_plugin(r, i, r->env->deadline_ms, &printed, e) < 0)
		return -1;
	text = jspan_trim((struct jspan){printed.out, printed.out_len});
	if (check_result(r->c->v[i].type, text, e) < 0)
		return -1;
	out->v = xreallocarray(out->v, out->n + 1, sizeof(*out->v));
	out->v[out->n++] = xmemdup(text.p, text.len);
	return 0;
}

int chain_add(const struct chain *c, const struct chain_env *env, struct chain_results *out,
	      struct err *e)
{
	struct run r = {.c = c, .env = env, .command = CNI_ADD};
	struct jspan before = env->prev_result;
	size_t i;

	*out = (struct chain_results){0};
	for (i = 0; i < c->n; i++) {
		if (add_one(&r, i, before, out, e) < 0)
			return -1;
		before = jspan_of(out->v[i]);
	}
	return 0;
}

/* The plugins of a list take turns: each an equal part of what the ones before have left. */
static int64_t fair_deadline(const struct chain_env *env, size_t turns)
{
	return clock_now_ms() + (clock_left_ms(env->deadline_ms) / (int64_t)turns);
}

/* Keeps the first failure, but prefers any to that of a missing binary. */
static void keep_error(struct err *first, const struct err *e)
{
	if (first->kind == ERR_NONE || (first->kind == ERR_NOT_FOUND && e->kind != ERR_NOT_FOUND))
		*first = *e;
}

/* Runs all of them, last first, whatever fails. */
static int run_all(const struct run *r, struct err *e)
{
	struct err first = {0};
	size_t i;

	for (i = r->c->n; i-- > 0;) {
		AUTO(exec_output_done) struct exec_output printed = EXEC_OUTPUT_INIT;
		struct err one = {0};

		if (run_plugin(r, i, fair_deadline(r->env, i + 1), &printed, &one) < 0)
			keep_error(&first, &one);
	}
	if (first.kind == ERR_NONE)
		return 0;
	*e = first;
	return -1;
}

int chain_del(const struct chain *c, const struct chain_env *env, struct err *e)
{
	struct run r = {.c = c, .env = env, .command = CNI_DEL};
	AUTO(free) char *owned = NULL;
	struct err why = {0};

	/* Best effort: a former result that nobody can read must not keep an address for ever. */
	if (c->version >= CNI_0_4_0 &&
	    chain_conf_prev(c, env->prev_result, &owned, &r.prev, &why) < 0) {
		r.prev = (struct jspan){0};
		if (env->notes)
			sb_printf(env->notes, "%sDEL runs without prevResult: %s",
				  env->notes->len ? "; " : "", why.msg);
	}
	return run_all(&r, e);
}

/* In order, up to the first failure. */
static int run_in_order(const struct run *r, struct err *e)
{
	size_t i;

	for (i = 0; i < r->c->n; i++) {
		AUTO(exec_output_done) struct exec_output printed = EXEC_OUTPUT_INIT;

		if (run_plugin(r, i, r->env->deadline_ms, &printed, e) < 0)
			return -1;
	}
	return 0;
}

int chain_check(const struct chain *c, const struct chain_env *env, struct err *e)
{
	struct run r = {.c = c, .env = env, .command = CNI_CHECK};
	AUTO(free) char *owned = NULL;

	if (c->version < CNI_0_4_0 || c->disable_check)
		return 0;
	if (chain_conf_prev(c, env->prev_result, &owned, &r.prev, e) < 0)
		return -1;
	return run_in_order(&r, e);
}

int chain_status(const struct chain *c, const struct chain_env *env, struct err *e)
{
	struct run r = {.c = c, .env = env, .command = CNI_STATUS};

	return c->version < CNI_1_1_0 ? 0 : run_in_order(&r, e);
}

int chain_gc(const struct chain *c, const struct chain_env *env, struct err *e)
{
	struct run r = {.c = c, .env = env, .command = CNI_GC};

	return c->version < CNI_1_1_0 || c->disable_gc ? 0 : run_all(&r, e);
}
