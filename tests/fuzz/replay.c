/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main() for the fuzzers where libFuzzer is not: runs each file named, says how many there were. So every
 * compiler replays the corpus.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/io.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (8UL * 1024 * 1024)

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		AUTO(free) char *data = NULL;
		struct err e = {0};
		size_t len = 0;

		if (io_read_file(argv[i], INPUT_MAX, &data, &len, &e) < 0) {
			fprintf(stderr, "%s: %s\n", argv[i], e.msg);
			return 1;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)data, len);
	}
	printf("%d inputs\n", argc - 1);
	return 0;
}
