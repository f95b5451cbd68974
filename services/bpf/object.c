/* SPDX-License-Identifier: Apache-2.0 */
#include "services/bpf/object.h"

/* The Makefile says where it has put it. */
#ifndef BPF_OBJECT
#define BPF_OBJECT "/dev/null"
#endif

extern const char bpf_object_begin[] __attribute__((visibility("hidden")));
extern const char bpf_object_end[] __attribute__((visibility("hidden")));

__asm__(".section .rodata.bpf_object, \"a\"\n"
	".balign 16\n"
	"bpf_object_begin:\n"
	".incbin \"" BPF_OBJECT "\"\n"
	"bpf_object_end:\n"
	".byte 0\n"
	".previous\n"
	".global bpf_object_begin, bpf_object_end\n"
	".hidden bpf_object_begin\n"
	".hidden bpf_object_end\n");

const void *bpf_object_bytes(size_t *out_len)
{
	*out_len = (size_t)(bpf_object_end - bpf_object_begin);
	return bpf_object_begin;
}
