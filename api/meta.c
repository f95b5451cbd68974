/* SPDX-License-Identifier: Apache-2.0 */
#include "api/meta.h"

#include <assert.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

#define NAME_MAX_LEN 253

int api_is_ready(const struct jval *status, bool *out, struct err *e)
{
	struct jval list = {0}, item;
	int rc = jget_arr(status, "conditions", &list, e);

	if (rc <= 0)
		return rc;
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		const char *type = "", *state = "";

		if (jas_obj(&item, e) < 0 || jget_str(&item, "type", &type, e) < 0 ||
		    jget_str(&item, "status", &state, e) < 0)
			return -1;
		if (str_eq(type, "Ready"))
			*out = str_eq(state, "True");
	}
	return 0;
}

static int read_time(const struct jval *v, const char *key, int64_t *out, struct err *e)
{
	const char *text;
	int rc = jget_str(v, key, &text, e);

	if (rc <= 0)
		return rc;
	if (clock_parse_rfc3339(text, out) < 0)
		return jerr(v, key, e, ERR_DECODE, "\"%.60s\" is not a time", text);
	/* A time before 1970 would read as "not set". */
	if (*out <= 0)
		*out = 1;
	return 1;
}

static int read_finalizers(const struct jval *v, struct api_meta *m, struct err *e)
{
	struct jval list = {0}, item;
	int rc = jget_arr(v, "finalizers", &list, e);

	if (rc <= 0)
		return rc;
	if (jlen(&list) > API_FINALIZERS_MAX)
		return jerr(v, "finalizers", e, ERR_DECODE, "more than %d entries",
			    API_FINALIZERS_MAX);
	m->finalizers = xcalloc(jlen(&list) + 1, sizeof(*m->finalizers));
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		const char *text;

		if (jas_str(&item, &text, e) < 0)
			return -1;
		m->finalizers[m->n_finalizers++] = xstrdup(text);
	}
	return 0;
}

int api_meta_decode(const struct jval *obj, struct api_meta *out, struct err *e)
{
	AUTO(api_meta_done) struct api_meta m = {0};
	const char *ns = "", *name = NULL, *uid = NULL, *version = "";
	struct jval v;

	if (jas_obj(obj, e) < 0 || jneed_obj(obj, "metadata", &v, e) < 0 ||
	    jneed_str(&v, "name", &name, e) < 0 || jneed_str(&v, "uid", &uid, e) < 0 ||
	    jget_str(&v, "namespace", &ns, e) < 0 ||
	    jget_str(&v, "resourceVersion", &version, e) < 0 ||
	    jget_i64(&v, "generation", JRANGE(0, INT64_MAX), &m.generation, e) < 0 ||
	    read_time(&v, "creationTimestamp", &m.created, e) < 0 ||
	    read_time(&v, "deletionTimestamp", &m.deletion, e) < 0 ||
	    read_finalizers(&v, &m, e) < 0)
		return -1;
	m.ns = xstrdup(ns);
	m.name = xstrdup(name);
	m.uid = xstrdup(uid);
	m.resource_version = xstrdup(version);
	*out = m;
	m = (struct api_meta){0};
	return 0;
}

void api_meta_done(struct api_meta *m)
{
	for (size_t i = 0; i < m->n_finalizers; i++)
		free(m->finalizers[i]);
	free(m->finalizers);
	free(m->ns);
	free(m->name);
	free(m->uid);
	free(m->resource_version);
	*m = (struct api_meta){0};
}

bool api_meta_has_finalizer(const struct api_meta *m, const char *name)
{
	for (size_t i = 0; i < m->n_finalizers; i++) {
		if (str_eq(m->finalizers[i], name))
			return true;
	}
	return false;
}

void api_meta_write_uid(struct jw *w, const char *uid)
{
	assert(uid && *uid);
	jw_kv_str(w, "uid", uid);
}

void api_meta_write_condition(struct jw *w, const char *uid, const char *version)
{
	assert(version && *version);
	api_meta_write_uid(w, uid);
	jw_kv_str(w, "resourceVersion", version);
}

void api_meta_begin_patch(struct jw *w, const char *uid, const char *version)
{
	jw_obj(w);
	jw_kv_obj(w, "metadata");
	api_meta_write_condition(w, uid, version);
}

char *api_meta_delete_options(const char *uid, const char *version)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	jw_obj(&w);
	jw_kv_str(&w, "kind", "DeleteOptions");
	jw_kv_str(&w, "apiVersion", "v1");
	jw_kv_obj(&w, "preconditions");
	api_meta_write_condition(&w, uid, version);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	return sb_take(&sb);
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool api_name_ok(const char *s)
{
	size_t n = strlen(s);

	if (n < 1 || n > NAME_MAX_LEN || !is_alnum(s[0]) || !is_alnum(s[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (is_alnum(s[i]))
			continue;
		if (s[i] != '-' && s[i] != '.')
			return false;
		/* Every label begins and ends with a letter or digit. */
		if (s[i] == '.' && (!is_alnum(s[i - 1]) || !is_alnum(s[i + 1])))
			return false;
	}
	return true;
}
