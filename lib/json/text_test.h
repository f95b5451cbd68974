/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as tests write it. */
#ifndef LIB_JSON_TEXT_TEST_H
#define LIB_JSON_TEXT_TEST_H

#include "lib/base/test.h"

#include <string.h>

#include "lib/json/jread.h"

/** json_quotes - single quotes become double ones, in place: a C source can then hold the text. Returns it. */
static inline char *json_quotes(char *text)
{
	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	return text;
}

/** json_text - what stands there; the test fails where it cannot be read. jdoc_free() it. */
static inline struct jdoc *json_text(const char *text)
{
	struct jdoc *doc = NULL;
	struct err e = {0};

	if (jdoc_parse("test", text, strlen(text), &doc, &e) < 0)
		fail_msg("%s", e.msg);
	return doc;
}

#endif
