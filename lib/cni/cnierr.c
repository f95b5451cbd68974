/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cni/cnierr.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct rule {
	int code;
	bool retry;
};

static struct rule rule_of(const struct err *e)
{
	switch (e->kind) {
	case ERR_VERSION:
		return (struct rule){1, false};
	case ERR_UNSUPPORTED:
		return (struct rule){2, false};
	case ERR_ENV:
		return (struct rule){4, false};
	case ERR_IO:
		return (struct rule){5, true};
	case ERR_DECODE:
		return (struct rule){6, false};
	case ERR_CONFIG:
		return (struct rule){7, false};
	case ERR_NETNS:
		return (struct rule){8, false};
	case ERR_TIMEOUT:
	case ERR_AGAIN:
	case ERR_API:
	case ERR_TRANSPORT:
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
	case ERR_GONE:
	case ERR_CANCELLED:
		return (struct rule){CNI_CODE_AGAIN, true};
	case ERR_KERNEL:
		return (struct rule){CNI_CODE_KERNEL, true};
	case ERR_MISSING:
		return (struct rule){CNI_CODE_MISSING, false};
	case ERR_UNREADY:
		return (struct rule){CNI_CODE_UNREADY, true};
	case ERR_DELEGATE:
		if (e->num > 0)
			return (struct rule){e->num, e->num == CNI_CODE_AGAIN};
		break;
	case ERR_NONE:
	case ERR_INTERNAL:
		break;
	}
	return (struct rule){CNI_CODE_INTERNAL, false};
}

int cni_error_code(const struct err *e)
{
	return rule_of(e).code;
}

bool cni_error_retry(const struct err *e)
{
	return rule_of(e).retry;
}

/* Words that a runtime reads as "it is gone already", and what we say instead. */
static const struct {
	const char *words, *instead;
} taboos[] = {
	{"not found", "not there"},
	{"no such file or directory", "missing file or directory"},
};

/* Replaces what stands at s; the number of bytes that it took from s, 0 when it is harmless. */
static size_t put_instead(const char *s, char **to)
{
	size_t i, n, len;

	for (i = 0; i < sizeof(taboos) / sizeof(taboos[0]); i++) {
		n = strlen(taboos[i].words);
		if (strncasecmp(s, taboos[i].words, n) == 0) {
			len = strlen(taboos[i].instead);
			memcpy(*to, taboos[i].instead, len);
			*to += len;
			return n;
		}
	}
	return 0;
}

char *cni_error_text(const struct err *e, char buf[CNI_ERROR_TEXT_LEN])
{
	const char *from = e->msg[0] ? e->msg : "an error without a message";
	char *to = buf;
	size_t n;

	_Static_assert(CNI_ERROR_TEXT_LEN >= sizeof(e->msg) * 2, "a replacement is at most twice");
	while (*from) {
		n = put_instead(from, &to);
		if (n == 0) {
			*to++ = *from;
			n = 1;
		}
		from += n;
	}
	*to = '\0';
	return buf;
}
