/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody else's program at connect4 of a cgroup, for the tests:
 *
 *	foreign attach CGROUP exclusive|multi [IP]	lets everybody pass, but for who connects to IP
 *	foreign detach CGROUP				the first of them
 *
 * It says why it could not: the error's name. Exit code 1 then.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME "foreign"
#define MOST 64

static int fail(void)
{
	printf("%s\n", strerrorname_np(errno));
	return 1;
}

static int load(uint32_t denied)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1},
		{.code = BPF_LDX | BPF_MEM | BPF_W,
		 .dst_reg = 2,
		 .src_reg = 1,
		 .off = offsetof(struct bpf_sock_addr, user_ip4)},
		{.code = BPF_JMP32 | BPF_JNE | BPF_K, .dst_reg = 2, .off = 1, .imm = (int)denied},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_CGROUP_INET4_CONNECT);

	return bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, NAME, "GPL", code,
			     sizeof(code) / sizeof(code[0]), &opts);
}

static int attach(int cgroup, const char *how, const char *ip)
{
	struct in_addr denied = {0};
	int fd;

	if (ip && inet_pton(AF_INET, ip, &denied) != 1)
		return 2;
	fd = load(denied.s_addr);
	if (fd < 0 || bpf_prog_attach(fd, cgroup, BPF_CGROUP_INET4_CONNECT,
				      strcmp(how, "multi") == 0 ? BPF_F_ALLOW_MULTI : 0) < 0)
		return fail();
	return 0;
}

static int detach(int cgroup)
{
	uint32_t ids[MOST], n = MOST, flags = 0;

	if (bpf_prog_query(cgroup, BPF_CGROUP_INET4_CONNECT, 0, &flags, ids, &n) < 0)
		return fail();
	for (uint32_t i = 0; i < n; i++) {
		struct bpf_prog_info info = {0};
		uint32_t len = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(ids[i]);

		if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0 || strcmp(info.name, NAME) != 0)
			continue;
		return bpf_prog_detach2(fd, cgroup, BPF_CGROUP_INET4_CONNECT) < 0 ? fail() : 0;
	}
	errno = ENOENT;
	return fail();
}

int main(int argc, char **argv)
{
	int cgroup = argc > 2 ? open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (cgroup >= 0 && argc > 3 && strcmp(argv[1], "attach") == 0)
		return attach(cgroup, argv[3], argv[4]);
	if (cgroup >= 0 && strcmp(argv[1], "detach") == 0)
		return detach(cgroup);
	fprintf(stderr, "usage: see tests/services/foreign.c\n");
	return 2;
}
