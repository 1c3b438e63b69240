/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <rte_eal.h>

#include "mtu/icmp.h"
#include "mtu/icmp_vectors.h"
#include "packet/checksum.h"

static struct rte_mempool *pool;

/* `bytes` behind `before` bytes of another header, cut into segments after `first` of them. */
static struct packet parsed(const uint8_t *bytes, uint16_t len, uint16_t before, uint16_t first)
{
	struct packet p = {.m = rte_pktmbuf_alloc(pool)};

	assert_non_null(p.m);
	if (first > len)
		first = len;
	p.ip = (uint8_t *)rte_pktmbuf_append(p.m, before + first) + before;
	memcpy(p.ip, bytes, first);
	if (first < len) {
		struct rte_mbuf *tail = rte_pktmbuf_alloc(pool);

		assert_non_null(tail);
		memcpy(rte_pktmbuf_append(tail, len - first), bytes + first, len - first);
		assert_int_equal(rte_pktmbuf_chain(p.m, tail), 0);
	}
	assert_int_equal(packet_parse_ip(&p, first, len), 0);
	return p;
}

static struct ip_addr address(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

static void errors_are_those_of_scapy(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(vectors); i++) {
		for (uint16_t first = 90; first < 1600; first += 301) {
			struct packet p = parsed(vectors[i].about, vectors[i].about_len, 14, first);
			struct ip_addr source =
			    address(p.family == 4 ? "198.51.100.1" : "2001:db8:ffff::1");

			assert_true(icmp_error_allowed(&p));
			struct rte_mbuf *m =
			    icmp_error_build(pool, vectors[i].kind, &p, &source, vectors[i].mtu);
			assert_non_null(m);
			assert_int_equal(m->nb_segs, 1);
			assert_int_equal(m->pkt_len, vectors[i].error_len);
			assert_int_equal(m->data_len, vectors[i].error_len);
			assert_memory_equal(rte_pktmbuf_mtod(m, uint8_t *), vectors[i].error,
					    vectors[i].error_len);
			rte_pktmbuf_free(m);
			rte_pktmbuf_free(p.m);
		}
	}
}

static void no_buffer_no_error(void **state)
{
	struct packet p = parsed(vectors[0].about, vectors[0].about_len, 0, 1600);
	struct ip_addr source = address("198.51.100.1"), other = address("2001:db8::1");
	struct rte_mbuf *all[64];
	unsigned int n = 0;

	(void)state;
	assert_null(icmp_error_build(pool, ICMP_ERROR_TOO_BIG, &p, &other, 1400));
	while (n < 64 && (all[n] = rte_pktmbuf_alloc(pool)) != NULL)
		n++;
	assert_null(icmp_error_build(pool, ICMP_ERROR_TOO_BIG, &p, &source, 1400));
	rte_pktmbuf_free_bulk(all, n);
	rte_pktmbuf_free(p.m);
	/* Nothing is lost on the way. */
	assert_int_equal(rte_mempool_avail_count(pool), 63);
}

static void about_ipv4(const char *source, const char *destination, uint8_t proto,
		       uint16_t fragment, int type, bool allowed)
{
	struct ip_addr from = address(source), to = address(destination);
	uint8_t ip[28] = {0x45, [8] = 64, [9] = proto, [20] = (uint8_t)type};

	store_be16(ip + 2, type < 0 ? 20 : 28);
	store_be16(ip + 6, fragment);
	memcpy(ip + 12, from.bytes, 4);
	memcpy(ip + 16, to.bytes, 4);
	checksum_ipv4_write(ip, 20);
	struct packet p = parsed(ip, type < 0 ? 20 : 28, 0, 28);
	if (icmp_error_allowed(&p) != allowed)
		fail_msg("%s to %s, protocol %u, fragment %x, type %d", source, destination, proto,
			 fragment, type);
	rte_pktmbuf_free(p.m);
}

static void about_ipv6(const char *source, const char *destination, uint8_t proto, int type,
		       bool allowed)
{
	struct ip_addr from = address(source), to = address(destination);
	uint8_t ip[48] = {
	    0x60, [5] = type < 0 ? 0 : 8, [6] = proto, [7] = 64, [40] = (uint8_t)type};

	memcpy(ip + 8, from.bytes, 16);
	memcpy(ip + 24, to.bytes, 16);
	struct packet p = parsed(ip, 48, 0, 48);
	if (icmp_error_allowed(&p) != allowed)
		fail_msg("%s to %s, protocol %u, type %d", source, destination, proto, type);
	rte_pktmbuf_free(p.m);
}

/* RFC 1812 4.3.2.7. */
static void no_ipv4_error_about(void **state)
{
	(void)state;
	about_ipv4("10.0.0.1", "10.0.0.2", 17, 0, 0, true);
	about_ipv4("10.0.0.1", "10.0.0.2", 17, 0x2000, 0, true); /* first fragment */
	about_ipv4("10.0.0.1", "10.0.0.2", 17, 0x2001, 0, false);
	about_ipv4("10.0.0.1", "10.0.0.2", 17, 0x0001, 0, false);
	about_ipv4("10.0.0.1", "224.0.0.5", 17, 0, 0, false);
	about_ipv4("10.0.0.1", "255.255.255.255", 17, 0, 0, false);
	about_ipv4("0.0.0.0", "10.0.0.2", 17, 0, 0, false);
	about_ipv4("127.0.0.1", "10.0.0.2", 17, 0, 0, false);
	about_ipv4("224.0.0.1", "10.0.0.2", 17, 0, 0, false);
	about_ipv4("255.255.255.255", "10.0.0.2", 17, 0, 0, false);
	/* ICMP: errors are unreachable, source quench, redirect, time exceeded, parameter. */
	for (int type = 0; type < 256; type++)
		about_ipv4("10.0.0.1", "10.0.0.2", 1, 0, type,
			   type != 3 && type != 4 && type != 5 && type != 11 && type != 12);
	about_ipv4("10.0.0.1", "10.0.0.2", 1, 0, -1, false);
}

/* RFC 4443 2.4 (e). */
static void no_ipv6_error_about(void **state)
{
	(void)state;
	about_ipv6("2001:db8::1", "2001:db8::2", 17, 0, true);
	about_ipv6("2001:db8::1", "ff02::1", 17, 0, false);
	about_ipv6("::", "2001:db8::2", 17, 0, false);
	about_ipv6("ff02::1", "2001:db8::2", 17, 0, false);
	for (int type = 0; type < 256; type++)
		about_ipv6("2001:db8::1", "2001:db8::2", 58, type, type >= 128 && type != 137);
	about_ipv6("2001:db8::1", "2001:db8::2", 58, -1, false);
	about_ipv6("2001:db8::1", "2001:db8::2", 1, 3, true); /* ICMPv4 means nothing in IPv6 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(errors_are_those_of_scapy),
	    cmocka_unit_test(no_buffer_no_error),
	    cmocka_unit_test(no_ipv4_error_about),
	    cmocka_unit_test(no_ipv6_error_about),
	};
	char prefix[64];

	snprintf(prefix, sizeof(prefix), "--file-prefix=icmp-test-%d", (int)getpid());
	char *eal[] = {"t",           "--no-huge",      "--no-pci", "-m", "64",
		       "--no-shconf", "--no-telemetry", "-l",       "0",  "--log-level=error",
		       prefix};
	if (rte_eal_init(RTE_DIM(eal), eal) < 0)
		return 1;
	pool = rte_pktmbuf_pool_create("p", 63, 0, 64, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (pool == NULL)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rte_eal_cleanup();
	return failed;
}
