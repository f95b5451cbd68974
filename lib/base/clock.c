#include "lib/base/clock.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t clock_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_now_ms(void)
{
	return clock_now_us() / 1000;
}

int clock_left_ms(int64_t deadline_ms)
{
	int64_t left = deadline_ms - clock_now_ms();

	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

int64_t clock_wall_s(void)
{
	return (int64_t)time(NULL);
}

char *clock_rfc3339(int64_t wall_s, char buf[CLOCK_RFC3339_LEN])
{
	time_t t = (time_t)wall_s;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(buf, CLOCK_RFC3339_LEN, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf;
}

int clock_parse_rfc3339(const char *s, int64_t *out_wall_s)
{
	struct tm tm = {0};
	const char *rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	int sign, hours, minutes, used = 0;
	int64_t offset = 0;

	if (!rest)
		return -1;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (*rest == 'Z' && !rest[1]) {
		*out_wall_s = timegm(&tm);
		return 0;
	}
	if (*rest != '+' && *rest != '-')
		return -1;
	sign = *rest == '-' ? -1 : 1;
	if (sscanf(rest + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || rest[1 + used])
		return -1;
	offset = (int64_t)sign * (hours * 3600 + minutes * 60);
	*out_wall_s = timegm(&tm) - offset;
	return 0;
}
