/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/metrics/histogram.h"

#include <inttypes.h>

static const struct {
	int64_t us;
	const char *seconds;
} bounds[HISTOGRAM_BOUNDS] = {
	{500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},
	{10000, "0.01"},  {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},
	{250000, "0.25"}, {500000, "0.5"},  {1000000, "1"},   {2500000, "2.5"},
	{5000000, "5"},   {10000000, "10"}, {30000000, "30"}, {60000000, "60"},
};

void histogram_observe(struct histogram *h, int64_t us)
{
	int i = 0;

	if (us < 0)
		us = 0;
	while (i < HISTOGRAM_BOUNDS && us > bounds[i].us)
		i++;
	h->counts[i]++;
	h->sum += (double)us / 1e6;
}

void histogram_write(struct sb *out, const char *name, const char *labels,
		     const struct histogram *h)
{
	const char *comma = *labels ? "," : "", *open = *labels ? "{" : "",
		   *close = *labels ? "}" : "";
	uint64_t n = 0;

	for (int i = 0; i <= HISTOGRAM_BOUNDS; i++) {
		n += h->counts[i];
		sb_printf(out, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", name, labels, comma,
			  i < HISTOGRAM_BOUNDS ? bounds[i].seconds : "+Inf", n);
	}
	sb_printf(out, "%s_sum%s%s%s %.6f\n", name, open, labels, close, h->sum);
	sb_printf(out, "%s_count%s%s%s %" PRIu64 "\n", name, open, labels, close, n);
}
