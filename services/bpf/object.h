/* SPDX-License-Identifier: Apache-2.0 */
/* The socket programs as clang has compiled them: an ELF object of BPF, the same for every architecture. */
#ifndef SERVICES_BPF_OBJECT_H
#define SERVICES_BPF_OBJECT_H

#include <stddef.h>

/** bpf_object_bytes - the object and its length. Lent, for ever. */
const void *bpf_object_bytes(size_t *out_len);

#endif
