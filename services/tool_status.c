/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jwrite.h"
#include "services/stat.h"
#include "services/table/table.h"
#include "services/tool.h"

/* What is there besides the hooks; zero where nothing is loaded. */
struct figures {
	struct svc_conf conf;
	size_t services;
	uint64_t counters[SVC_COUNTERS];
};

static int read_figures(const char *pins, struct figures *out, struct err *e)
{
	AUTO(free) const struct table_service **all = NULL;
	AUTO(free) char *dir = load_dir(pins);
	AUTO(table_free) struct table *t = NULL;

	if (table_open(dir, &t, e) < 0 || table_conf(t, &out->conf, e) < 0 ||
	    stat_read(dir, out->counters, e) < 0)
		return -1;
	out->services = table_list(t, &all);
	return 0;
}

static int64_t sync_age(const struct figures *f)
{
	return f->conf.synced_s ? clock_wall_s() - (int64_t)f->conf.synced_s : -1;
}

static void write_hooks(struct jw *w, const struct load_state *s)
{
	jw_kv_arr(w, "hooks");
	for (size_t i = 0; i < LOAD_HOOKS; i++) {
		const struct load_hook *h = &s->hooks[i];

		jw_obj(w);
		jw_kv_str(w, "name", h->name);
		jw_kv_bool(w, "attached", h->attached);
		jw_kv_i64(w, "program", h->program);
		jw_kv_arr(w, "others");
		for (size_t k = 0; k < h->n_others; k++) {
			jw_obj(w);
			jw_kv_i64(w, "program", h->others[k].id);
			jw_kv_str(w, "name", h->others[k].name);
			jw_end(w);
		}
		jw_end(w);
		jw_end(w);
	}
	jw_end(w);
}

static void say_json(const struct load_state *s, const struct figures *f, const char *why,
		     struct sb *out)
{
	struct utsname kernel = {0};
	struct jw w = jw_init(out);

	uname(&kernel);
	jw_obj(&w);
	jw_kv_bool(&w, "loaded", s->attached == LOAD_HOOKS);
	jw_kv_opt(&w, "reason", why);
	jw_kv_str(&w, "kernel", kernel.release);
	jw_kv_str(&w, "cgroup", s->cgroup);
	write_hooks(&w, s);
	jw_kv_bool(&w, "udp", f->conf.flags & SVC_CONF_UDP);
	jw_kv_bool(&w, "host", f->conf.flags & SVC_CONF_HOST);
	jw_kv_bool(&w, "refuse", f->conf.flags & SVC_CONF_REFUSE);
	jw_kv_bool(&w, "off", f->conf.flags & SVC_CONF_OFF);
	jw_kv_i64(&w, "services", (int64_t)f->services);
	jw_kv_obj(&w, "counters");
	for (int i = 0; i < SVC_COUNTERS; i++)
		jw_kv_i64(&w, stat_name(i), (int64_t)f->counters[i]);
	jw_end(&w);
	jw_kv_i64(&w, "secondsSinceSync", sync_age(f));
	jw_end(&w);
	sb_putc(out, '\n');
}

static void say_others(const struct load_state *s, struct sb *out)
{
	for (size_t i = 0; i < LOAD_HOOKS; i++) {
		for (size_t k = 0; k < s->hooks[i].n_others; k++)
			sb_printf(out, "beside us  %s: program %u %s\n", s->hooks[i].name,
				  s->hooks[i].others[k].id, s->hooks[i].others[k].name);
	}
}

static void say(const struct load_state *s, const struct figures *f, const char *why,
		struct sb *out)
{
	int64_t age = sync_age(f);

	sb_printf(out, "programs   %zu of %d hooks, at %s\n", s->attached, LOAD_HOOKS,
		  s->cgroup ? s->cgroup : "no cgroup");
	if (*why)
		sb_printf(out, "why        %s\n", why);
	say_others(s, out);
	sb_printf(out, "switches   UDP %s, the node itself %s, without endpoints %s%s\n",
		  f->conf.flags & SVC_CONF_UDP ? "yes" : "no",
		  f->conf.flags & SVC_CONF_HOST ? "yes" : "no",
		  f->conf.flags & SVC_CONF_REFUSE ? "refuse" : "pass",
		  f->conf.flags & SVC_CONF_OFF ? "; ALL OFF" : "");
	sb_printf(out, "services   %zu\n", f->services);
	sb_puts(out, "counters  ");
	for (int i = 0; i < SVC_COUNTERS; i++)
		sb_printf(out, " %s %llu", stat_name(i), (unsigned long long)f->counters[i]);
	if (age < 0)
		sb_puts(out, "\nlast sync  none: by hand only\n");
	else
		sb_printf(out, "\nlast sync  %lld s ago\n", (long long)age);
}

int tool_status(const struct tool_options *o, struct sb *out, struct err *e)
{
	struct figures f = {0};
	struct load_state s = {0};
	struct err why = {0};
	int rc;

	if (load_look(&o->where, &s, &why) < 0) {
		for (size_t i = 0; i < LOAD_HOOKS; i++)
			s.hooks[i].name = "";
	} else if (read_figures(o->where.pins, &f, &why) < 0 && why.kind != ERR_NOT_FOUND) {
		load_state_done(&s);
		*e = why;
		return -1;
	}
	if (o->json)
		say_json(&s, &f, why.msg, out);
	else
		say(&s, &f, why.msg, out);
	rc = s.attached == LOAD_HOOKS ? 0 : -1;
	load_state_done(&s);
	return rc;
}
