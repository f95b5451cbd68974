/* SPDX-License-Identifier: Apache-2.0 */
/* A small cluster made of tables, for the tests of this folder. Only for x_test.c files. */
#ifndef ADMIT_WORLD_TEST_H
#define ADMIT_WORLD_TEST_H

#include "lib/base/test.h"

#include <stdio.h>
#include <string.h>

#include "admit/review.h"
#include "admit/world.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/text_test.h"

struct pod_row {
	const char *pod, *owner, *subnet, *addr, *mac;
	bool leaving;
};

struct lab {
	struct admit_world world;
	struct api_subnet *specs[8];
	const char *names[8];
	bool terminating[8];
	size_t n_subnets;
	struct pod_row pods[16];
	size_t n_pods;
	struct {
		const char *subnet, *addr, *by;
	} named[4];
	const char *node, *node_addr;
	struct {
		const char *net, *kind, *node;
	} kept[4];
	struct admit_answer answer;
};

/* A spec as a user writes it, with single quotes: "'master':'ens4','cidr':'10.1.0.0/24'". */
static inline struct api_subnet *spec_of(const char *name, const char *spec)
{
	AUTO(free)
	char *text = xasprintf(
		"{'metadata':{'name':'%s','namespace':'kube-system','uid':'u'},'spec':{%s}}", name,
		spec);
	AUTO(jdoc_free) struct jdoc *doc = json_text(json_quotes(text));
	struct api_subnet *s = NULL;
	struct jval root;
	struct err e = {0};

	root = jdoc_root(doc);
	if (api_subnet_decode(&root, &s, &e) < 0)
		fail_msg("%s", e.msg);
	return s;
}

static inline bool lab_subnet_at(const struct lab *lab, size_t i, struct admit_subnet *out)
{
	*out = (struct admit_subnet){lab->names[i], lab->specs[i], "spec.cidr: is bad",
				     lab->terminating[i]};
	return true;
}

static inline bool lab_next_subnet(void *ctx, size_t *pos, struct admit_subnet *out)
{
	struct lab *lab = ctx;

	return *pos < lab->n_subnets && lab_subnet_at(lab, (*pos)++, out);
}

static inline bool lab_find_subnet(void *ctx, const char *name, struct admit_subnet *out)
{
	struct lab *lab = ctx;

	for (size_t i = 0; i < lab->n_subnets; i++) {
		if (str_eq(lab->names[i], name))
			return lab_subnet_at(lab, i, out);
	}
	return false;
}

static inline bool lab_next_holder(void *ctx, size_t *pos, struct admit_holder *out)
{
	struct lab *lab = ctx;
	const struct pod_row *row = &lab->pods[*pos];
	static const struct api_network none = {.master = "ens4"};
	struct admit_subnet s = {0};

	if (*pos == lab->n_pods)
		return false;
	(*pos)++;
	lab_find_subnet(lab, row->subnet, &s);
	*out = (struct admit_holder){.pod = row->pod,
				     .subnet = row->subnet,
				     .network = s.spec ? &s.spec->network : &none,
				     .leaving = row->leaving,
				     .own = row};
	assert_int_equal(ip_parse(row->addr, &out->addr), 0);
	assert_int_equal(mac_parse(row->mac ? row->mac : "0a:00:00:00:00:01", &out->mac), 0);
	return true;
}

static inline bool lab_next_kept(void *ctx, size_t *pos, struct admit_kept *out)
{
	struct lab *lab = ctx;
	size_t at = (*pos)++;

	if (at >= ARRAY_SIZE(lab->kept) || !lab->kept[at].net)
		return false;
	*out = (struct admit_kept){.kind = lab->kept[at].kind, .node = lab->kept[at].node};
	assert_int_equal(ip_net_parse(lab->kept[at].net, &out->net), 0);
	return true;
}

static inline char *lab_owner(void *ctx, const struct admit_holder *h)
{
	const struct pod_row *row = h->own;

	(void)ctx;
	return xstrdup(row->owner);
}

static inline char *lab_namer(void *ctx, const char *subnet, const struct ip_addr *addr)
{
	struct lab *lab = ctx;
	char text[IP_ADDR_LEN];

	ip_format(addr, text);
	for (size_t i = 0; i < ARRAY_SIZE(lab->named); i++) {
		if (lab->named[i].by && str_eq(lab->named[i].subnet, subnet) &&
		    str_eq(lab->named[i].addr, text))
			return xstrdup(lab->named[i].by);
	}
	return NULL;
}

static inline const char *lab_node(void *ctx, const struct ip_addr *addr)
{
	struct lab *lab = ctx;
	char text[IP_ADDR_LEN];

	return lab->node && str_eq(lab->node_addr, ip_format(addr, text)) ? lab->node : NULL;
}

static inline bool lab_labels(void *ctx, const char *ns, const struct api_label **out, size_t *n)
{
	static const struct api_label team = {(char *)"team", (char *)"a"};

	(void)ctx;
	*out = &team;
	*n = str_eq(ns, "a");
	return !str_eq(ns, "new");
}

static inline void lab_init(struct lab *lab)
{
	memset(lab, 0, sizeof(*lab));
	lab->world = (struct admit_world){.system_ns = "kube-system",
					  .ctx = lab,
					  .next_subnet = lab_next_subnet,
					  .next_holder = lab_next_holder,
					  .next_kept = lab_next_kept,
					  .find_subnet = lab_find_subnet,
					  .owner = lab_owner,
					  .namer = lab_namer,
					  .node = lab_node,
					  .labels = lab_labels};
}

/* spec NULL = one that breaks a rule. */
static inline void lab_add(struct lab *lab, const char *name, const char *spec)
{
	lab->names[lab->n_subnets] = name;
	lab->specs[lab->n_subnets++] = spec ? spec_of(name, spec) : NULL;
}

static inline void lab_pod(struct lab *lab, struct pod_row row)
{
	lab->pods[lab->n_pods++] = row;
}

static inline void lab_done(struct lab *lab)
{
	for (size_t i = 0; i < lab->n_subnets; i++)
		api_subnet_free(lab->specs[i]);
	admit_answer_done(&lab->answer);
}

/* The answer as one text: the refusal, or "ok", then each warning behind "; ". The answer is empty then. */
static inline const char *lab_says(struct lab *lab)
{
	static char text[4096];
	int n = snprintf(text, sizeof(text), "%s", lab->answer.code ? lab->answer.message : "ok");

	for (size_t i = 0; i < lab->answer.n_warnings; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "; %s", lab->answer.warnings[i]);
	admit_answer_done(&lab->answer);
	return text;
}

#endif
