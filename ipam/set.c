/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/set.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"

void ipam_set_done(struct ipam_set *s)
{
	free(s->blocks);
	*s = (struct ipam_set)IPAM_SET_INIT;
}

static unsigned int last_byte(const struct ip_addr *a)
{
	return a->b[ip_bytes(a) - 1];
}

static struct ip_addr block_base(const struct ip_addr *a)
{
	struct ip_addr base = *a;

	base.b[ip_bytes(a) - 1] = 0;
	return base;
}

static struct ip_addr block_addr(const struct ipam_block *b, unsigned int i)
{
	struct ip_addr a = b->base;

	a.b[ip_bytes(&a) - 1] = (uint8_t)i;
	return a;
}

/* The first block whose base is not below base; *found says whether it is that one. */
static size_t find_block(const struct ipam_set *s, const struct ip_addr *base, bool *found)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = ip_cmp(&s->blocks[mid].base, base);

		if (c == 0) {
			*found = true;
			return mid;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*found = false;
	return low;
}

static struct ipam_block *insert_block(struct ipam_set *s, size_t at, const struct ip_addr *base)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 4;
		s->blocks = xreallocarray(s->blocks, s->cap, sizeof(*s->blocks));
	}
	memmove(&s->blocks[at + 1], &s->blocks[at], (s->n - at) * sizeof(*s->blocks));
	s->blocks[at] = (struct ipam_block){.base = *base};
	s->n++;
	return &s->blocks[at];
}

static bool is_empty(const struct ipam_block *b)
{
	return !(b->w[0] | b->w[1] | b->w[2] | b->w[3]);
}

/* Take out the blocks that have become empty. */
static void squeeze(struct ipam_set *s)
{
	size_t to = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (!is_empty(&s->blocks[i]))
			s->blocks[to++] = s->blocks[i];
	}
	s->n = to;
}

bool ipam_set_has(const struct ipam_set *s, const struct ip_addr *a)
{
	struct ip_addr base = block_base(a);
	unsigned int i = last_byte(a);
	bool found;
	size_t at = find_block(s, &base, &found);

	return found && (s->blocks[at].w[i / 64] >> (i % 64) & 1);
}

bool ipam_set_add(struct ipam_set *s, const struct ip_addr *a)
{
	struct ip_addr base = block_base(a);
	unsigned int i = last_byte(a);
	uint64_t bit = 1ULL << (i % 64);
	bool found;
	size_t at = find_block(s, &base, &found);
	struct ipam_block *b = found ? &s->blocks[at] : insert_block(s, at, &base);

	if (b->w[i / 64] & bit)
		return false;
	b->w[i / 64] |= bit;
	return true;
}

bool ipam_set_remove(struct ipam_set *s, const struct ip_addr *a)
{
	struct ip_addr base = block_base(a);
	unsigned int i = last_byte(a);
	uint64_t bit = 1ULL << (i % 64);
	bool found;
	size_t at = find_block(s, &base, &found);

	if (!found || !(s->blocks[at].w[i / 64] & bit))
		return false;
	s->blocks[at].w[i / 64] &= ~bit;
	if (is_empty(&s->blocks[at]))
		squeeze(s);
	return true;
}

/* Bits low..high of one block, both included. */
static void mask_bits(unsigned int low, unsigned int high, uint64_t mask[4])
{
	for (unsigned int w = 0; w < 4; w++) {
		unsigned int from = w * 64, to = from + 63;

		mask[w] = 0;
		if (high < from || low > to)
			continue;
		mask[w] = ~0ULL << (low > from ? low - from : 0);
		if (high < to)
			mask[w] &= ~0ULL >> (to - high);
	}
}

void ipam_set_add_span(struct ipam_set *s, const struct ip_addr *first, const struct ip_addr *last)
{
	struct ip_addr at = *first;

	while (ip_cmp(&at, last) <= 0) {
		struct ip_addr base = block_base(&at);
		uint64_t left = ip_distance(&base, last);
		uint64_t mask[4];
		bool found;
		size_t i = find_block(s, &base, &found);
		struct ipam_block *b = found ? &s->blocks[i] : insert_block(s, i, &base);

		mask_bits(last_byte(&at), left < 255 ? (unsigned int)left : 255, mask);
		for (int w = 0; w < 4; w++)
			b->w[w] |= mask[w];
		if (left < 256 || ip_add(&base, 256, &at) < 0)
			break;
	}
}

void ipam_set_remove_span(struct ipam_set *s, const struct ip_addr *first,
			  const struct ip_addr *last)
{
	for (size_t i = 0; i < s->n; i++) {
		struct ipam_block *b = &s->blocks[i];
		struct ip_addr low = b->base, high = block_addr(b, 255);
		uint64_t mask[4];

		if (ip_cmp(&high, first) < 0 || ip_cmp(&low, last) > 0)
			continue;
		mask_bits(ip_cmp(&low, first) < 0 ? last_byte(first) : 0,
			  ip_cmp(&high, last) > 0 ? last_byte(last) : 255, mask);
		for (int w = 0; w < 4; w++)
			b->w[w] &= ~mask[w];
	}
	squeeze(s);
}

size_t ipam_set_count_of(const struct ipam_set *s, uint8_t family)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (family && s->blocks[i].base.family != family)
			continue;
		for (int w = 0; w < 4; w++)
			n += (size_t)__builtin_popcountll(s->blocks[i].w[w]);
	}
	return n;
}

size_t ipam_set_count(const struct ipam_set *s)
{
	return ipam_set_count_of(s, 0);
}

void ipam_set_copy(const struct ipam_set *s, struct ipam_set *out)
{
	*out = (struct ipam_set)IPAM_SET_INIT;
	if (!s->n)
		return;
	out->blocks = xmemdup(s->blocks, s->n * sizeof(*s->blocks));
	out->n = out->cap = s->n;
}

bool ipam_set_eq(const struct ipam_set *a, const struct ipam_set *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!ip_eq(&a->blocks[i].base, &b->blocks[i].base) ||
		    memcmp(a->blocks[i].w, b->blocks[i].w, sizeof(a->blocks[i].w)) != 0)
			return false;
	}
	return true;
}

void ipam_set_unite(struct ipam_set *s, const struct ipam_set *other)
{
	for (size_t i = 0; i < other->n; i++) {
		const struct ipam_block *o = &other->blocks[i];
		bool found;
		size_t at = find_block(s, &o->base, &found);
		struct ipam_block *b = found ? &s->blocks[at] : insert_block(s, at, &o->base);

		for (int w = 0; w < 4; w++)
			b->w[w] |= o->w[w];
	}
}

void ipam_set_subtract(struct ipam_set *s, const struct ipam_set *other)
{
	for (size_t i = 0; i < other->n; i++) {
		bool found;
		size_t at = find_block(s, &other->blocks[i].base, &found);

		for (int w = 0; found && w < 4; w++)
			s->blocks[at].w[w] &= ~other->blocks[i].w[w];
	}
	squeeze(s);
}

size_t ipam_set_common(const struct ipam_set *a, const struct ipam_set *b)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++) {
		bool found;
		size_t at = find_block(b, &a->blocks[i].base, &found);

		for (int w = 0; found && w < 4; w++)
			n += (size_t)__builtin_popcountll(a->blocks[i].w[w] & b->blocks[at].w[w]);
	}
	return n;
}

/* The lowest bit of w[4] that is not below low; -1 if there is none. */
static int lowest_bit(const uint64_t w[4], unsigned int low)
{
	for (unsigned int i = low / 64; i < 4; i++) {
		uint64_t bits = w[i];

		if (i == low / 64)
			bits &= ~0ULL << (low % 64);
		if (bits)
			return (int)(i * 64) + __builtin_ctzll(bits);
	}
	return -1;
}

bool ipam_set_first_common(const struct ipam_set *a, const struct ipam_set *b, struct ip_addr *out)
{
	for (size_t i = 0; i < a->n; i++) {
		uint64_t both[4] = {0};
		bool found;
		size_t at = find_block(b, &a->blocks[i].base, &found);
		int bit;

		for (int w = 0; found && w < 4; w++)
			both[w] = a->blocks[i].w[w] & b->blocks[at].w[w];
		bit = lowest_bit(both, 0);
		if (bit >= 0) {
			*out = block_addr(&a->blocks[i], (unsigned int)bit);
			return true;
		}
	}
	return false;
}

static void free_bits(const struct ipam_block *b, const struct ipam_set *const *without, size_t n,
		      uint64_t out[4])
{
	memcpy(out, b->w, sizeof(b->w));
	for (size_t i = 0; i < n; i++) {
		bool found;
		size_t at = find_block(without[i], &b->base, &found);

		for (int w = 0; found && w < 4; w++)
			out[w] &= ~without[i]->blocks[at].w[w];
	}
}

bool ipam_set_next(const struct ipam_set *s, const struct ip_addr *from,
		   const struct ipam_set *const *without, size_t n, struct ip_addr *out)
{
	struct ip_addr base = {0};
	size_t i = 0;
	bool found = false;

	if (ip_is_set(from)) {
		base = block_base(from);
		i = find_block(s, &base, &found);
	}
	for (size_t first = i; i < s->n; i++) {
		uint64_t bits[4];
		int bit;

		free_bits(&s->blocks[i], without, n, bits);
		bit = lowest_bit(bits, found && i == first ? last_byte(from) : 0);
		if (bit >= 0) {
			*out = block_addr(&s->blocks[i], (unsigned int)bit);
			return true;
		}
	}
	return false;
}
