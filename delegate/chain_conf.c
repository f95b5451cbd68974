/* SPDX-License-Identifier: Apache-2.0 */
#include "delegate/chain_conf.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/cni/result.h"
#include "lib/json/jwrite.h"

/* The members of runtimeConfig that this plugin has declared; "" when there are none. */
static char *share_of(struct jspan plugin, struct jspan runtime_config)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);
	struct jspan capabilities = {0};
	struct jspan key, on, value;
	struct jspan_iter it;
	size_t n = 0;

	jw_obj(&w);
	jspan_find_any(plugin, "capabilities", &capabilities);
	for (it = jspan_begin(capabilities); jspan_next_member(&it, &key, &on);) {
		AUTO(free) char *name = jspan_decode(key);

		if (on.len != 4 || memcmp(on.p, "true", 4) != 0 || !name ||
		    !jspan_find(runtime_config, name, &value))
			continue;
		jw_raw_member(&w, key, value);
		n++;
	}
	jw_end(&w);
	return n ? sb_take(&sb) : xstrdup("");
}

/* A member of the file that does not go to the plugin as it is. */
static bool is_dropped(struct jspan key, const char *share, struct jspan prev)
{
	return jspan_is(key, "cniVersion") || jspan_is(key, "name") ||
	       jspan_is(key, "capabilities") || jspan_starts(key, "cni.dev/") ||
	       (*share && jspan_is(key, "runtimeConfig")) ||
	       (prev.p && jspan_is(key, "prevResult"));
}

/*
 * Another spelling of a key, which Go takes for the same: of both the last one counts. libcni sorts the keys, so that
 * the usual spelling is the last.
 */
static bool is_other_spelling(struct jspan key)
{
	static const char *const keys[] = {"cniVersion", "name",       "type",         "ipam",
					   "dns",        "prevResult", "runtimeConfig"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (jspan_is_any(key, keys[i]))
			return !jspan_is(key, keys[i]);
	}
	return false;
}

static void write_other_spellings(struct jw *w, struct jspan conf)
{
	struct jspan key, value;

	for (struct jspan_iter it = jspan_begin(conf); jspan_next_member(&it, &key, &value);) {
		if (is_other_spelling(key))
			jw_raw_member(w, key, value);
	}
}

char *chain_conf_build(const struct chain *c, size_t i, enum cni_command command,
		       const struct chain_env *env, struct jspan prev)
{
	AUTO(free) char *share = share_of(c->v[i].conf, env->runtime_config);
	struct jspan attachments = env->valid_attachments;
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);
	struct jspan key, value;
	struct jspan_iter it;

	jw_obj(&w);
	write_other_spellings(&w, c->v[i].conf);
	jw_kv_str(&w, "cniVersion", cni_version_name(c->version));
	jw_kv_str(&w, "name", c->name);
	for (it = jspan_begin(c->v[i].conf); jspan_next_member(&it, &key, &value);) {
		if (!is_dropped(key, share, prev) && !is_other_spelling(key))
			jw_raw_member(&w, key, value);
	}
	if (*share)
		jw_kv_raw(&w, "runtimeConfig", jspan_of(share));
	if (prev.p)
		jw_kv_raw(&w, "prevResult", prev);
	if (command == CNI_GC && attachments.p) {
		jw_kv_raw(&w, "cni.dev/valid-attachments", attachments);
		/* The name of the key before the spec settled. */
		jw_kv_raw(&w, "cni.dev/attachments", attachments);
	}
	jw_end(&w);
	return sb_take(&sb);
}

/* The same object with a cniVersion in front; what it had there is empty, no string or nothing. */
static char *with_version(const struct chain *c, struct jspan prev)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);
	struct jspan key, value;
	struct jspan_iter it;

	jw_obj(&w);
	jw_kv_str(&w, "cniVersion", cni_version_name(c->version));
	for (it = jspan_begin(prev); jspan_next_member(&it, &key, &value);) {
		if (!jspan_is(key, "cniVersion"))
			jw_raw_member(&w, key, value);
	}
	jw_end(&w);
	return sb_take(&sb);
}

int chain_conf_prev(const struct chain *c, struct jspan prev, char **owned, struct jspan *out,
		    struct err *e)
{
	AUTO(cni_result_free) struct cni_result *r = NULL;
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jspan version;

	*owned = NULL;
	*out = prev;
	if (!prev.p)
		return 0;
	if (jscan_check_lax("prevResult", prev, NULL, e) < 0)
		return -1;
	if (c->version < CNI_0_3_0)
		return 0;
	if (jspan_find(prev, "cniVersion", &version) &&
	    jspan_is(version, cni_version_name(c->version)))
		return 0;
	if (!jspan_find(prev, "cniVersion", &version) || jspan_is(version, "") ||
	    jspan_type(version) != JTYPE_STRING) {
		*owned = with_version(c, prev);
	} else {
		if (cni_result_parse("prevResult", prev, c->version, &r, e) < 0 ||
		    cni_result_write(r, c->version, &sb, e) < 0)
			return -1;
		*owned = sb_take(&sb);
	}
	*out = jspan_of(*owned);
	return 0;
}
