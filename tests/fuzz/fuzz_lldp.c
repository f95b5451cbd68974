/* SPDX-License-Identifier: Apache-2.0 */
/* What a switch says: the first byte chooses between LLDP, the answers to the doctor's questions, and a node's report. */
#include <string.h>

#include "api/doctor.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "node/doctor/frames.h"
#include "node/doctor/lldp.h"
#include "tests/fuzz/fuzz.h"

static void plain(const char *text, size_t size)
{
	FUZZ_ASSERT(strnlen(text, size) < size);
	for (; *text; text++)
		FUZZ_ASSERT(*text >= ' ' && *text <= '~');
}

static void lldp(const uint8_t *frame, size_t n)
{
	struct lldp told;

	if (!lldp_parse(frame, n, &told))
		return;
	FUZZ_ASSERT(*told.sw && *told.port);
	plain(told.sw, sizeof(told.sw));
	plain(told.port, sizeof(told.port));
}

static void answers(const uint8_t *frame, size_t n, uint8_t family)
{
	struct ip_addr gw = {.family = family, .b = {192, 168, 100, 1}};
	struct mac_addr own = {{2, 0, 0, 0, 0, 1}}, mac = {0};
	struct frames_echo q = {.to = gw, .from = gw, .id = 7, .seq = 1, .size = 128};

	if (frames_answers(frame, n, &gw, &mac))
		FUZZ_ASSERT(mac_is_usable(&mac));
	frames_is_for(frame, n, &own);
	frames_is_others(frame, n, &own, 1);
	frames_is_reply(frame, n, &q);
}

static void report(const uint8_t *data, size_t n)
{
	AUTO(api_doctor_done) struct api_doctor d = {0}, again = {0};
	AUTO(sb_done) struct sb out = SB_INIT;
	AUTO(free) char *text = xstrndup((const char *)data, n);
	struct err e = {0};

	if (api_doctor_read(text, &d, &e) < 0) {
		FUZZ_ASSERT(e.kind && e.msg[0]);
		return;
	}
	FUZZ_ASSERT(d.n <= API_DOCTOR_ENTRIES);
	api_doctor_write(&d, &out);
	FUZZ_ASSERT(out.len <= API_DOCTOR_BYTES);
	FUZZ_ASSERT(api_doctor_read(sb_get(&out), &again, &e) == 0);
	FUZZ_ASSERT(again.n + again.omitted == d.n + d.omitted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] % 4 == 0)
		lldp(data + 1, size - 1);
	else if (data[0] % 4 == 1)
		report(data + 1, size - 1);
	else
		answers(data + 1, size - 1, data[0] % 4 == 2 ? AF_INET : AF_INET6);
	return 0;
}
