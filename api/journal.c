/* SPDX-License-Identifier: Apache-2.0 */
#include "api/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

#define FIELD_MAX  320 /* namespace/name is the longest */
#define LINE_BYTES 2048

/* ------------------------------------------------------------------ a line */

/* What others have written must not make two fields of one, or two lines. */
static void add_field(struct sb *sb, const char *text)
{
	size_t n = 0;

	if (sb->len)
		sb_putc(sb, ' ');
	if (!text || !*text)
		text = "-";
	for (; *text && n < FIELD_MAX; text++, n++)
		sb_putc(sb, (unsigned char)*text <= ' ' || *text == 0x7f ? '?' : *text);
}

char *api_change_tail(const struct api_change *c)
{
	AUTO(sb_done) struct sb sb = SB_INIT;

	add_field(&sb, c->pod);
	add_field(&sb, c->pod_uid);
	add_field(&sb, c->node);
	add_field(&sb, c->mac);
	add_field(&sb, c->record_uid);
	add_field(&sb, c->why);
	return sb_take(&sb);
}

char *api_change_line(const struct api_change *c, const char *tail)
{
	char addr[IP_ADDR_LEN];

	return xasprintf("%" PRId64 " %c %s %s", c->at, c->given ? '+' : '-',
			 ip_format(&c->addr, addr), tail);
}

static const char *field(char **rest)
{
	char *word = strsep(rest, " ");

	return !word ? NULL : str_eq(word, "-") ? "" : word;
}

int api_change_parse(char *line, struct api_change *out)
{
	const char *at = field(&line), *sign = line ? strsep(&line, " ") : NULL,
		   *addr = field(&line);
	struct api_change c = {0};

	c.pod = field(&line);
	c.pod_uid = field(&line);
	c.node = field(&line);
	c.mac = field(&line);
	c.record_uid = field(&line);
	c.why = field(&line);
	if (!c.why || line || !sign || parse_i64(at, &c.at) < 0 || ip_parse(addr, &c.addr) < 0 ||
	    (!str_eq(sign, "+") && !str_eq(sign, "-")))
		return -1;
	c.given = *sign == '+';
	*out = c;
	return 0;
}

const char *api_change_why(const char *word)
{
	static const char *const words[][2] = {
		{"card-down", "its node reported the card down"},
		{"finished", "the kubelet finished the pod"},
		{"idle", "the pod was deleted before anything ran in it"},
		{"over", "the pod was over (Succeeded or Failed)"},
		{"out-of-service", "its node was out of service"},
		{"unwitnessed", "the hold was over; nobody saw the card go"},
		{"conflict", "another machine on the LAN used it"},
		{"taken-back", "it was taken back; no card is known to have had it"},
		{"no-record", "no record had it any more"},
		{"kept", "the pod went; the address is kept for the next one of its name"},
		{"ended", "its record ended"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (str_eq(words[i][0], word))
			return words[i][1];
	}
	return word;
}

void api_change_json(const struct api_change *c, const char *subnet, uint64_t number, struct jw *w)
{
	char at[CLOCK_RFC3339_LEN], addr[IP_ADDR_LEN];

	jw_obj(w);
	jw_kv_str(w, "time", clock_rfc3339(c->at, at));
	jw_kv_str(w, "journal", c->given ? "given" : "ended");
	jw_kv_str(w, "subnet", subnet);
	jw_kv_i64(w, "number", (int64_t)number);
	jw_kv_str(w, "address", ip_format(&c->addr, addr));
	jw_kv_opt(w, "pod", c->pod);
	jw_kv_opt(w, "podId", c->pod_uid);
	jw_kv_opt(w, "node", c->node);
	jw_kv_opt(w, "mac", c->mac);
	jw_kv_opt(w, "record", c->record_uid);
	jw_kv_opt(w, "why", c->why);
	jw_end(w);
}

/* ------------------------------------------------------------------ lines that wait */

void api_lines_done(struct api_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct api_lines){0};
}

void api_lines_add(struct api_lines *l, char *line_take)
{
	if (!(l->n & (l->n - 1)))
		l->v = xreallocarray(l->v, l->n ? 2 * l->n : 1, sizeof(*l->v));
	l->bytes += strlen(line_take);
	l->v[l->n++] = line_take;
	l->next++;
}

uint64_t api_lines_number(const struct api_lines *l, size_t i)
{
	return l->next - l->n + i;
}

void api_lines_cut(struct api_lines *l, uint64_t below)
{
	struct api_lines left = {.next = l->next};
	size_t n = 0;

	while (n < l->n && api_lines_number(l, n) < below)
		n++;
	if (!n)
		return;
	left.next -= l->n - n;
	for (size_t i = 0; i < l->n; i++) {
		if (i < n)
			free(l->v[i]);
		else
			api_lines_add(&left, l->v[i]);
	}
	free(l->v);
	*l = left;
}

void api_lines_read(const struct jval *journal, struct api_lines *out)
{
	struct jrange any = JRANGE(0, (int64_t)1 << 53);
	struct jval list, item;
	struct err ignored = {0};
	int64_t next = 0;
	uint64_t first;

	*out = (struct api_lines){0};
	if (jget_i64(journal, "next", any, &next, &ignored) != 1 ||
	    jget_arr(journal, "lines", &list, &ignored) != 1 || jlen(&list) > (size_t)next)
		return;
	first = (uint64_t)next - jlen(&list);
	out->next = first;
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);)
		api_lines_add(out, xstrdup(jis_str(&item) && strlen(jstr(&item)) < LINE_BYTES
						   ? jstr(&item)
						   : ""));
}

/* How many of l's first lines do not fit, with what comes behind them. */
static size_t skipped(const struct api_lines *l, size_t *left)
{
	size_t i = l->n;

	while (i && strlen(l->v[i - 1]) + 3 <= *left)
		*left -= strlen(l->v[--i]) + 3;
	if (i)
		*left = 0;
	return i;
}

void api_lines_write(struct jw *w, const struct api_lines *l, const struct api_lines *more,
		     size_t max)
{
	size_t from_more = skipped(more, &max), from = skipped(l, &max);

	jw_obj(w);
	jw_kv_i64(w, "next", (int64_t)(l->next + more->n));
	jw_kv_arr(w, "lines");
	for (size_t i = from; i < l->n; i++)
		jw_str(w, l->v[i]);
	for (size_t i = from_more; i < more->n; i++)
		jw_str(w, more->v[i]);
	jw_end(w);
	jw_end(w);
}

/* ------------------------------------------------------------------ the parts */

char *api_journal_head_text(const struct api_journal_head *h)
{
	return xasprintf("%" PRIu64 " %" PRIu64 " %s %" PRIu64 " %" PRId64, h->part, h->batch,
			 h->hash, h->bytes, h->newest);
}

static int number(char **rest, uint64_t *out)
{
	const char *word = strsep(rest, " ");
	int64_t n = 0;

	if (!word || parse_i64(word, &n) < 0 || n < 0)
		return -1;
	*out = (uint64_t)n;
	return 0;
}

int api_journal_head_parse(const char *text, struct api_journal_head *out)
{
	AUTO(free) char *copy = xstrdup(text);
	struct api_journal_head h = {0};
	char *rest = copy, *hash;
	uint64_t newest = 0;

	if (number(&rest, &h.part) < 0 || number(&rest, &h.batch) < 0)
		return -1;
	hash = strsep(&rest, " ");
	if (!hash || strlen(hash) != API_JOURNAL_HASH_LEN - 1 ||
	    strspn(hash, "0123456789abcdef") != strlen(hash) ||
	    str_copy(h.hash, sizeof(h.hash), hash) < 0 || number(&rest, &h.bytes) < 0 ||
	    number(&rest, &newest) < 0 || rest)
		return -1;
	h.newest = (int64_t)newest;
	*out = h;
	return 0;
}

char *api_journal_key(uint64_t batch, char buf[24])
{
	snprintf(buf, 24, "%010" PRIu64, batch);
	return buf;
}

void api_journal_begin(struct sb *batch, const char *prev)
{
	sb_printf(batch, "prev %s\n", prev);
}

void api_journal_add(struct sb *batch, const char *subnet, uint64_t number, const char *line)
{
	sb_printf(batch, "%s %" PRIu64 " %s\n", subnet, number, line);
}
