/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/bpf/map.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"

static int call(int cmd, union bpf_attr *attr)
{
	long rc;

	do
		rc = syscall(SYS_bpf, cmd, attr, sizeof(*attr));
	while (rc < 0 && errno == EINTR);
	return (int)rc;
}

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static int check_sizes(int fd, uint32_t key_size, uint32_t value_size, struct err *e)
{
	struct bpf_map_info info = {0};
	union bpf_attr attr = {0};

	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = address(&info);
	if (call(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0)
		return err_errno(e, ERR_KERNEL, errno, "ask about the map");
	if (info.key_size != key_size || info.value_size != value_size)
		return err_set(
			e, ERR_KERNEL, EINVAL,
			"it has keys of %u and values of %u bytes instead of %u and %u: of another version",
			info.key_size, info.value_size, key_size, value_size);
	return 0;
}

int bpf_map_open(const char *dir, const char *name, uint32_t key_size, uint32_t value_size,
		 int *out_fd, struct err *e)
{
	AUTO(free) char *path = xasprintf("%s/%s", dir, name);
	union bpf_attr attr = {0};
	AUTO(fd) int fd = -1;

	attr.pathname = address(path);
	fd = call(BPF_OBJ_GET, &attr);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return err_errno(e, ERR_KERNEL, errno, "open %s", path);
	if (check_sizes(fd, key_size, value_size, e) < 0)
		return err_wrap(e, "%s", path);
	*out_fd = fd_steal(&fd);
	return 1;
}

static union bpf_attr element(int fd, const void *key, const void *value)
{
	union bpf_attr attr = {0};

	attr.map_fd = (uint32_t)fd;
	attr.key = address(key);
	attr.value = address(value);
	return attr;
}

int bpf_map_get(int fd, const void *key, void *value, struct err *e)
{
	union bpf_attr attr = element(fd, key, value);

	if (call(BPF_MAP_LOOKUP_ELEM, &attr) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_errno(e, ERR_KERNEL, errno, "look into a map");
}

int bpf_map_set(int fd, const void *key, const void *value, struct err *e)
{
	union bpf_attr attr = element(fd, key, value);

	if (call(BPF_MAP_UPDATE_ELEM, &attr) < 0)
		return err_errno(e, ERR_KERNEL, errno, "write into a map");
	return 0;
}

int bpf_map_drop(int fd, const void *key, struct err *e)
{
	union bpf_attr attr = element(fd, key, NULL);

	if (call(BPF_MAP_DELETE_ELEM, &attr) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_errno(e, ERR_KERNEL, errno, "remove from a map");
}

int bpf_map_next(int fd, const void *key, void *next, struct err *e)
{
	union bpf_attr attr = element(fd, key, next);

	if (call(BPF_MAP_GET_NEXT_KEY, &attr) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_errno(e, ERR_KERNEL, errno, "walk through a map");
}
