/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/metrics/text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/mem.h"

void metrics_family(struct sb *out, const char *name, const char *type, const char *help)
{
	sb_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_single(struct sb *out, const char *name, const char *type, uint64_t value,
		    const char *help)
{
	metrics_family(out, name, type, help);
	sb_printf(out, "%s %" PRIu64 "\n", name, value);
}

void metrics_build(struct sb *out, const char *version)
{
	metrics_family(out, "tandem_build_info", "gauge", "The version that runs.");
	sb_printf(out, "tandem_build_info{version=\"%s\"} 1\n", version);
}

static double seconds_of(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

/* The second number of /proc/self/statm; 0 = not to be had. */
static uint64_t resident_bytes(void)
{
	AUTO(free) char *text = NULL;
	struct err ignored = {0};
	size_t len = 0;
	char *second;

	if (io_read_own(AT_FDCWD, "/proc/self/statm", 256, &text, &len, &ignored) < 0)
		return 0;
	second = strchr(text, ' ');
	return second ? strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

void metrics_process(struct sb *out, int64_t start_s)
{
	struct rusage use;

	if (getrusage(RUSAGE_SELF, &use) == 0) {
		metrics_family(out, "process_cpu_seconds_total", "counter",
			       "User and system processor time.");
		sb_printf(out, "process_cpu_seconds_total %.2f\n",
			  seconds_of(&use.ru_utime) + seconds_of(&use.ru_stime));
	}
	metrics_single(out, "process_resident_memory_bytes", "gauge", resident_bytes(),
		       "Resident memory.");
	metrics_single(out, "process_start_time_seconds", "gauge", (uint64_t)start_s,
		       "When the process started, in seconds since 1970.");
}
