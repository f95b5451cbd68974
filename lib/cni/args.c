/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cni/args.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"

enum { VERB_ADD = 1, VERB_DEL = 2, VERB_CHECK = 4, VERB_GC = 8, VERB_STATUS = 16 };

#define VERBS_OF_A_CONTAINER (VERB_ADD | VERB_DEL | VERB_CHECK)

/* Which variable which verb cannot do without; VERSION needs none. */
struct variable {
	const char *name;
	size_t field;
	unsigned int required_by;
};

static const struct variable variables[] = {
	{"CNI_CONTAINERID", offsetof(struct cni_args, container_id), VERBS_OF_A_CONTAINER},
	{"CNI_NETNS", offsetof(struct cni_args, netns), VERB_ADD | VERB_CHECK},
	{"CNI_IFNAME", offsetof(struct cni_args, ifname), VERBS_OF_A_CONTAINER},
	{"CNI_ARGS", offsetof(struct cni_args, cni_args), 0},
	{"CNI_PATH", offsetof(struct cni_args, path), VERBS_OF_A_CONTAINER | VERB_GC | VERB_STATUS},
};

static const char *lookup(char *const *env, const char *name)
{
	size_t n = strlen(name);
	const char *found = NULL;

	for (; *env; env++) {
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			found = *env + n + 1;
	}
	return found;
}

static char **field_of(struct cni_args *a, const struct variable *v)
{
	return (char **)(void *)((char *)a + v->field);
}

static int parse_command(const char *s, enum cni_command *out, struct err *e)
{
	int c;

	for (c = CNI_ADD; c <= CNI_VERSION; c++) {
		if (str_eq(s, cni_command_name((enum cni_command)c))) {
			*out = (enum cni_command)c;
			return 0;
		}
	}
	return err_set(e, ERR_ENV, 0, "CNI_COMMAND: unknown verb \"%.32s\"", s);
}

static unsigned int verb_bit(enum cni_command c)
{
	switch (c) {
	case CNI_ADD:
		return VERB_ADD;
	case CNI_DEL:
		return VERB_DEL;
	case CNI_CHECK:
		return VERB_CHECK;
	case CNI_GC:
		return VERB_GC;
	case CNI_STATUS:
		return VERB_STATUS;
	case CNI_VERSION:
		break;
	}
	return 0;
}

static int check_missing(struct cni_args *a, struct err *e)
{
	AUTO(sb_done) struct sb missing = SB_INIT;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(variables); i++) {
		if (!(variables[i].required_by & verb_bit(a->command)))
			continue;
		if (!**field_of(a, &variables[i]))
			sb_printf(&missing, "%s%s", missing.len ? ", " : "", variables[i].name);
	}
	if (!missing.len)
		return 0;
	return err_set(e, ERR_ENV, 0, "%s needs the environment variables %s",
		       cni_command_name(a->command), sb_get(&missing));
}

static int check_syntax(const struct cni_args *a, struct err *e)
{
	if (*a->container_id && cni_name_check(a->container_id) < 0)
		return err_set(e, ERR_ENV, 0, "CNI_CONTAINERID: \"%.64s\" is not a container ID",
			       a->container_id);
	if (*a->ifname && cni_ifname_check(a->ifname) < 0)
		return err_set(e, ERR_ENV, 0,
			       "CNI_IFNAME: \"%.64s\" is not an interface name (1 to 15 bytes, no "
			       "slash, colon or blank)",
			       a->ifname);
	return 0;
}

int cni_args_from_env(char *const *env, struct cni_args *out, struct err *e)
{
	AUTO(cni_args_done) struct cni_args a = CNI_ARGS_INIT;
	const char *command = lookup(env, "CNI_COMMAND");
	const char *value;
	size_t i;

	if (!command || !*command)
		return 0;
	if (parse_command(command, &a.command, e) < 0)
		return -1;
	for (i = 0; i < ARRAY_SIZE(variables); i++) {
		value = lookup(env, variables[i].name);
		*field_of(&a, &variables[i]) = xstrdup(value ? value : "");
	}
	/* VERSION uses none of them, so none of them can be wrong. */
	if (a.command != CNI_VERSION && (check_missing(&a, e) < 0 || check_syntax(&a, e) < 0))
		return -1;
	*out = a;
	a = (struct cni_args)CNI_ARGS_INIT;
	return 1;
}

void cni_args_done(struct cni_args *a)
{
	free(a->container_id);
	free(a->netns);
	free(a->ifname);
	free(a->cni_args);
	free(a->path);
	*a = (struct cni_args)CNI_ARGS_INIT;
}

/* One "K=V" of n bytes. */
static int check_pair(const char *pair, size_t n, struct err *e)
{
	const char *eq = memchr(pair, '=', n);

	if (!eq || eq == pair)
		return err_set(e, ERR_ENV, 0, "CNI_ARGS: \"%.*s\" is not a KEY=VALUE",
			       (int)(n > 64 ? 64 : n), pair);
	if (memchr(eq + 1, '=', n - (size_t)(eq + 1 - pair)))
		return err_set(e, ERR_ENV, 0, "CNI_ARGS: a second '=' in \"%.*s\"",
			       (int)(n > 64 ? 64 : n), pair);
	return 0;
}

int cni_args_get(const char *cni_args, const char *key, char **out, struct err *e)
{
	const char *p = cni_args ? cni_args : "";
	const char *found = NULL;
	size_t key_len = strlen(key);
	size_t found_len = 0;
	size_t n;

	for (; *p; p += n + (p[n] == ';')) {
		n = strcspn(p, ";");
		if (n && check_pair(p, n, e) < 0)
			return -1;
		if (n > key_len && p[key_len] == '=' && memcmp(p, key, key_len) == 0) {
			found = p + key_len + 1;
			found_len = n - key_len - 1;
		}
	}
	if (!found)
		return 0;
	*out = xstrndup(found, found_len);
	return 1;
}

static bool is_alnum(char c)
{
	/* Not isalnum(): that asks the locale. */
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int cni_name_check(const char *s)
{
	if (!is_alnum(*s))
		return -1;
	for (s++; *s; s++) {
		if (!is_alnum(*s) && *s != '_' && *s != '.' && *s != '-')
			return -1;
	}
	return 0;
}

int cni_ifname_check(const char *s)
{
	size_t n = strlen(s);

	if (n < 1 || n > 15 || str_eq(s, ".") || str_eq(s, ".."))
		return -1;
	for (; *s; s++) {
		if (*s == '/' || *s == ':' || isspace((unsigned char)*s))
			return -1;
	}
	return 0;
}
