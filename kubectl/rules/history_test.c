/* SPDX-License-Identifier: Apache-2.0 */
/* The journal replayed: spans, gaps, lines that came twice, and batches that somebody has changed. */
#include "lib/base/test.h"

#include <string.h>

#include "kubectl/rules/history.h"
#include "lib/base/mem.h"
#include "lib/pki/digest.h"

/* One batch after the other, as the controller makes them. */
struct chain {
	struct sb text[4];
	struct history_batch batches[4];
	struct api_journal_head head;
};

static void chain_add(struct chain *c, size_t i, const char *lines)
{
	api_journal_begin(&c->text[i], i ? c->head.hash : "-");
	sb_puts(&c->text[i], lines);
	c->batches[i] = (struct history_batch){i + 1, sb_get(&c->text[i])};
	c->head.part = 1;
	c->head.batch = i + 1;
	pki_sha256_hex(c->text[i].data, c->text[i].len, c->head.hash);
}

static void chain_done(struct chain *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(c->text); i++)
		sb_done(&c->text[i]);
}

/* "ADDRESS POD-UID FROM UNTIL WHY" of each, and what does not fit. */
static char *told(const struct history *h)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	char addr[IP_ADDR_LEN];

	for (size_t i = 0; i < h->n; i++) {
		const struct history_span *s = &h->spans[i];

		sb_printf(&sb, "%s %s %s %lld %lld %s\n", s->subnet, ip_format(&s->addr, addr),
			  s->pod_uid, (long long)s->from, (long long)s->until, s->why);
	}
	sb_puts(&sb, sb_get(&h->faults));
	return sb_take(&sb);
}

#define GIVEN(n, at, addr, pod) "lan " n " " at " + " addr " ns/" pod " " pod " n1 m r-" pod " -\n"
#define ENDED(n, at, addr, pod) \
	"lan " n " " at " - " addr " ns/" pod " " pod " n1 m r-" pod " finished\n"

static void spans(void **state)
{
	AUTO(history_done) struct history h = {0};
	AUTO(free) char *text = NULL;
	struct history_chain at = {0};
	struct chain c = {0};

	(void)state;
	/* Of the second address the beginning was in a part that is no more. */
	chain_add(&c, 0, GIVEN("7", "100", "10.0.0.5", "a") ENDED("8", "110", "10.0.0.6", "z"));
	chain_add(&c, 1, ENDED("9", "200", "10.0.0.5", "a") GIVEN("10", "300", "10.0.0.5", "b"));
	/* A new leader puts away once more what the old one had, and a record made anew is the same pod's. */
	chain_add(&c, 2,
		  GIVEN("10", "300", "10.0.0.5", "b") GIVEN("11", "310", "10.0.0.5", "b")
			  GIVEN("12", "400", "10.0.0.5", "c"));
	history_add_part(&h, &at, &c.head, c.batches, 3);
	history_replay(&h);
	text = told(&h);
	assert_string_equal(text, "lan 10.0.0.5 a 100 200 finished\n"
				  "lan 10.0.0.6 z 0 110 finished\n"
				  "lan 10.0.0.5 b 300 400 \n"
				  "lan 10.0.0.5 c 400 0 \n");
	chain_done(&c);
}

static void what_waits(void **state)
{
	AUTO(history_done) struct history h = {0};
	AUTO(api_lines_done) struct api_lines waiting = {.next = 8};
	AUTO(free) char *text = NULL;
	struct history_chain at = {0};
	struct chain c = {0};

	(void)state;
	api_lines_add(&waiting, xstrdup("200 - 10.0.0.5 ns/a a n1 m r-a card-down"));
	api_lines_add(&waiting, xstrdup("nonsense"));
	chain_add(&c, 0, GIVEN("7", "100", "10.0.0.5", "a"));
	history_add_waiting(&h, "lan", &waiting);
	history_add_part(&h, &at, &c.head, c.batches, 1);
	history_replay(&h);
	text = told(&h);
	assert_string_equal(text, "lan 10.0.0.5 a 100 200 card-down\n"
				  "number 9 of MacvlanSubnet lan is no line\n");
	chain_done(&c);
}

static void missing_lines(void **state)
{
	AUTO(history_done) struct history h = {0};
	AUTO(free) char *text = NULL;
	struct history_chain at = {0};
	struct chain c = {0};

	(void)state;
	/* The last one is of another subnet of that name. */
	chain_add(&c, 0,
		  GIVEN("7", "100", "10.0.0.5", "a") ENDED("10", "200", "10.0.0.5", "a")
			  GIVEN("1764500000000", "300", "10.0.0.5", "b"));
	history_add_part(&h, &at, &c.head, c.batches, 1);
	history_replay(&h);
	text = told(&h);
	assert_string_equal(text, "lan 10.0.0.5 a 100 200 finished\n"
				  "lan 10.0.0.5 b 300 0 \n"
				  "2 changes of MacvlanSubnet lan are missing before number 10\n");
	chain_done(&c);
}

static void check_faults(const struct chain *c, const struct history_batch *batches, size_t n,
			 const char *want)
{
	AUTO(history_done) struct history h = {0};
	struct history_chain at = {0};

	history_add_part(&h, &at, &c->head, batches, n);
	assert_string_equal(sb_get(&h.faults), want);
}

static void changed_batches(void **state)
{
	struct chain c = {0};
	struct history_batch b[3];

	(void)state;
	chain_add(&c, 0, GIVEN("1", "100", "10.0.0.5", "a"));
	chain_add(&c, 1, GIVEN("2", "200", "10.0.0.6", "b"));
	chain_add(&c, 2, GIVEN("3", "300", "10.0.0.7", "c"));
	check_faults(&c, c.batches, 3, "");
	/* The oldest may be gone with its part. */
	check_faults(&c, c.batches + 1, 2, "");
	memcpy(b, c.batches, sizeof(b));
	b[1].text = "prev -\n" GIVEN("2", "200", "10.0.0.6", "x");
	check_faults(&c, b, 3,
		     "batch 2 was changed, or the one before it: their hashes do not fit\n"
		     "batch 3 was changed, or the one before it: their hashes do not fit\n");
	b[1] = c.batches[2];
	check_faults(&c, b, 2, "batches are missing between 1 and 3\n");
	check_faults(&c, c.batches, 2,
		     "part 1 does not end as its head says: batch 3 was changed, or batches are "
		     "missing\n");
	chain_done(&c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans),
		cmocka_unit_test(what_waits),
		cmocka_unit_test(missing_lines),
		cmocka_unit_test(changed_batches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
