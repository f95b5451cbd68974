/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the network's fields, and the definitions of the kinds beside it. */
#include "api/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/base/test.h"
#include "lib/json/jread.h"

#define CRDS      "manifests/base/crds.yaml"
#define KEYS_MAX  64
#define SPEC_DEEP 10 /* blanks before "spec:" of a kind's schema */

/* ------------------------------------------------------------------------------- crds.yaml */

struct keys {
	char *v[KEYS_MAX];
	size_t n;
};

static void keys_done(struct keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->v[i]);
	k->n = 0;
}

static bool has(const struct keys *k, const char *key)
{
	for (size_t i = 0; i < k->n; i++) {
		if (str_eq(k->v[i], key))
			return true;
	}
	return false;
}

static size_t blanks(const char *line)
{
	return strspn(line, " ");
}

/* The keys of a block "properties:" that stands at that depth, with that in front of each. */
static void read_properties(FILE *f, size_t deep, const char *prefix, struct keys *out)
{
	char line[1024];
	bool inside = false;
	long here = ftell(f);

	while (fgets(line, sizeof(line), f)) {
		char *name = line + blanks(line);
		size_t n = blanks(line);

		if (n < deep || (inside && n == deep))
			break;
		here = ftell(f);
		if (n == deep)
			inside = str_eq(name, "properties:\n");
		if (!inside || n != deep + 2)
			continue;
		name[strcspn(name, ":")] = '\0';
		assert_true(out->n < KEYS_MAX);
		out->v[out->n++] = xasprintf("%s%s", prefix, name);
		if (str_eq(name, "ipv6"))
			read_properties(f, deep + 4, "ipv6.", out);
	}
	fseek(f, here, SEEK_SET);
}

static void read_kind(const char *kind, struct keys *out)
{
	FILE *f = fopen(CRDS, "re");
	bool found = false;
	char line[1024], want[64];

	if (!f)
		fail_msg("%s: start it in the root of the tree", CRDS);
	snprintf(want, sizeof(want), "    kind: %s\n", kind);
	while (fgets(line, sizeof(line), f)) {
		found = found || str_eq(line, want);
		if (found && blanks(line) == SPEC_DEEP && str_eq(line + SPEC_DEEP, "spec:\n"))
			break;
	}
	assert_true(found);
	read_properties(f, SPEC_DEEP + 2, "", out);
	fclose(f);
}

/* Each field of the table is a property of the kind, and what else is one is named here. */
static void hold_against(const char *kind, bool in_subnet, const char *const *others, size_t n)
{
	struct keys crd = {.n = 0};
	size_t fields = 0;
	const char *key;

	read_kind(kind, &crd);
	for (; (key = api_network_key(fields, in_subnet)); fields++) {
		if (!has(&crd, key))
			fail_msg("%s: %s has no spec.%s", CRDS, kind, key);
	}
	for (size_t i = 0; i < n; i++) {
		if (!has(&crd, others[i]))
			fail_msg("%s: %s has no spec.%s", CRDS, kind, others[i]);
	}
	for (size_t i = 0; i < crd.n; i++) {
		bool known = false;

		for (size_t k = 0; k < fields; k++)
			known = known || str_eq(api_network_key(k, in_subnet), crd.v[i]);
		for (size_t k = 0; k < n; k++)
			known = known || str_eq(others[k], crd.v[i]);
		if (!known)
			fail_msg("%s: spec.%s of %s is in no table", CRDS, crd.v[i], kind);
	}
	keys_done(&crd);
}

static void subnets_are_defined_alike(void **state)
{
	static const char *const others[] = {
		"cidr",         "ranges", "exclude",   "ipDelayReuse", "allowedNamespaces",
		"nodeSelector", "ipv6",   "ipv6.cidr", "ipv6.ranges",  "maxPerNamespace",
		"allowAnyMAC"};

	(void)state;
	hold_against(API_KIND_SUBNET, true, others, ARRAY_SIZE(others));
}

static void records_are_defined_alike(void **state)
{
	static const char *const others[] = {"subnet", "podId", "cidr", "cidr6", "mac", "node"};

	(void)state;
	hold_against(API_KIND_IP, false, others, ARRAY_SIZE(others));
}

/* How often the line stands there. */
static int count_lines(const char *want)
{
	FILE *f = fopen(CRDS, "re");
	char line[1024];
	int n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		n += str_eq(line + blanks(line), want);
	}
	fclose(f);
	return n;
}

/* Types may have modes of the same name. */
static bool is_new_name(size_t mode)
{
	const char *name = nl_link_mode_get((enum nl_mode)mode)->name;

	for (size_t i = 0; i < mode; i++) {
		if (str_eq(nl_link_mode_get((enum nl_mode)i)->name, name))
			return false;
	}
	return true;
}

/* Both kinds name the types of links and the modes that there are. */
static void link_types_are_defined_alike(void **state)
{
	AUTO(sb_done) struct sb types = SB_INIT, modes = SB_INIT;

	(void)state;
	for (size_t i = 0; i < NL_TYPES; i++)
		sb_printf(&types, "%s%s", i ? ", " : "enum: [",
			  nl_link_type_get((enum nl_type)i)->kind);
	for (size_t i = 0; i < NL_MODES; i++) {
		if (is_new_name(i))
			sb_printf(&modes, "%s%s", i ? ", " : "enum: [",
				  nl_link_mode_get((enum nl_mode)i)->name);
	}
	sb_puts(&types, "]");
	sb_puts(&modes, "]");
	assert_int_equal(count_lines(sb_get(&types)), 2);
	assert_int_equal(count_lines(sb_get(&modes)), 2);
}

/* ------------------------------------------------------------------------------- the table itself */

/* Each field set to something, in objects that differ from the first in one field each. */
static const char *const changes[][2] = {
	{"master", "\"ens5\""},
	{"masterSelector", "{\"driver\":\"e1000e\"}"},
	{"vlan", "8"},
	{"linkType", "\"ipvlan\",\"mode\":\"l3\""},
	{"mode", "\"private\""},
	{"mtu", "1401"},
	{"gateway", "\"10.0.0.2\""},
	{"gateway6", "\"fd00::2\""},
	{"routes", "[{\"dst\":\"10.2.0.0/16\"}]"},
	{"podDefaultGateway", "{\"enable\":true,\"serviceCidr\":\"10.44.0.0/16\"}"},
	{"hostAccess", "true"},
	{"conflictDetection", "false"},
	{"forwarding", "true"},
	{"acceptRA", "true"},
	{"requireCarrier", "false"},
};

static struct api_network network_with(const char *key, const char *value)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	AUTO(free) char *text = NULL;
	struct api_network n;
	struct err e = {0};
	struct jval root;

	text = xasprintf("{\"%s\":%s%s", key, value,
			 str_starts(key, "master") ? "}" : ",\"master\":\"ens4\"}");
	assert_int_equal(jdoc_parse("t", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	if (api_network_decode(&root, "spec", &n, &e) < 0)
		fail_msg("%s: %s", text, e.msg);
	return n;
}

static void each_field_counts(void **state)
{
	AUTO(api_network_done) struct api_network plain = network_with("vlan", "0");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		AUTO(api_network_done)
		struct api_network n = network_with(changes[i][0], changes[i][1]);
		AUTO(api_network_done) struct api_network copy = {0};

		assert_string_equal(changes[i][0], api_network_key(i, false));
		if (api_network_eq(&plain, &n))
			fail_msg("%s: not compared", changes[i][0]);
		api_network_copy(&n, &copy);
		assert_true(api_network_eq(&n, &copy));
	}
	assert_null(api_network_key(ARRAY_SIZE(changes), false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subnets_are_defined_alike),
		cmocka_unit_test(records_are_defined_alike),
		cmocka_unit_test(link_types_are_defined_alike),
		cmocka_unit_test(each_field_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
