/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state file. The first byte says whether the header is ours to make, so that the checksum does not keep
 * everything out, or comes with the rest.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/io.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "meta/attachment/state.h"
#include "tests/fuzz/fuzz.h"

#define CONTAINER "c1"
#define IFNAME    "eth0"

static char folder[64];
static int attachments = -1;
static struct state_dir *dir;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_folder(void)
{
	state_dir_free(dir);
	close(attachments);
	IGNORE(nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS), "a temporary folder");
}

static void open_folder(void)
{
	char path[96];
	struct err e = {0};

	snprintf(folder, sizeof(folder), "/dev/shm/tandem-fuzz.XXXXXX");
	FUZZ_ASSERT(mkdtemp(folder) && state_dir_open(folder, &dir, &e) == 0);
	snprintf(path, sizeof(path), "%s/attachments", folder);
	attachments = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_ASSERT(attachments >= 0 && atexit(remove_folder) == 0);
}

/* What was read can be written, and is the same when it is read again. */
static void save_and_load(const struct state *s)
{
	AUTO(state_free) struct state *again = NULL;
	bool damaged = false;
	struct err e = {0};

	FUZZ_ASSERT(state_save(dir, s, &e) == 0);
	FUZZ_ASSERT(state_load(dir, CONTAINER, IFNAME, &again, &damaged, &e) == 1 && !damaged);
	FUZZ_ASSERT(str_eq(s->delegate, again->delegate) && str_eq(s->card, again->card) &&
		    str_eq(s->result, again->result) && s->complete == again->complete &&
		    s->n_plugin_results == again->n_plugin_results);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(state_free) struct state *s = NULL;
	AUTO(sb_done) struct sb file = SB_INIT;
	bool damaged = false;
	struct err e = {0};
	int rc;

	if (!dir)
		open_folder();
	if (size && data[0] == 'b') {
		sb_printf(&file, "tandem-state 1 %zu %016llx\n", size - 1,
			  (unsigned long long)hash_fnv1a(HASH_FNV1A_INIT, data + 1, size - 1));
		sb_add(&file, (const char *)data + 1, size - 1);
	} else {
		sb_add(&file, (const char *)data, size);
	}
	FUZZ_ASSERT(io_replace_file(attachments, CONTAINER "@" IFNAME, 0600, sb_get(&file),
				    file.len, &e) == 0);
	rc = state_load(dir, CONTAINER, IFNAME, &s, &damaged, &e);
	FUZZ_ASSERT(rc >= 0 && (rc == 1) == !damaged);
	if (rc == 1)
		save_and_load(s);
	FUZZ_ASSERT(state_remove(dir, CONTAINER, IFNAME, &e) == 0);
	return 0;
}
