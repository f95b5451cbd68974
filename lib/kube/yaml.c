/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/yaml.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"

struct yaml_tree {
	char *file;
	yaml_document_t doc;
	bool loaded;
};

static int parse_failed(struct err *e, const char *file, const yaml_parser_t *p)
{
	return err_set(e, ERR_DECODE, 0, "%s: line %zu: not YAML: %s", file,
		       p->problem_mark.line + 1, p->problem ? p->problem : "unreadable");
}

int yaml_tree_load(const char *file, const char *text, size_t len, struct yaml_tree **out,
		   struct err *e)
{
	AUTO(yaml_tree_free) struct yaml_tree *t = xcalloc(1, sizeof(*t));
	yaml_parser_t parser;

	t->file = xstrdup(file);
	if (!yaml_parser_initialize(&parser))
		return err_set(e, ERR_INTERNAL, 0, "%s: no YAML parser", file);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (!yaml_parser_load(&parser, &t->doc)) {
		parse_failed(e, file, &parser);
		yaml_parser_delete(&parser);
		return -1;
	}
	t->loaded = true;
	yaml_parser_delete(&parser);
	*out = STEAL(t);
	return 0;
}

void yaml_tree_free(struct yaml_tree *t)
{
	if (!t)
		return;
	if (t->loaded)
		yaml_document_delete(&t->doc);
	free(t->file);
	free(t);
}

int yaml_err(struct err *e, enum err_kind kind, const struct yaml_at *in, const char *key,
	     const char *text)
{
	const char *dot = in->where[0] && key ? "." : "";

	return err_set(e, kind, 0, "%s: %s%s%s: %s", in->tree->file, in->where, dot, key ? key : "",
		       text);
}

int yaml_root(struct yaml_tree *t, struct yaml_at *out, struct err *e)
{
	yaml_node_t *root = yaml_document_get_root_node(&t->doc);

	if (!root)
		return err_set(e, ERR_CONFIG, 0, "%s: the file is empty", t->file);
	if (root->type != YAML_MAPPING_NODE)
		return err_set(e, ERR_CONFIG, 0, "%s: not a mapping", t->file);
	*out = (struct yaml_at){.tree = t, .node = 1};
	return 0;
}

static const char *scalar(const yaml_node_t *n)
{
	/* A NUL inside would cut the string; no value that we read may have one. */
	if (n->type != YAML_SCALAR_NODE ||
	    strlen((char *)n->data.scalar.value) != n->data.scalar.length)
		return NULL;
	return (const char *)n->data.scalar.value;
}

static bool is_null(const yaml_node_t *n)
{
	const char *s = scalar(n);

	if (!s || n->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	return !*s || str_eq(s, "null") || str_eq(s, "~");
}

/* 1 with the value's node, 0, -1 */
static int find(const struct yaml_at *in, const char *key, yaml_node_t **out, int *out_number,
		struct err *e)
{
	yaml_document_t *doc = &in->tree->doc;
	yaml_node_t *map = yaml_document_get_node(doc, in->node);
	yaml_node_pair_t *p;
	int found = 0;

	for (p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
		const char *name = scalar(yaml_document_get_node(doc, p->key));

		if (!name || !str_eq(name, key))
			continue;
		if (found)
			return yaml_err(e, ERR_CONFIG, in, key, "appears twice");
		found = p->value;
	}
	if (!found)
		return 0;
	*out = yaml_document_get_node(doc, found);
	*out_number = found;
	return is_null(*out) ? 0 : 1;
}

static void descend(const struct yaml_at *in, const char *key, int node, struct yaml_at *out)
{
	struct yaml_at at = {.tree = in->tree, .node = node};

	/* For people only, so very long names may be cut. */
	snprintf(at.where, sizeof(at.where), "%.120s%s%.60s", in->where, in->where[0] ? "." : "",
		 key);
	*out = at;
}

int yaml_map(const struct yaml_at *in, const char *key, struct yaml_at *out, struct err *e)
{
	yaml_node_t *node = NULL;
	int number = 0;
	int rc = find(in, key, &node, &number, e);

	if (rc <= 0)
		return rc;
	if (node->type != YAML_MAPPING_NODE)
		return yaml_err(e, ERR_CONFIG, in, key, "not a mapping");
	descend(in, key, number, out);
	return 1;
}

int yaml_string(const struct yaml_at *in, const char *key, char **out, struct err *e)
{
	yaml_node_t *node = NULL;
	int number = 0;
	int rc = find(in, key, &node, &number, e);

	if (rc <= 0)
		return rc;
	if (!scalar(node))
		return yaml_err(e, ERR_CONFIG, in, key, "not a string");
	*out = xstrdup(scalar(node));
	return 1;
}

int yaml_bool(const struct yaml_at *in, const char *key, bool *out, struct err *e)
{
	AUTO(free) char *s = NULL;
	int rc = yaml_string(in, key, &s, e);

	if (rc <= 0)
		return rc;
	if (!str_eq(s, "true") && !str_eq(s, "false"))
		return yaml_err(e, ERR_CONFIG, in, key, "not true or false");
	*out = str_eq(s, "true");
	return 1;
}

int yaml_has(const struct yaml_at *in, const char *key, struct err *e)
{
	yaml_node_t *node = NULL;
	int number = 0;

	return find(in, key, &node, &number, e);
}

/* The list below key: 1, 0, -1. */
static int find_list(const struct yaml_at *in, const char *key, yaml_node_t **out, struct err *e)
{
	int number = 0;
	int rc = find(in, key, out, &number, e);

	if (rc > 0 && (*out)->type != YAML_SEQUENCE_NODE)
		return yaml_err(e, ERR_CONFIG, in, key, "not a list");
	return rc;
}

int yaml_named(const struct yaml_at *in, const char *key, const char *name, struct yaml_at *out,
	       struct err *e)
{
	yaml_document_t *doc = &in->tree->doc;
	yaml_node_t *list = NULL;
	yaml_node_item_t *i;
	int rc = find_list(in, key, &list, e);

	if (rc <= 0)
		return rc;
	for (i = list->data.sequence.items.start; i < list->data.sequence.items.top; i++) {
		struct yaml_at entry = {.tree = in->tree, .node = *i};
		AUTO(free) char *is = NULL;

		snprintf(entry.where, sizeof(entry.where), "%s[%.80s]", key, name);
		if (yaml_document_get_node(doc, *i)->type != YAML_MAPPING_NODE)
			return yaml_err(e, ERR_CONFIG, in, key, "an entry is not a mapping");
		if (yaml_string(&entry, "name", &is, e) < 0)
			return -1;
		if (str_eq(is, name)) {
			*out = entry;
			return 1;
		}
	}
	return 0;
}

/* The i-th node of the list below key: 1, 0, -1. */
static int find_item(const struct yaml_at *in, const char *key, size_t i, int *out, struct err *e)
{
	yaml_node_t *list = NULL;
	int rc = find_list(in, key, &list, e);

	if (rc <= 0)
		return rc;
	if (i >= (size_t)(list->data.sequence.items.top - list->data.sequence.items.start))
		return 0;
	*out = list->data.sequence.items.start[i];
	return 1;
}

int yaml_item(const struct yaml_at *in, const char *key, size_t i, struct yaml_at *out,
	      struct err *e)
{
	int number = 0;
	int rc = find_item(in, key, i, &number, e);

	if (rc <= 0)
		return rc;
	if (yaml_document_get_node(&in->tree->doc, number)->type != YAML_MAPPING_NODE)
		return yaml_err(e, ERR_CONFIG, in, key, "an entry is not a mapping");
	descend(in, key, number, out);
	return 1;
}

int yaml_word(const struct yaml_at *in, const char *key, size_t i, char **out, struct err *e)
{
	int number = 0;
	int rc = find_item(in, key, i, &number, e);
	const char *text = NULL;

	if (rc <= 0)
		return rc;
	text = scalar(yaml_document_get_node(&in->tree->doc, number));
	if (!text)
		return yaml_err(e, ERR_CONFIG, in, key, "an entry is not a string");
	*out = xstrdup(text);
	return 1;
}

const char *yaml_file(const struct yaml_at *at)
{
	return at->tree->file;
}
