/* SPDX-License-Identifier: Apache-2.0 */
#include "node/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/door/timing.h"
#include "lib/metrics/histogram.h"
#include "lib/metrics/text.h"

struct calls {
	char *path; /* of the file that plugins append to */
	char *read; /* of the one that is being read, or waits to be the next */
	bool failed;
	struct histogram whole[CALL_VERBS][2]; /* [1]: with a card */
	struct histogram steps[CALL_VERBS][CALL_STEPS];
	uint64_t failures[CALL_VERBS];
};

struct calls *calls_new(const char *socket)
{
	struct calls *c = xcalloc(1, sizeof(*c));

	c->path = xasprintf("%s" CALLS_SUFFIX, socket);
	c->read = xasprintf("%s.read", c->path);
	return c;
}

void calls_free(struct calls *c)
{
	if (!c)
		return;
	free(c->path);
	free(c->read);
	free(c);
}

static void count(struct calls *c, const struct call *call)
{
	if (!call_is_one(call))
		return;
	c->failures[call->verb] += call->failed;
	histogram_observe(&c->whole[call->verb][call->card], call->total_us);
	for (int i = 0; i < CALL_STEPS; i++) {
		if (call->step_us[i])
			histogram_observe(&c->steps[call->verb][i], call->step_us[i]);
	}
}

/* What a full disk has cut off in the middle is passed over, and what is no record too. */
static void count_all(struct calls *c, const char *text, size_t len)
{
	struct call call;

	for (size_t i = 0; i + sizeof(call) <= len; i += sizeof(call)) {
		memcpy(&call, text + i, sizeof(call));
		count(c, &call);
	}
}

static int make_empty(const char *path, struct err *e)
{
	AUTO(fd)
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? err_errno(e, ERR_IO, errno, "%s", path) : 0;
}

/*
 * The two files change places in one step, so there is always one to append to. A plugin that has opened the old
 * one and writes when it has been read is not counted.
 */
static int take(struct calls *c, struct err *e)
{
	AUTO(free) char *text = NULL;
	size_t len = 0;

	if (make_empty(c->read, e) < 0)
		return -1;
	if (renameat2(AT_FDCWD, c->read, AT_FDCWD, c->path, RENAME_EXCHANGE) == 0) {
		if (io_read_file(c->read, CALLS_MAX_BYTES + (64L << 10), &text, &len, e) < 0)
			return -1;
		count_all(c, text, len);
	} else if (errno != ENOENT || rename(c->read, c->path) < 0) {
		return err_errno(e, ERR_IO, errno, "%s", c->path);
	}
	return 0;
}

void calls_read(struct calls *c)
{
	struct err e = {0};
	int rc = take(c, &e);

	if (rc < 0 && !c->failed)
		log_warn("the plugin's calls are not counted", "error", e.msg);
	c->failed = rc < 0;
}

static void write_whole(const struct calls *c, struct sb *out)
{
	char labels[64];

	metrics_family(out, "tandem_cni_call_duration_seconds", "histogram",
		       "How long calls of the plugin have taken, those that failed as well.");
	for (int i = 0; i < CALL_VERBS; i++) {
		for (int card = 0; card < 2; card++) {
			snprintf(labels, sizeof(labels), "verb=\"%s\",card=\"%s\"",
				 call_verb_name((enum call_verb)i), card ? "true" : "false");
			histogram_write(out, "tandem_cni_call_duration_seconds", labels,
					&c->whole[i][card]);
		}
	}
}

/* Of the steps that a verb has. */
static void write_steps(const struct calls *c, struct sb *out)
{
	char labels[64];

	metrics_family(
		out, "tandem_cni_step_duration_seconds", "histogram",
		"How long each step of ADD and DEL has taken; record overlaps with primary.");
	for (int i = 0; i < CALL_STEPS; i++) {
		for (int verb = CALL_ADD; verb <= CALL_DEL; verb++) {
			snprintf(labels, sizeof(labels), "verb=\"%s\",step=\"%s\"",
				 call_verb_name((enum call_verb)verb),
				 call_step_name((enum call_step)i));
			histogram_write(out, "tandem_cni_step_duration_seconds", labels,
					&c->steps[verb][i]);
		}
	}
}

void calls_write(const struct calls *c, struct sb *out)
{
	write_whole(c, out);
	write_steps(c, out);
	metrics_family(out, "tandem_cni_failures_total", "counter",
		       "Calls of the plugin that have failed.");
	for (int i = 0; i < CALL_VERBS; i++)
		sb_printf(out, "tandem_cni_failures_total{verb=\"%s\"} %" PRIu64 "\n",
			  call_verb_name((enum call_verb)i), c->failures[i]);
}
