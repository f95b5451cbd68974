/* SPDX-License-Identifier: Apache-2.0 */
/* Time for deadlines (monotonic) and for people and API objects (wall clock). */
#ifndef LIB_BASE_CLOCK_H
#define LIB_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/** clock_now_ms - CLOCK_MONOTONIC in milliseconds: the base of every deadline. */
int64_t clock_now_ms(void);
/** clock_now_us - CLOCK_MONOTONIC in microseconds, for durations in logs. */
int64_t clock_now_us(void);
/**
 * clock_boot_ms - CLOCK_BOOTTIME in milliseconds: goes on while the machine sleeps, and no hand sets it.
 *
 * For what others count too, such as how long a lease may be relied on.
 */
int64_t clock_boot_ms(void);
/** clock_earlier_ms - of two monotonic times; 0 = never. */
int64_t clock_earlier_ms(int64_t a, int64_t b);
/** clock_left_ms - milliseconds until the deadline, 0 when it is over, INT_MAX at most. */
int clock_left_ms(int64_t deadline_ms);
/** clock_wall_s - seconds since 1970 UTC. */
int64_t clock_wall_s(void);

#define CLOCK_RFC3339_LEN 32
/** clock_rfc3339 - "2006-01-02T15:04:05Z", as Kubernetes writes times. Returns buf. */
char *clock_rfc3339(int64_t wall_s, char buf[CLOCK_RFC3339_LEN]);
/** clock_rfc3339_micro - the wall clock now with six digits after the point, a MicroTime. Returns buf. */
char *clock_rfc3339_micro(char buf[CLOCK_RFC3339_LEN]);
/** clock_parse_rfc3339 - seconds since 1970 of an RFC 3339 time (any offset). -1 if it is not one. */
int clock_parse_rfc3339(const char *s, int64_t *out_wall_s);

#endif
