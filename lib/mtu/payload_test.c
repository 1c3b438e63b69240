/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mtu/payload.h"

/* What AWS and Google publish for AES-GCM with a 16-byte ICV over IPv4. */
static void published_gateway_tables(void **state)
{
	static const struct {
		uint16_t outer;
		uint8_t family;
		bool udp;
		uint16_t payload;
		uint16_t mss_v4, mss_v6; /* of TCP in it; 0: not published */
	} row[] = {
	    {1500, 4, false, 1446, 1406, 1386}, /* AWS */
	    {1500, 4, true, 1438, 1398, 1378},  /* AWS, NAT-T */
	    {1460, 4, false, 1406, 0, 0},       /* Google, IPv4 outer */
	    {1460, 6, false, 1386, 0, 0},       /* Google, IPv6 outer */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint16_t payload = mtu_payload(row[i].outer, row[i].family, row[i].udp);

		assert_int_equal(payload, row[i].payload);
		if (row[i].mss_v4 != 0) {
			assert_int_equal(payload - 20 - 20, row[i].mss_v4);
			assert_int_equal(payload - 40 - 20, row[i].mss_v6);
		}
	}
}

/* Size of the outer packet, counted by field (RFC 4303 2, RFC 4106 3). */
static unsigned int outer_size(unsigned int inner, uint8_t family, bool udp)
{
	unsigned int sealed = inner + 2; /* pad length, next header */

	while (sealed % 4 != 0)
		sealed++;
	return (family == 4 ? 20 : 40) + (udp ? 8 : 0) + 4 + 4 + 8 + sealed + 16;
}

static void the_largest_that_fits(void **state)
{
	(void)state;
	for (unsigned int variant = 0; variant < 4; variant++) {
		uint8_t family = variant & 1 ? 6 : 4;
		bool udp = (variant & 2) != 0;

		for (unsigned int outer = 0; outer <= 65535; outer++) {
			unsigned int payload = mtu_payload((uint16_t)outer, family, udp);

			if (payload > 0)
				assert_true(outer_size(payload, family, udp) <= outer);
			assert_true(outer_size(payload + 1, family, udp) > outer);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(published_gateway_tables),
	    cmocka_unit_test(the_largest_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
