/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/daemon/options.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/base/test.h"

struct settings {
	const char *file;
	bool elect, remove;
	int64_t hold_s, after_ms, lease_ms;
};

#define FIELD(name) offsetof(struct settings, name)

static const struct options_row rows[] = {
	{"file", "FILE", "what to read", options_take_text, FIELD(file), false},
	{"elect", "BOOL", "one of them works (true)", options_take_bool, FIELD(elect), true},
	{"remove", NULL, "and exit", options_take_flag, FIELD(remove), false},
	{"hold", "S", "seconds\nand more", options_take_seconds, FIELD(hold_s), false},
	{"after", "S", "seconds", options_take_seconds_ms, FIELD(after_ms), false},
	{"a-name-that-needs-a-line-of-its-own", "D", "life", options_take_duration_ms,
	 FIELD(lease_ms), false},
};

static const struct options_program program = {"x", "1.2", "x does this.\n", rows,
					       ARRAY_SIZE(rows)};

/* Words with blanks between; 7 is in the fields that stay. */
static int parse(const char *line, struct settings *out)
{
	AUTO(free) char *copy = xstrdup(line);
	char *argv[16] = {(char *)"x"}, *rest = copy, *word;
	int argc = 1, rc;

	*out = (struct settings){.hold_s = 7, .after_ms = 7, .lease_ms = 7};
	while ((word = strsep(&rest, " ")))
		argv[argc++] = word;
	rc = options_parse(&program, *line ? argc : 1, argv, out);
	if (out->file)
		out->file = str_eq(out->file, "/a/b") ? "/a/b" : "?";
	return rc;
}

static void values_are_taken(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(parse("", &s), -1);
	assert_null(s.file);
	assert_int_equal(parse("--file /a/b --hold=5s --after 2 --remove --elect=true --v 3", &s),
			 -1);
	assert_string_equal(s.file, "/a/b");
	assert_true(s.elect && s.remove);
	assert_int_equal(s.hold_s, 5);
	assert_int_equal(s.after_ms, 2000);
	assert_int_equal(s.lease_ms, 7);
	assert_int_equal(parse("--elect --elect=false", &s), -1);
	assert_false(s.elect);
	assert_int_equal(parse("--elect", &s), -1);
	assert_true(s.elect);
}

static void durations_have_units(void **state)
{
	static const struct {
		const char *text;
		int rc;
		int64_t ms;
	} cases[] = {{"15s", 0, 15000}, {"500ms", 0, 500}, {"1m", 0, 60000}, {"2h", 0, 7200000},
		     {"3", 0, 3000},    {"", -1, 7},       {"1d", -1, 7},    {"s", -1, 7},
		     {"-1s", -1, 7},    {"1.5s", -1, 7},   {"1ss", -1, 7},   {"86400001", -1, 7}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t ms = 7;

		if (options_take_duration_ms(cases[i].text, &ms) != cases[i].rc ||
		    ms != cases[i].ms)
			fail_msg("\"%s\": %lld", cases[i].text, (long long)ms);
	}
}

static void bad_lines_exit_with_two(void **state)
{
	static const char *const lines[] = {
		"--none",      "--file",     "word",   "--hold x",     "--hold 2592001",
		"--elect=yes", "--remove=x", "--v 11", "--elect true",
	};
	struct settings s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (parse(lines[i], &s) != 2)
			fail_msg("%s", lines[i]);
	}
}

static void help_is_made_of_the_table(void **state)
{
	static const char want[] =
		"x does this.\n"
		"\n"
		"  --file FILE                      what to read\n"
		"  --elect=BOOL                     one of them works (true)\n"
		"  --remove                         and exit\n"
		"  --hold S                         seconds\n"
		"                                   and more\n"
		"  --after S                        seconds\n"
		"  --a-name-that-needs-a-line-of-its-own D\n"
		"                                   life\n"
		"  --v N                            4 and above also logs details\n"
		"  --version, --help                print and exit\n";
	AUTO(fd) int saved = dup(STDOUT_FILENO);
	char buf[2048] = "";
	struct settings s;
	int ends[2], rc;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_true(saved >= 0 && dup2(ends[1], STDOUT_FILENO) >= 0);
	rc = parse("--hold 3 --help --none", &s);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	close(ends[1]);
	assert_true(read(ends[0], buf, sizeof(buf) - 1) > 0);
	close(ends[0]);
	assert_int_equal(rc, 0);
	assert_string_equal(buf, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_taken),
		cmocka_unit_test(durations_have_units),
		cmocka_unit_test(bad_lines_exit_with_two),
		cmocka_unit_test(help_is_made_of_the_table),
	};

	log_init("test", LOG_LEVEL_INFO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
