/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of a network that are one value each. */
#include <string.h>

#include "api/network_field.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

int api_field_bad(struct err *e, const char *path, const char *key, const char *value,
		  const char *why)
{
	return err_set(e, ERR_CONFIG, 0, "%s.%s: \"%.80s\" %s", path, key, value, why);
}

void api_field_write_absent(struct jw *w, const char *key, bool patch)
{
	if (!patch)
		return;
	jw_key(w, key);
	jw_null(w);
}

/* ------------------------------------------------------------------------------- numbers */

static int read_number(const struct jval *spec, const struct api_field_place *p,
		       struct api_network *n, struct err *e)
{
	const struct api_field *f = p->f;
	int64_t v = 0;

	if (jget_i64(spec, f->key, JRANGE(INT32_MIN, INT32_MAX), &v, e) < 0)
		return -1;
	if ((v || !f->or_zero) && (v < f->min || v > f->max))
		return err_set(e, ERR_CONFIG, 0, "%s.%s: %lld must be %s%lld to %lld", p->path,
			       f->key, (long long)v, f->or_zero ? "0 or " : "", (long long)f->min,
			       (long long)f->max);
	if (f->size == sizeof(uint16_t))
		*(uint16_t *)api_field_at(n, f) = (uint16_t)v;
	else
		*(uint32_t *)api_field_at(n, f) = (uint32_t)v;
	return 0;
}

static void write_number(struct jw *w, const struct api_field *f, const struct api_network *n,
			 bool patch)
{
	(void)patch;
	jw_kv_i64(w, f->key,
		  f->size == sizeof(uint16_t) ? *(const uint16_t *)api_field_in(n, f)
					      : *(const uint32_t *)api_field_in(n, f));
}

const struct api_field_type api_field_number = {.read = read_number, .write = write_number};

/* ------------------------------------------------------------------------------- link type and mode */

/* "a, b or c": of the words the i-th is the last but one, or earlier. */
static const char *joint(size_t i, size_t n)
{
	return i + 2 < n ? ", " : i + 2 == n ? " or " : "";
}

static int bad_link_type(const struct api_field_place *p, const char *name, struct err *e)
{
	AUTO(sb_done) struct sb why = SB_INIT;

	sb_puts(&why, "must be ");
	for (size_t i = 0; i < NL_TYPES; i++)
		sb_printf(&why, "%s%s", nl_link_type_get((enum nl_type)i)->kind,
			  joint(i, NL_TYPES));
	return api_field_bad(e, p->path, p->f->key, name, sb_get(&why));
}

static int read_link_type(const struct jval *spec, const struct api_field_place *p,
			  struct api_network *n, struct err *e)
{
	const char *name = nl_link_type_get(n->link_type)->kind;
	const struct nl_link_type *type;

	if (jget_str(spec, p->f->key, &name, e) < 0)
		return -1;
	type = nl_link_type_find(name);
	if (!type)
		return bad_link_type(p, name, e);
	n->link_type = nl_link_type_number(type);
	return 0;
}

static void write_link_type(struct jw *w, const struct api_field *f, const struct api_network *n,
			    bool patch)
{
	(void)patch;
	jw_kv_str(w, f->key, nl_link_type_get(n->link_type)->kind);
}

const struct api_field_type api_field_link_type = {.read = read_link_type,
						   .write = write_link_type};

static int bad_mode(const struct api_field_place *p, const struct nl_link_type *type,
		    const char *name, struct err *e)
{
	AUTO(sb_done) struct sb why = SB_INIT;
	size_t n = (size_t)type->last - type->first + 1;

	/* The default type goes without saying. */
	if (nl_link_type_number(type) != (enum nl_type)0)
		sb_printf(&why, "of %s %s ", type->article, type->kind);
	sb_puts(&why, "must be ");
	for (size_t i = 0; i < n; i++)
		sb_printf(&why, "%s%s", nl_link_mode_get((enum nl_mode)(type->first + i))->name,
			  joint(i, n));
	return api_field_bad(e, p->path, p->f->key, name, sb_get(&why));
}

/* The link type has been read before it. */
static int read_mode(const struct jval *spec, const struct api_field_place *p,
		     struct api_network *n, struct err *e)
{
	const struct nl_link_type *type = nl_link_type_get(n->link_type);
	const struct nl_link_mode *mode;
	const char *name = NULL;

	if (jget_str(spec, p->f->key, &name, e) < 0)
		return -1;
	mode = name && *name ? nl_link_mode_find(type, name) : nl_link_mode_get(type->first);
	if (!mode)
		return bad_mode(p, type, name, e);
	n->mode = nl_link_mode_number(mode);
	return 0;
}

static void write_mode(struct jw *w, const struct api_field *f, const struct api_network *n,
		       bool patch)
{
	(void)patch;
	jw_kv_str(w, f->key, nl_link_mode_get(n->mode)->name);
}

const struct api_field_type api_field_mode = {.read = read_mode, .write = write_mode};

/* ------------------------------------------------------------------------------- addresses */

static int read_addr(const struct jval *spec, const struct api_field_place *p,
		     struct api_network *n, struct err *e)
{
	const char *s = "";

	if (jget_str(spec, p->f->key, &s, e) < 0)
		return -1;
	if (*s && ip_parse(s, api_field_at(n, p->f)) < 0)
		return api_field_bad(e, p->path, p->f->key, s, "is not an address");
	return 0;
}

static void write_addr(struct jw *w, const struct api_field *f, const struct api_network *n,
		       bool patch)
{
	char text[IP_ADDR_LEN];

	(void)patch;
	jw_kv_str(w, f->key, ip_format(api_field_in(n, f), text));
}

static bool addr_is_absent(const struct api_field *f, const struct api_network *n)
{
	return !ip_is_set(api_field_in(n, f));
}

static bool addr_eq(const struct api_field *f, const struct api_network *a,
		    const struct api_network *b)
{
	return ip_eq(api_field_in(a, f), api_field_in(b, f));
}

const struct api_field_type api_field_addr = {
	.read = read_addr, .write = write_addr, .is_absent = addr_is_absent, .eq = addr_eq};

/* ------------------------------------------------------------------------------- switches */

static int read_switch(const struct jval *spec, const struct api_field_place *p,
		       struct api_network *n, struct err *e)
{
	enum api_switch *out = api_field_at(n, p->f);
	bool on = false;
	int rc = jget_bool(spec, p->f->key, &on, e);

	if (rc == 1)
		*out = on ? API_SWITCH_ON : API_SWITCH_OFF;
	return rc < 0 ? -1 : 0;
}

static void write_switch(struct jw *w, const struct api_field *f, const struct api_network *n,
			 bool patch)
{
	const enum api_switch *s = api_field_in(n, f);

	(void)patch;
	jw_kv_bool(w, f->key, *s == API_SWITCH_ON);
}

static bool switch_is_absent(const struct api_field *f, const struct api_network *n)
{
	const enum api_switch *s = api_field_in(n, f);

	return *s == API_SWITCH_UNSET;
}

const struct api_field_type api_field_switch = {
	.read = read_switch, .write = write_switch, .is_absent = switch_is_absent};
