/* SPDX-License-Identifier: Apache-2.0 */
#include "api/owner.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"

#define WORD_MAX 253

/* The API server takes any text here. Ids are made of it, so it must be what such a thing looks like. */
static bool is_word(const char *text, const char *more)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	size_t n = 0;

	while (text[n] && (strchr(letters, text[n]) || strchr(more, text[n])))
		n++;
	return n && n <= WORD_MAX && !text[n];
}

int api_owner_decode(const struct jval *meta, struct api_owner *out, struct err *e)
{
	const char *version = "", *kind = "", *name = "", *uid = "";
	struct jval list = {0}, item;
	int rc = jget_arr(meta, "ownerReferences", &list, e);

	if (rc < 0)
		return -1;
	for (struct jiter it = jiter_of(&list); rc && jiter_next(&it, &item);) {
		bool controller = false;

		if (jas_obj(&item, e) < 0 || jget_bool(&item, "controller", &controller, e) < 0)
			return -1;
		if (!controller)
			continue;
		if (jget_str(&item, "apiVersion", &version, e) < 0 ||
		    jget_str(&item, "kind", &kind, e) < 0 ||
		    jget_str(&item, "name", &name, e) < 0 || jget_str(&item, "uid", &uid, e) < 0)
			return -1;
		break;
	}
	if (!is_word(version, "/") || !is_word(kind, "") || !is_word(name, "_") ||
	    !is_word(uid, "_"))
		version = kind = name = uid = "";
	*out = (struct api_owner){xstrdup(version), xstrdup(kind), xstrdup(name), xstrdup(uid)};
	return 0;
}

void api_owner_done(struct api_owner *o)
{
	free(o->api_version);
	free(o->kind);
	free(o->name);
	free(o->uid);
	*o = (struct api_owner){0};
}

void api_owner_copy(const struct api_owner *o, struct api_owner *out)
{
	*out = (struct api_owner){xstrdup(o->api_version), xstrdup(o->kind), xstrdup(o->name),
				  xstrdup(o->uid)};
}

bool api_owner_is(const struct api_owner *o, const char *group, const char *kind)
{
	const char *slash = o->api_version ? strchr(o->api_version, '/') : NULL;
	size_t len = slash ? (size_t)(slash - o->api_version) : 0;

	return str_eq(o->kind, kind) && strlen(group) == len &&
	       (!len || strncmp(o->api_version, group, len) == 0);
}

char *api_owner_id(const struct api_owner *o, const char *ns)
{
	return xasprintf("%s %s/%s %s %s", o->kind, ns, o->name, o->api_version, o->uid);
}

/* Up to the next sep, which is passed over; NULL: there is none, or nothing before it. */
static char *cut(const char **pos, char sep)
{
	const char *end = sep ? strchr(*pos, sep) : *pos + strlen(*pos);
	char *part = end && end > *pos ? xstrndup(*pos, (size_t)(end - *pos)) : NULL;

	if (part)
		*pos = sep ? end + 1 : end;
	return part;
}

bool api_owner_parse(const char *id, struct api_owner *out, char **ns)
{
	AUTO(api_owner_done) struct api_owner o = {0};
	AUTO(free) char *space = NULL;

	if ((o.kind = cut(&id, ' ')) && (space = cut(&id, '/')) && (o.name = cut(&id, ' ')) &&
	    (o.api_version = cut(&id, ' ')) && (o.uid = cut(&id, '\0'))) {
		*out = o;
		o = (struct api_owner){0};
		*ns = STEAL(space);
		return true;
	}
	return false;
}

bool api_owner_is_id(const char *id)
{
	AUTO(api_owner_done) struct api_owner ignored = {0};
	AUTO(free) char *ns = NULL;

	return api_owner_parse(id, &ignored, &ns);
}

char *api_owner_title(const char *id)
{
	size_t first = strcspn(id, " ");

	first += id[first] ? 1 + strcspn(id + first + 1, " ") : 0;
	return xstrndup(id, first);
}
