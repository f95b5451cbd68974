/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "node/install/confs.h"

static void libcni_reads_three_suffixes(void **state)
{
	static const struct {
		const char *name;
		bool is;
	} table[] = {
		{"10-flannel.conflist", true},
		{"10.conf", true},
		{"x.json", true},
		{".hidden.conf", true},
		{"10-flannel.conflist.cilium_bak", false},
		{"10-flannel.conf.old", false},
		{".00-tandem.conflist.new", false},
		{"conf", false},
		{"x.CONF", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_int_equal(confs_is_name(table[i].name), table[i].is);
}

/* "file=network" for a primary's conf, or a word for another sort. */
static void add(struct confs *c, const char *item)
{
	AUTO(free) char *name = xstrdup(item);
	AUTO(free) char *text = NULL;
	char *sort = strchr(name, '=');

	*sort++ = '\0';
	if (str_eq(sort, "HALF") || str_eq(sort, "BAD"))
		text = xstrdup("{\"name\":");
	else if (str_eq(sort, "MULTUS"))
		text = xstrdup("{\"name\":\"multus\",\"type\":\"multus-shim\"}");
	else if (str_eq(sort, "US"))
		text = xstrdup("{\"name\":\"n\",\"plugins\":[{\"type\":\"tandem\"}]}");
	else
		text = xasprintf(str_ends(name, ".conflist")
					 ? "{\"name\":\"%s\",\"plugins\":[{\"type\":\"x\"}]}"
					 : "{\"name\":\"%s\",\"type\":\"x\"}",
				 sort);
	confs_add(c, name, jspan_of(text), str_eq(sort, "HALF"));
}

#define FILES_MAX 5

static const struct {
	const char *files[FILES_MAX];
	struct confs_wish wish;
	enum confs_verdict verdict;
	const char *file;
} primaries[] = {
	{{NULL}, {0}, CONFS_NONE, NULL},
	{{"20-b.conf=b", "10-a.conflist=a"}, {0}, CONFS_FOUND, "10-a.conflist"},
	{{"10-a.conf=a", "10-a.conflist=b"}, {0}, CONFS_FOUND, "10-a.conf"},
	{{".a.conf=a"}, {0}, CONFS_NONE, NULL},
	{{"05-t.conflist=US", "10-a.conf=a"}, {0}, CONFS_FOUND, "10-a.conf"},
	/* Names that no runtime takes. */
	{{"10-a.conf=", "20-b.conf=b"}, {0}, CONFS_FOUND, "20-b.conf"},
	/* Half a file, and one that has been so for long. */
	{{"10-a.conf=HALF", "20-b.conf=b"}, {0}, CONFS_SETTLING, "10-a.conf"},
	{{"10-a.conf=BAD", "20-b.conf=b"}, {0}, CONFS_FOUND, "20-b.conf"},
	{{"10-a.conf=a", "20-b.conf=HALF"}, {0}, CONFS_FOUND, "10-a.conf"},
	{{"00-tandem.conflist=HALF"}, {0}, CONFS_NONE, NULL},
	/* By name. */
	{{"10-a.conf=a", "20-b.conf=b"}, {.only = "20-b.conf"}, CONFS_FOUND, "20-b.conf"},
	{{"10-a.conf=a"}, {.only = "20-b.conf"}, CONFS_NONE, NULL},
	{{"10-a.conf=a", "20-b.conf=b", "30-b.conf=b"},
	 {.default_network = "b"},
	 CONFS_FOUND,
	 "20-b.conf"},
	/* What is followed has gone. */
	{{"20-b.conf=b"}, {.file = "10-a.conf", .network = "a"}, CONFS_GONE, NULL},
	{{"20-b.conf=b", "30-a.conf=a"},
	 {.file = "10-a.conf", .network = "a"},
	 CONFS_FOUND,
	 "30-a.conf"},
	{{"20-a.conf=a", "30-a.conf=a"}, {.file = "10-a.conf", .network = "a"}, CONFS_GONE, NULL},
	{{"05-b.conf=b"}, {.file = "10-a.conf", .network = "a"}, CONFS_FOUND, "05-b.conf"},
	{{"10-a.conf=BAD", "20-b.conf=b"}, {.file = "10-a.conf", .network = "a"}, CONFS_GONE, NULL},
	/* It is there, and another one comes before it. */
	{{"05-b.conf=b", "10-a.conf=a"},
	 {.file = "10-a.conf", .network = "a"},
	 CONFS_FOUND,
	 "05-b.conf"},
	{{"10-a.conf=c", "20-b.conf=b"},
	 {.file = "10-a.conf", .network = "a"},
	 CONFS_FOUND,
	 "10-a.conf"},
	/* Multus. */
	{{"00-multus.conf=MULTUS", "10-a.conf=a"}, {0}, CONFS_MULTUS, "00-multus.conf"},
	{{"00-multus.conf=MULTUS"}, {0}, CONFS_MULTUS, "00-multus.conf"},
	{{"00-multus.conf=MULTUS", "10-a.conf=a"}, {.with_multus = true}, CONFS_FOUND, "10-a.conf"},
	{{"10-a.conf=a", "70-multus.conf=MULTUS"}, {0}, CONFS_FOUND, "10-a.conf"},
};

static void the_primary_is_what_the_runtime_would_take(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(primaries); i++) {
		AUTO(confs_done) struct confs c = {0};
		const struct confs_file *out = NULL;

		for (size_t k = 0; k < FILES_MAX && primaries[i].files[k]; k++)
			add(&c, primaries[i].files[k]);
		if (confs_pick(&c, &primaries[i].wish, &out) != primaries[i].verdict ||
		    !str_eq(out ? out->name : NULL, primaries[i].file))
			fail_msg("row %zu: %s", i, out ? out->name : "none");
	}
}

/* No stricter than libcni, and by the file's name as it is. */
static void whose_conf_it_is(void **state)
{
	static const struct {
		const char *file, *text, *network;
		bool us;
	} table[] = {
		{"a.conf", "{\"name\":\"x\",\"name\":\"a\",\"type\":\"t\",\"n\":\"\xff\"}", "a",
		 false},
		{"a.conf", "{\"NAME\":\"a\",\"Type\":\"t\"}", "a", false},
		{"a.conflist", "{\"NAME\":\"a\",\"plugins\":[{\"type\":\"t\"}]}", NULL, false},
		{"a.conf", "{\"name\":\"a\",\"type\":\"t\",\"plugins\":[{\"type\":\"tandem\"}]}",
		 "a", false},
		{"a.conflist",
		 "{\"name\":\"a\",\"type\":\"t\",\"plugins\":[{\"Type\":\"tandem\"}]}", "a", true},
		{"a.json", "{\"name\":\"a\",\"type\":\"tandem\"}", "a", true},
		{"a.json", "[1]", NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		AUTO(confs_done) struct confs c = {0};

		confs_add(&c, table[i].file, jspan_of(table[i].text), false);
		if (!str_eq(c.v[0].network, table[i].network) || c.v[0].runs_us != table[i].us)
			fail_msg("row %zu: %s", i, c.v[0].network ? c.v[0].network : "none");
	}
}

static void what_comes_before_ours(void **state)
{
	static const struct {
		const char *files[FILES_MAX];
		bool with_multus;
		const char *before, *before_first; /* the usual name, and the other one */
	} table[] = {
		{{"00-tandem.conflist=US", "10-a.conf=a"}, false, NULL, NULL},
		{{"00-a.conf=a", "00-tandem.conflist=US"}, false, "00-a.conf", NULL},
		{{"0-a.conf=BAD"}, false, "0-a.conf", NULL},
		{{".a.conf=a"}, false, ".a.conf", NULL},
		{{"!a.conf=a"}, false, "!a.conf", "!a.conf"},
		{{"00-chain.conflist=US"}, false, NULL, NULL},
		{{"00-multus.conf=MULTUS"}, false, "00-multus.conf", NULL},
		{{"00-multus.conf=MULTUS"}, true, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		AUTO(confs_done) struct confs c = {0};
		const struct confs_file *f;

		for (size_t k = 0; k < FILES_MAX && table[i].files[k]; k++)
			add(&c, table[i].files[k]);
		f = confs_before(&c, CONFS_OURS, table[i].with_multus);
		if (!str_eq(f ? f->name : NULL, table[i].before))
			fail_msg("row %zu", i);
		f = confs_before(&c, CONFS_OURS_FIRST, table[i].with_multus);
		if (!str_eq(f ? f->name : NULL, table[i].before_first))
			fail_msg("row %zu, the other name", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libcni_reads_three_suffixes),
		cmocka_unit_test(the_primary_is_what_the_runtime_would_take),
		cmocka_unit_test(whose_conf_it_is),
		cmocka_unit_test(what_comes_before_ours),
	};

	return cmocka_run_group_tests_name("confs", tests, NULL, NULL);
}
