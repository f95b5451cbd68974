/* SPDX-License-Identifier: Apache-2.0 */
#include "api/doctor.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

/* For the members that come after the entries. */
#define TAIL_BYTES 40

static const struct {
	const char *word;
	bool fails;
} rows[API_DOCTOR_REASONS] = {
	[API_DOCTOR_OK] = {"OK", false},
	[API_DOCTOR_NIC_MISSING] = {"NICMissing", true},
	[API_DOCTOR_NO_CARRIER] = {"NoCarrier", true},
	[API_DOCTOR_NIC_UNFIT] = {"NICUnfit", true},
	[API_DOCTOR_VLAN] = {"VLANNotPassed", true},
	[API_DOCTOR_SILENT] = {"GatewaySilent", true},
	[API_DOCTOR_SECOND_MAC] = {"SecondMACRefused", true},
	[API_DOCTOR_TWO_ANSWERS] = {"TwoGateways", true},
	[API_DOCTOR_MTU] = {"MTUTooSmall", true},
	[API_DOCTOR_UNTESTED] = {"NotTested", false},
};

const char *api_doctor_word(enum api_doctor_reason reason)
{
	return rows[reason].word;
}

int api_doctor_find(const char *word, enum api_doctor_reason *out)
{
	for (int i = 0; i < API_DOCTOR_REASONS; i++) {
		if (str_eq(word, rows[i].word)) {
			*out = (enum api_doctor_reason)i;
			return 0;
		}
	}
	return -1;
}

bool api_doctor_fails(enum api_doctor_reason reason)
{
	return rows[reason].fails;
}

void api_doctor_done(struct api_doctor *d)
{
	free(d->v);
	*d = (struct api_doctor){0};
}

struct api_doctor_entry *api_doctor_add(struct api_doctor *d)
{
	d->v = xreallocarray(d->v, d->n + 1, sizeof(*d->v));
	d->v[d->n] = (struct api_doctor_entry){0};
	return &d->v[d->n++];
}

const struct api_doctor_entry *api_doctor_get(const struct api_doctor *d, const char *subnet)
{
	for (size_t i = 0; i < d->n; i++) {
		if (str_eq(d->v[i].subnet, subnet))
			return &d->v[i];
	}
	return NULL;
}

static bool entry_eq(const struct api_doctor_entry *a, const struct api_doctor_entry *b)
{
	return str_eq(a->subnet, b->subnet) && a->reason == b->reason &&
	       str_eq(a->message, b->message) && str_eq(a->nic, b->nic) && str_eq(a->sw, b->sw) &&
	       str_eq(a->port, b->port) && a->mtu == b->mtu;
}

bool api_doctor_eq(const struct api_doctor *a, const struct api_doctor *b)
{
	if (a->n != b->n || a->omitted != b->omitted || a->asked_s != b->asked_s)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!entry_eq(&a->v[i], &b->v[i]))
			return false;
	}
	return true;
}

char *api_doctor_clean(const void *text, size_t n, char *out, size_t size)
{
	const unsigned char *b = text;
	size_t i;

	for (i = 0; i < n && i + 1 < size && b[i]; i++)
		out[i] = b[i] >= ' ' && b[i] < 0x7f ? (char)b[i] : '?';
	out[i] = '\0';
	return out;
}

/* ------------------------------------------------------------------ writing */

static void write_entry(const struct api_doctor_entry *x, struct sb *out)
{
	struct jw w = jw_init(out);

	jw_obj(&w);
	jw_kv_str(&w, "name", x->subnet);
	jw_kv_str(&w, "reason", rows[x->reason].word);
	jw_kv_opt(&w, "message", x->message);
	jw_kv_opt(&w, "nic", x->nic);
	jw_kv_opt(&w, "switch", x->sw);
	jw_kv_opt(&w, "port", x->port);
	if (x->mtu)
		jw_kv_bool(&w, "mtu", true);
	jw_end(&w);
	jw_finish(&w);
}

/* What fails, then what was not tested, then the rest. */
static int rank(const struct api_doctor_entry *x)
{
	return api_doctor_fails(x->reason) ? 0 : x->reason == API_DOCTOR_UNTESTED ? 1 : 2;
}

void api_doctor_write(const struct api_doctor *d, struct sb *out)
{
	size_t start = out->len, omitted = d->omitted;
	char when[CLOCK_RFC3339_LEN];
	struct jw w = jw_init(out);

	jw_obj(&w);
	jw_kv_str(&w, "time", clock_rfc3339(d->time_s, when));
	if (d->asked_s)
		jw_kv_str(&w, "asked", clock_rfc3339(d->asked_s, when));
	jw_kv_arr(&w, "subnets");
	for (int r = 0; r < 3; r++) {
		for (size_t i = 0; i < d->n; i++) {
			AUTO(sb_done) struct sb one = SB_INIT;

			if (rank(&d->v[i]) != r)
				continue;
			write_entry(&d->v[i], &one);
			if (out->len - start + one.len + TAIL_BYTES > API_DOCTOR_BYTES)
				omitted++;
			else
				jw_raw(&w, (struct jspan){one.data, one.len});
		}
	}
	jw_end(&w);
	if (omitted)
		jw_kv_i64(&w, "omitted", (int64_t)omitted);
	jw_end(&w);
	jw_finish(&w);
}

/* ------------------------------------------------------------------ reading */

static bool is_name(const char *s)
{
	return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-.")] == '\0';
}

static bool is_plain(const char *s)
{
	for (; *s; s++) {
		if (*s < ' ' || *s > '~')
			return false;
	}
	return true;
}

/* A text that may be absent. */
static int read_text(const struct jval *v, const char *key, char *out, size_t size, struct err *e)
{
	const char *text = "";

	if (jget_str(v, key, &text, e) < 0)
		return -1;
	if (!is_plain(text) || str_copy(out, size, text) < 0)
		return jerr(v, key, e, ERR_DECODE, "too long, or not plain text");
	return 0;
}

static int read_entry(const struct jval *v, struct api_doctor_entry *x, struct err *e)
{
	const char *name, *word;

	if (jas_obj(v, e) < 0 || jneed_str(v, "name", &name, e) < 0 ||
	    jneed_str(v, "reason", &word, e) < 0)
		return -1;
	if (!is_name(name) || str_copy(x->subnet, sizeof(x->subnet), name) < 0)
		return jerr(v, "name", e, ERR_DECODE, "not a name");
	if (api_doctor_find(word, &x->reason) < 0)
		return jerr(v, "reason", e, ERR_DECODE, "unknown");
	if (read_text(v, "message", x->message, sizeof(x->message), e) < 0 ||
	    read_text(v, "nic", x->nic, sizeof(x->nic), e) < 0 ||
	    read_text(v, "switch", x->sw, sizeof(x->sw), e) < 0 ||
	    read_text(v, "port", x->port, sizeof(x->port), e) < 0)
		return -1;
	return jget_bool(v, "mtu", &x->mtu, e) < 0 ? -1 : 0;
}

static int read_entries(const struct jval *list, struct api_doctor *d, struct err *e)
{
	struct jiter it = jiter_of(list);
	struct jval v;

	if (jlen(list) > API_DOCTOR_ENTRIES)
		return jerr(list, NULL, e, ERR_DECODE, "more than %d", API_DOCTOR_ENTRIES);
	while (jiter_next(&it, &v)) {
		struct api_doctor_entry x = {0};

		if (read_entry(&v, &x, e) < 0)
			return -1;
		if (api_doctor_get(d, x.subnet))
			return jerr(&v, "name", e, ERR_DECODE, "twice");
		*api_doctor_add(d) = x;
	}
	return 0;
}

int api_doctor_read(const char *text, struct api_doctor *out, struct err *e)
{
	AUTO(api_doctor_done) struct api_doctor d = {0};
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	size_t n = strnlen(text, API_DOCTOR_BYTES + 1);
	struct jval root, list = {0};
	const char *when, *asked = NULL;
	int64_t omitted = 0;

	if (n > API_DOCTOR_BYTES)
		return err_set(e, ERR_DECODE, 0, "doctor: more than %d bytes", API_DOCTOR_BYTES);
	if (jdoc_parse("doctor", text, n, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	if (jas_obj(&root, e) < 0 || jneed_str(&root, "time", &when, e) < 0 ||
	    jget_str(&root, "asked", &asked, e) < 0 || jneed_arr(&root, "subnets", &list, e) < 0 ||
	    jget_i64(&root, "omitted", JRANGE(0, 100000), &omitted, e) < 0)
		return -1;
	if (clock_parse_rfc3339(when, &d.time_s) < 0)
		return jerr(&root, "time", e, ERR_DECODE, "not a time");
	if (asked && clock_parse_rfc3339(asked, &d.asked_s) < 0)
		return jerr(&root, "asked", e, ERR_DECODE, "not a time");
	if (read_entries(&list, &d, e) < 0)
		return -1;
	d.omitted = (size_t)omitted;
	*out = d;
	d = (struct api_doctor){0};
	return 0;
}
