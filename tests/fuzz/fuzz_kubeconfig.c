/* SPDX-License-Identifier: Apache-2.0 */
/* A kubeconfig, YAML or JSON. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/kube/config.h"
#include "tests/fuzz/fuzz.h"

static int file = -1;

/* With what users' kubeconfigs have; no program is run. */
static void as_user(const char *path)
{
	AUTO(kube_config_free) struct kube_config *config = NULL;
	const struct kube_config_wish wish = {.list = path};
	struct err e = {0};

	if (kube_config_load_for(&wish, &config, &e) < 0) {
		FUZZ_ASSERT(!config && e.kind && e.msg[0]);
		return;
	}
	FUZZ_ASSERT(config->server && !config->cert_pem == !config->key_pem && !config->plugin);
	FUZZ_ASSERT(config->as || !config->n_as_groups);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(kube_config_free) struct kube_config *config = NULL;
	struct err e = {0};
	char path[32];

	if (file < 0)
		file = memfd_create("kubeconfig", MFD_CLOEXEC);
	FUZZ_ASSERT(file >= 0 && ftruncate(file, 0) == 0 &&
		    pwrite(file, data, size, 0) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	as_user(path);
	if (kube_config_load(path, &config, &e) < 0) {
		FUZZ_ASSERT(!config && e.kind && e.msg[0]);
		return 0;
	}
	FUZZ_ASSERT(config->server && !config->cert_pem == !config->key_pem);
	FUZZ_ASSERT(!config->plugin && !config->as && !config->proxy_url);
	return 0;
}
