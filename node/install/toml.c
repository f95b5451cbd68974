/* SPDX-License-Identifier: Apache-2.0 */
/* As much of TOML as runtimes' configurations need: one key, wherever it stands. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "node/install/platform.h"

#define BLANKS    " \t"
#define WORDS_MAX 64

struct words {
	char **v;
	size_t n;
};

static void words_free(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i]);
	free(w->v);
	*w = (struct words){0};
}

static void words_add(struct words *w, const char *s, size_t n)
{
	if (w->n == WORDS_MAX)
		return;
	w->v = xreallocarray(w->v, w->n + 2, sizeof(*w->v));
	w->v[w->n++] = xstrndup(s, n);
	w->v[w->n] = NULL;
}

/* One value; where it ends. */
static const char *read_word(const char *s, struct words *out)
{
	size_t n;

	if (*s == '"' || *s == '\'') {
		n = strcspn(s + 1, *s == '"' ? "\"\n" : "'\n");
		words_add(out, s + 1, n);
		return s[1 + n] && s[1 + n] != '\n' ? s + n + 2 : s + n + 1;
	}
	n = strcspn(s, ",]# \t\r\n");
	if (n)
		words_add(out, s, n);
	return s + n;
}

static void read_array(const char *s, struct words *out)
{
	while (*s && *s != ']') {
		if (*s == '#')
			s += strcspn(s, "\n");
		else if (strchr(", \t\r\n", *s))
			s++;
		else
			s = read_word(s, out);
	}
}

/* What stands behind "key =" at the line's beginning; NULL: another line. */
static const char *value_of(const char *line, const char *key)
{
	size_t n = strlen(key);

	line += strspn(line, BLANKS);
	if (strncmp(line, key, n) != 0)
		return NULL;
	line += n;
	line += strspn(line, BLANKS);
	if (*line != '=')
		return NULL;
	line++;
	return line + strspn(line, BLANKS);
}

char **platform_toml(const char *text, const char *key)
{
	struct words found = {0};

	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *value = value_of(line + (*line == '\n'), key);

		line += *line == '\n';
		if (!value)
			continue;
		words_free(&found);
		if (*value == '[')
			read_array(value + 1, &found);
		else
			read_word(value, &found);
	}
	return found.v;
}
