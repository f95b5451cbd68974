/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/watch.h"

#include <stdbool.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/json.h"
#include "lib/kube/mend.h"

static const char *const names[] = {
	[KUBE_EVENT_ADDED] = "ADDED",     [KUBE_EVENT_MODIFIED] = "MODIFIED",
	[KUBE_EVENT_DELETED] = "DELETED", [KUBE_EVENT_BOOKMARK] = "BOOKMARK",
	[KUBE_EVENT_ERROR] = "ERROR",
};

struct kube_decoder {
	struct sb buf;
	size_t used;    /* bytes of buf that are done with */
	size_t scanned; /* no newline between used and here */
	struct jdoc *doc;
	struct jval object;
	char key[KUBE_KEY_MAX]; /* of an object that cannot be read */
	struct err why;
	bool broken;
};

struct kube_decoder *kube_decoder_new(void)
{
	return xcalloc(1, sizeof(struct kube_decoder));
}

void kube_decoder_free(struct kube_decoder *d)
{
	if (!d)
		return;
	jdoc_free(d->doc);
	sb_done(&d->buf);
	free(d);
}

const char *kube_event_name(enum kube_event_type type)
{
	return names[type];
}

size_t kube_decoder_pending(const struct kube_decoder *d)
{
	return d->buf.len - d->used;
}

static int lost(const struct kube_decoder *d, struct err *e)
{
	(void)d;
	return err_set(e, ERR_DECODE, 0, "watch: the stream is lost");
}

/* Forget what has been taken out. A line once grown long does not keep its memory for ever. */
static void compact(struct kube_decoder *d)
{
	size_t left = d->buf.len - d->used;

	if (!d->used)
		return;
	if (!left && d->buf.cap > 256 << 10) {
		sb_done(&d->buf);
	} else {
		memmove(d->buf.data, d->buf.data + d->used, left);
		d->buf.len = left;
		d->buf.data[left] = '\0';
	}
	d->scanned -= d->used;
	d->used = 0;
}

static size_t first_line(const char *data, size_t len)
{
	const char *newline = memchr(data, '\n', len);

	return newline ? (size_t)(newline - data) : len;
}

int kube_decoder_feed(struct kube_decoder *d, const char *data, size_t len, struct err *e)
{
	jdoc_free(STEAL(d->doc));
	if (d->broken)
		return lost(d, e);
	compact(d);
	/* Lines already complete are the caller's to take; only the open one grows. */
	if (!memchr(sb_get(&d->buf), '\n', d->buf.len) &&
	    d->buf.len + first_line(data, len) > KUBE_WATCH_LINE_MAX) {
		d->broken = true;
		return err_set(e, ERR_DECODE, 0, "watch: a line is longer than %zu bytes",
			       KUBE_WATCH_LINE_MAX);
	}
	sb_add(&d->buf, data, len);
	return 0;
}

static int type_of(const char *name, enum kube_event_type *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (str_eq(name, names[i])) {
			*out = (enum kube_event_type)i;
			return 0;
		}
	}
	return -1;
}

/* A line that cannot be read: of which object is it? That one alone is lost then. */
static bool tell(struct kube_decoder *d, struct jspan line, struct kube_event *out)
{
	struct jspan type, object;

	if (!kube_mend_find(line, "type", &type) || !kube_mend_find(line, "object", &object) ||
	    !kube_mend_key(object, d->key))
		return false;
	for (int i = KUBE_EVENT_ADDED; i <= KUBE_EVENT_DELETED; i++) {
		if (type.len != strlen(names[i]) + 2 ||
		    memcmp(type.p + 1, names[i], type.len - 2) != 0)
			continue;
		*out = (struct kube_event){
			.type = (enum kube_event_type)i, .key = d->key, .why = &d->why};
		return true;
	}
	return false;
}

static int decode(struct kube_decoder *d, char *line, size_t len, struct kube_event *out,
		  struct err *e)
{
	enum kube_event_type type;
	const char *name;
	struct jval root;

	err_clear(&d->why);
	if (kube_json_parse("watch", line, len, &d->doc, &d->why)) {
		if (tell(d, (struct jspan){line, len}, out))
			return 0;
		*e = d->why;
		return -1;
	}
	root = jdoc_root(d->doc);
	if (jas_obj(&root, e) || jneed_str(&root, "type", &name, e) ||
	    jneed_obj(&root, "object", &d->object, e))
		return -1;
	if (type_of(name, &type))
		return jerr(&root, "type", e, ERR_DECODE, "not an event: \"%.40s\"", name);
	*out = (struct kube_event){.type = type, .object = &d->object};
	return 0;
}

static bool is_blank(const char *s, size_t len)
{
	while (len && strchr(" \t\r", *s)) {
		s++;
		len--;
	}
	return !len;
}

int kube_decoder_next(struct kube_decoder *d, struct kube_event *out, struct err *e)
{
	jdoc_free(STEAL(d->doc));
	if (d->broken)
		return lost(d, e);
	for (;;) {
		char *line = d->buf.data + d->used;
		char *end = NULL;

		if (d->scanned < d->buf.len)
			end = memchr(d->buf.data + d->scanned, '\n', d->buf.len - d->scanned);
		if (!end) {
			d->scanned = d->buf.len;
			return 0;
		}
		d->used = d->scanned = (size_t)(end + 1 - d->buf.data);
		if (is_blank(line, (size_t)(end - line)))
			continue;
		if (!decode(d, line, (size_t)(end - line), out, e))
			return 1;
		d->broken = true;
		return -1;
	}
}
