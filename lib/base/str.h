/* SPDX-License-Identifier: Apache-2.0 */
/* Strings and numbers from strings; everything is checked to the last character. */
#ifndef LIB_BASE_STR_H
#define LIB_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

/** str_eq - equal strings; NULL equals NULL only. */
bool str_eq(const char *a, const char *b);
/** str_starts - s begins with prefix. */
bool str_starts(const char *s, const char *prefix);
/** str_ends - s ends with suffix. */
bool str_ends(const char *s, const char *suffix);
/** str_copy - copy with the terminator into dst of size bytes. -1 (dst unchanged) if it is too long. */
int str_copy(char *dst, size_t size, const char *src) FN_MUST;
/** parse_u32 - decimal digits only, no sign, no blank, 0..max. -1 on anything else. */
int parse_u32(const char *s, uint32_t max, uint32_t *out) FN_MUST;
/** parse_i64 - decimal with an optional minus. -1 on anything else or overflow. */
int parse_i64(const char *s, int64_t *out) FN_MUST;
/** hash_fnv1a - 64 bit FNV-1a of n bytes, going on from seed (HASH_FNV1A_INIT to start). */
uint64_t hash_fnv1a(uint64_t seed, const void *p, size_t n);
#define HASH_FNV1A_INIT 0xcbf29ce484222325ULL

#endif
