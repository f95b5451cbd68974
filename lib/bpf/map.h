/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps of BPF that another program has pinned, by bpf(2) itself: the plugin needs two calls of it, and no library.
 *
 * Keys and values are of the map's own sizes, which bpf_map_open() compares: the kernel copies as many bytes as the
 * map has, whatever the caller's struct has.
 */
#ifndef LIB_BPF_MAP_H
#define LIB_BPF_MAP_H

#include <stdint.h>

#include "lib/base/err.h"

/**
 * bpf_map_open - the pinned map at dir/name.
 *
 * 1: *out_fd, which the caller closes. 0: there is none. -1: ERR_KERNEL; also when keys or values have other sizes.
 */
int bpf_map_open(const char *dir, const char *name, uint32_t key_size, uint32_t value_size,
		 int *out_fd, struct err *e) FN_MUST;

/** bpf_map_get - 1: *value; 0: no such key; -1: ERR_KERNEL. */
int bpf_map_get(int fd, const void *key, void *value, struct err *e) FN_MUST;
/** bpf_map_set - ERR_KERNEL; num is E2BIG or ENOMEM where the map is full. */
int bpf_map_set(int fd, const void *key, const void *value, struct err *e) FN_MUST;
/** bpf_map_drop - 1: it was there; 0: it was not; -1: ERR_KERNEL. */
int bpf_map_drop(int fd, const void *key, struct err *e) FN_MUST;
/** bpf_map_next - the key after key (NULL = the first). 1: *next; 0: the end; -1: ERR_KERNEL. */
int bpf_map_next(int fd, const void *key, void *next, struct err *e) FN_MUST;

#endif
