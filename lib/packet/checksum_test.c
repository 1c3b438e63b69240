/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "packet/checksum.h"
#include "packet/packet.h"

/* RFC 1071 over bytes, in host order. */
static uint32_t sum_bytes(const uint8_t *at, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? at[i] * 256u : at[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* RFC 1624 4: the example in which equation 2 goes wrong. */
static void the_example_of_rfc_1624(void **state)
{
	(void)state;
	uint16_t sum = checksum_adjust(RTE_BE16(0xdd2f), RTE_BE16(0x5555), RTE_BE16(0x3285));
	assert_int_equal(sum, RTE_BE16(0x0000));
}

static void header_changes_keep_the_checksum_valid(void **state)
{
	(void)state;
	srand(3);
	for (int i = 0; i < 200000; i++) {
		uint8_t ip[20], before[20];

		for (size_t at = 0; at < sizeof(ip); at++)
			ip[at] = (uint8_t)(i % 2 ? rand() : -(rand() % 2));
		ip[0] = 0x45;
		if (ip[8] == 0)
			ip[8] = 1;
		checksum_ipv4_write(ip, sizeof(ip));
		assert_int_equal(sum_bytes(ip, sizeof(ip)), 0xffff);
		assert_true(packet_ipv4_sum_ok(ip));

		memcpy(before, ip, sizeof(ip));
		uint8_t tos = (uint8_t)rand();
		ip_decrement_ttl(ip, 4);
		ip_set_tos(ip, 4, tos);
		assert_int_equal(sum_bytes(ip, sizeof(ip)), 0xffff);
		assert_int_equal(ip[8], before[8] - 1);
		assert_int_equal(ip[9], before[9]);
		assert_int_equal(ip[0], 0x45);
		assert_int_equal(ip[1], tos);
	}
}

static void ipv6_traffic_class_and_hop_limit(void **state)
{
	uint8_t ip[40] = {0x6a, 0xbc, 0xde, 0xf0, [6] = 17, [7] = 64};

	(void)state;
	ip_set_tos(ip, 6, 0x12);
	ip_decrement_ttl(ip, 6);
	assert_int_equal(ip[0], 0x61);
	assert_int_equal(ip[1], 0x2c);
	assert_int_equal(ip[2], 0xde);
	assert_int_equal(ip[6], 17);
	assert_int_equal(ip[7], 63);
}

/* mbufs without a pool, over plain memory, cut into segments of random (odd) sizes. */
static struct rte_mbuf *chain(uint8_t *data, size_t len, struct rte_mbuf *segment, unsigned int max)
{
	unsigned int n = 0;
	size_t at = 0;

	memset(segment, 0, max * sizeof(*segment));
	while (at < len) {
		size_t part = n == 0 ? 60 : 1 + (size_t)rand() % 40;
		if (part > len - at || n == max - 1)
			part = len - at;
		segment[n].buf_addr = data + at;
		segment[n].data_len = (uint16_t)part;
		if (n > 0)
			segment[n - 1].next = &segment[n];
		at += part;
		n++;
	}
	segment[0].pkt_len = (uint32_t)len;
	segment[0].nb_segs = (uint16_t)n;
	return segment;
}

static void udp6_sums_to_ffff_over_chains(void **state)
{
	struct rte_mbuf segment[16];

	(void)state;
	srand(4);
	for (int i = 0; i < 20000; i++) {
		uint8_t data[400], pseudo[40 + 400] = {0};
		size_t udp = 8 + (size_t)rand() % 340;
		uint16_t sum;

		for (size_t at = 0; at < sizeof(data); at++)
			data[at] = (uint8_t)rand();
		struct rte_mbuf *m = chain(data, 40 + udp, segment, 16);
		assert_int_equal(checksum_udp6_write(m, data, 40, (uint32_t)udp), 0);

		memcpy(pseudo, data + 8, 32);
		pseudo[34] = (uint8_t)(udp >> 8);
		pseudo[35] = (uint8_t)udp;
		pseudo[39] = 17;
		memcpy(pseudo + 40, data + 40, udp);
		assert_int_equal(sum_bytes(pseudo, 40 + udp), 0xffff);
		assert_false(data[46] == 0 && data[47] == 0);

		assert_int_equal(
		    checksum_upper(m, 40, (uint32_t)udp, 6, data + 8, data + 24, 17, &sum), 0);
		assert_int_equal(sum, 0xffff);
		data[40 + (size_t)rand() % udp] ^= 0x10;
		checksum_upper(m, 40, (uint32_t)udp, 6, data + 8, data + 24, 17, &sum);
		assert_int_not_equal(sum, 0xffff);
		assert_int_equal(checksum_udp6_write(m, data, 40, (uint32_t)udp + 1), -EINVAL);
	}
}

/* A datagram whose sum is 0 goes out with 0xffff: 0 would mean "no checksum". */
static void zero_is_sent_as_ffff(void **state)
{
	uint8_t data[50] = {0};
	struct rte_mbuf segment[2];

	(void)state;
	data[48] = 0xff; /* payload that complements length 10 + length 0 + protocol 17 */
	data[49] = (uint8_t) ~(10 + 17);
	struct rte_mbuf *m = chain(data, sizeof(data), segment, 2);
	assert_int_equal(checksum_udp6_write(m, data, 40, 10), 0);
	assert_int_equal(data[46], 0xff);
	assert_int_equal(data[47], 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_example_of_rfc_1624),
	    cmocka_unit_test(header_changes_keep_the_checksum_valid),
	    cmocka_unit_test(ipv6_traffic_class_and_hop_limit),
	    cmocka_unit_test(udp6_sums_to_ffff_over_chains),
	    cmocka_unit_test(zero_is_sent_as_ffff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
