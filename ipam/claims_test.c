/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/base/test.h"

static struct ip_addr addr_of(unsigned int n)
{
	char text[IP_ADDR_LEN];
	struct ip_addr addr;

	snprintf(text, sizeof(text), "10.%u.%u.%u", n >> 16, n >> 8 & 255, n & 255);
	assert_int_equal(ip_parse(text, &addr), 0);
	return addr;
}

static bool add(struct ipam_claims *c, const char *owner, unsigned int n)
{
	struct ip_addr addr = addr_of(n);

	return ipam_claims_add(c, owner, &addr);
}

/* "" = nobody. */
static const char *owner_of(const struct ipam_claims *c, unsigned int n)
{
	struct ip_addr addr = addr_of(n);
	const char *owner = ipam_claims_owner(c, &addr);

	return owner ? owner : "";
}

/* "Deployment ns/w<i>xxx...", 255 characters: 405 bytes as text with one block, so 121 fit into 48 KiB. */
static const char *long_owner(const char *ns, unsigned int i)
{
	static char out[256];
	int n = snprintf(out, sizeof(out), "Deployment %s/w%u", ns, i);

	memset(out + n, 'x', sizeof(out) - (size_t)n - 1);
	out[sizeof(out) - 1] = '\0';
	return out;
}

/* As many claims as there is room for; returns how many. */
static unsigned int fill(struct ipam_claims *c, const char *ns, unsigned int first)
{
	unsigned int i = 0;

	while (i < 1000 && add(c, long_owner(ns, i), first + i))
		i++;
	return i;
}

static unsigned int count_of(const struct ipam_claims *c, const char *ns)
{
	AUTO(free) char *start = xasprintf("Deployment %s/", ns);
	unsigned int n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += str_starts(c->items[i].owner, start);
	return n;
}

static void an_address_is_of_who_claimed_it_last(void **state)
{
	AUTO(ipam_claims_done) struct ipam_claims c = {0};
	AUTO(ipam_claims_done) struct ipam_claims copy = {0};

	(void)state;
	assert_string_equal(owner_of(&c, 1), "");
	assert_true(add(&c, "Deployment a/x", 1));
	assert_true(add(&c, "Deployment a/x", 2));
	assert_true(add(&c, "Deployment b/x", 1));
	assert_string_equal(owner_of(&c, 1), "Deployment b/x");
	assert_string_equal(owner_of(&c, 2), "Deployment a/x");
	ipam_claims_copy(&c, &copy);
	assert_true(ipam_claims_eq(&c, &copy));
	/* Who has none left is gone. */
	assert_true(add(&c, "Deployment b/x", 2));
	assert_int_equal(c.n, 1);
	assert_false(ipam_claims_eq(&c, &copy));
	assert_string_equal(owner_of(&copy, 2), "Deployment a/x");
}

static bool is_not_even(void *ctx, const char *owner, const struct ip_addr *addr)
{
	(void)ctx;
	return str_eq(owner, "Deployment a/x") && addr->b[3] % 2;
}

static void only_what_is_to_be_kept_is_kept(void **state)
{
	AUTO(ipam_claims_done) struct ipam_claims c = {0};

	(void)state;
	for (unsigned int i = 0; i < 8; i++)
		assert_true(add(&c, i < 5 ? "Deployment a/x" : "Deployment b/x", i));
	ipam_claims_keep(&c, is_not_even, NULL);
	assert_int_equal(c.n, 1);
	assert_int_equal(ipam_set_count(&c.items[0].set), 2);
	assert_string_equal(owner_of(&c, 1), "Deployment a/x");
	assert_string_equal(owner_of(&c, 3), "Deployment a/x");
}

static void one_namespace_does_not_fill_the_table(void **state)
{
	AUTO(ipam_claims_done) struct ipam_claims c = {0};

	(void)state;
	assert_int_equal(fill(&c, "big", 0), 121);
	/* It is its own namespace alone that waits for room. */
	assert_false(add(&c, "Deployment big/y", 1000));
	assert_true(add(&c, "Deployment small/y", 1001));
	assert_string_equal(owner_of(&c, 1001), "Deployment small/y");
	/* The newest of the most gave way, and it does not come back. */
	assert_string_equal(owner_of(&c, 120), "");
	assert_string_equal(owner_of(&c, 119), long_owner("big", 119));
	assert_string_equal(owner_of(&c, 0), long_owner("big", 0));
	assert_false(add(&c, long_owner("big", 120), 120));
	assert_string_equal(owner_of(&c, 1001), "Deployment small/y");
	/* Two that both want everything have half each. */
	assert_int_equal(fill(&c, "other", 2000), 60);
	assert_int_equal(count_of(&c, "big"), 60);
	assert_int_equal(count_of(&c, "other"), 60);
	assert_string_equal(owner_of(&c, 1001), "Deployment small/y");
}

static void a_large_claim_gives_way_by_blocks(void **state)
{
	AUTO(ipam_claims_done) struct ipam_claims c = {0};
	unsigned int n = 0;

	(void)state;
	while (n < 1000 && add(&c, "Deployment big/x", n * 256))
		n++;
	/* 110 each, and 56 for the owner. */
	assert_int_equal(n, 446);
	assert_true(add(&c, "Deployment small/y", 200000));
	assert_int_equal(c.n, 2);
	assert_string_equal(owner_of(&c, 444 * 256), "");
	assert_string_equal(owner_of(&c, 443 * 256), "Deployment big/x");
}

/* Whatever order the texts have come in, what was written is taken in again. */
static void what_fits_fits_again(void **state)
{
	AUTO(ipam_claims_done) struct ipam_claims c = {0};
	AUTO(ipam_claims_done) struct ipam_claims again = {0};
	struct ip_addr a, from = {0};

	(void)state;
	assert_true(add(&c, "Deployment a/x", 0));
	assert_true(add(&c, "Deployment b/x", 100000));
	assert_true(add(&c, "Deployment b/x", 100001));
	for (unsigned int i = 1; add(&c, "Deployment a/x", i * 256);)
		i++;
	for (size_t i = 0; i < c.n; i++) {
		AUTO(ipam_set_done) struct ipam_set left = IPAM_SET_INIT;

		ipam_set_copy(&c.items[i].set, &left);
		while (ipam_set_next(&left, &from, NULL, 0, &a)) {
			ipam_set_remove(&left, &a);
			assert_true(ipam_claims_add(&again, c.items[i].owner, &a));
		}
	}
	assert_true(ipam_claims_eq(&c, &again));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_of_who_claimed_it_last),
		cmocka_unit_test(only_what_is_to_be_kept_is_kept),
		cmocka_unit_test(one_namespace_does_not_fill_the_table),
		cmocka_unit_test(a_large_claim_gives_way_by_blocks),
		cmocka_unit_test(what_fits_fits_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
