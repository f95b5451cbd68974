/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/child.h"

#include <linux/close_range.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Both ends included. Before 5.9 there is no close_range(). */
static void close_between(unsigned int first, unsigned int last)
{
	long top = sysconf(_SC_OPEN_MAX);
	unsigned int fd;

	if (first > last || syscall(SYS_close_range, first, last, 0U) == 0)
		return;
	if (top <= 0 || top > 65536)
		top = 65536;
	for (fd = first; fd <= last && fd < (unsigned int)top; fd++)
		close((int)fd);
}

static void sort(int *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		for (size_t k = i; k && v[k - 1] > v[k]; k--) {
			int higher = v[k - 1];

			v[k - 1] = v[k];
			v[k] = higher;
		}
	}
}

void child_detach(int *keep, size_t n)
{
	unsigned int next = 0;

	setsid();
	sort(keep, n);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] > 0)
			close_between(next, (unsigned int)keep[i] - 1);
		next = (unsigned int)keep[i] + 1;
	}
	close_between(next, ~0U);
}
