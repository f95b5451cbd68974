/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json/jwrite.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "lib/base/sb.h"
#include "lib/json/utf8.h"

static uint64_t level_bit(const struct jw *w)
{
	return (uint64_t)1 << (w->depth - 1);
}

static bool in_object(const struct jw *w)
{
	return w->depth && (w->objects & level_bit(w));
}

/* The comma before an item that is not the first of its container. */
static void separate(struct jw *w)
{
	if (w->filled & level_bit(w))
		sb_putc(w->sb, ',');
	w->filled |= level_bit(w);
}

static void before_value(struct jw *w)
{
	assert(!w->complete);
	assert(w->key_given == in_object(w));
	if (w->depth && !w->key_given)
		separate(w);
	w->key_given = false;
}

static void after_value(struct jw *w)
{
	if (w->depth == 0)
		w->complete = true;
}

struct jw jw_init(struct sb *sb)
{
	return (struct jw){.sb = sb};
}

void jw_finish(const struct jw *w)
{
	assert(w->complete && w->depth == 0);
	(void)w;
}

static void open_level(struct jw *w, char c, bool object)
{
	before_value(w);
	assert(w->depth < JSON_MAX_DEPTH);
	sb_putc(w->sb, c);
	w->depth++;
	w->filled &= ~level_bit(w);
	if (object)
		w->objects |= level_bit(w);
	else
		w->objects &= ~level_bit(w);
}

void jw_obj(struct jw *w)
{
	open_level(w, '{', true);
}

void jw_arr(struct jw *w)
{
	open_level(w, '[', false);
}

void jw_end(struct jw *w)
{
	assert(w->depth > 0 && !w->key_given);
	sb_putc(w->sb, in_object(w) ? '}' : ']');
	w->depth--;
	after_value(w);
}

/* One byte that cannot stand in a string as it is. */
static void put_escaped(struct sb *sb, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t";
	static const char to[] = "\"\\bfnrt";
	const char *at = memchr(from, c, sizeof(from) - 1);

	if (at) {
		sb_putc(sb, '\\');
		sb_putc(sb, to[at - from]);
	} else {
		sb_printf(sb, "\\u%04x", c);
	}
}

static void put_string(struct sb *sb, const char *s, size_t n)
{
	const char *end = s + n;
	const char *run = s;
	size_t len;

	sb_putc(sb, '"');
	while (s < end) {
		len = utf8_len(s, end);
		if (len && (unsigned char)*s >= 0x20 && *s != '"' && *s != '\\') {
			s += len;
			continue;
		}
		sb_add(sb, run, (size_t)(s - run));
		if (len)
			put_escaped(sb, (unsigned char)*s);
		else
			sb_puts(sb, "\xef\xbf\xbd");
		run = ++s;
	}
	sb_add(sb, run, (size_t)(s - run));
	sb_putc(sb, '"');
}

void jw_key(struct jw *w, const char *key)
{
	assert(in_object(w) && !w->key_given);
	separate(w);
	put_string(w->sb, key, strlen(key));
	sb_putc(w->sb, ':');
	w->key_given = true;
}

void jw_strn(struct jw *w, const char *s, size_t n)
{
	before_value(w);
	put_string(w->sb, s, n);
	after_value(w);
}

void jw_str(struct jw *w, const char *s)
{
	if (s)
		jw_strn(w, s, strlen(s));
	else
		jw_null(w);
}

void jw_i64(struct jw *w, int64_t v)
{
	before_value(w);
	sb_printf(w->sb, "%" PRId64, v);
	after_value(w);
}

static void put_word(struct jw *w, const char *word)
{
	before_value(w);
	sb_puts(w->sb, word);
	after_value(w);
}

void jw_bool(struct jw *w, bool v)
{
	put_word(w, v ? "true" : "false");
}

void jw_null(struct jw *w)
{
	put_word(w, "null");
}

void jw_raw(struct jw *w, struct jspan value)
{
	assert(value.p && value.len);
	before_value(w);
	sb_add(w->sb, value.p, value.len);
	after_value(w);
}

void jw_raw_member(struct jw *w, struct jspan key, struct jspan value)
{
	assert(in_object(w) && !w->key_given);
	separate(w);
	sb_add(w->sb, key.p, key.len);
	sb_putc(w->sb, ':');
	w->key_given = true;
	jw_raw(w, value);
}

void jw_kv_str(struct jw *w, const char *key, const char *s)
{
	jw_key(w, key);
	jw_str(w, s);
}

void jw_kv_opt(struct jw *w, const char *key, const char *s)
{
	if (s && *s)
		jw_kv_str(w, key, s);
}

void jw_kv_i64(struct jw *w, const char *key, int64_t v)
{
	jw_key(w, key);
	jw_i64(w, v);
}

void jw_kv_bool(struct jw *w, const char *key, bool v)
{
	jw_key(w, key);
	jw_bool(w, v);
}

void jw_kv_raw(struct jw *w, const char *key, struct jspan value)
{
	jw_key(w, key);
	jw_raw(w, value);
}

void jw_kv_obj(struct jw *w, const char *key)
{
	jw_key(w, key);
	jw_obj(w);
}

void jw_kv_arr(struct jw *w, const char *key)
{
	jw_key(w, key);
	jw_arr(w);
}
