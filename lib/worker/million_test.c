/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <cmocka.h>

#include "packet/checksum.h"
#include "rcu/rcu.h"
#include "worker/inprocess.h"

/* A million inbound SAs with a key each, and traffic on random ones. */
#define SAS 1000000u
#define PICKS 2000u

static struct rte_mempool *pool;

static struct sa_spec spec_for(enum sa_direction direction, uint32_t i, uint32_t tunnel)
{
	bool out = direction == SA_OUTBOUND;
	struct sa_spec s = {.direction = direction,
			    .spi = 256 + i * 2654435761u % 4294960000u,
			    .tunnel = tunnel,
			    .algorithm = AEAD_AES_256_GCM_16,
			    .esn = true,
			    .replay_window = 64,
			    .seq_first = 1,
			    .local = inprocess_outer(out ? 0 : 1, 4),
			    .remote = inprocess_outer(out ? 1 : 0, 4)};

	memcpy(s.key, &i, sizeof(i));
	return s;
}

static struct rte_mbuf *plain_frame(void)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *frame = (uint8_t *)rte_pktmbuf_append(m, RTE_ETHER_HDR_LEN + 100);
	struct rte_ipv4_hdr h = {.version_ihl = RTE_IPV4_VHL_DEF,
				 .total_length = htons(100),
				 .time_to_live = 64,
				 .next_proto_id = 253,
				 .src_addr = htonl(RTE_IPV4(10, 0, 0, 5)),
				 .dst_addr = htonl(RTE_IPV4(10, 128, 0, 9))};

	if (frame == NULL)
		abort();
	memset(frame, 0, RTE_ETHER_HDR_LEN + 100);
	memcpy(frame, inprocess_mac(INPROCESS_LAN), 6);
	store_be16(frame + 12, RTE_ETHER_TYPE_IPV4);
	memcpy(frame + RTE_ETHER_HDR_LEN, &h, sizeof(h));
	checksum_ipv4_write(frame + RTE_ETHER_HDR_LEN, sizeof(h));
	return m;
}

static void pass_one(struct inprocess *near, struct inprocess *far, uint32_t tunnel, uint32_t i)
{
	struct sa_spec out = spec_for(SA_OUTBOUND, i, tunnel);
	struct rte_mbuf *m = plain_frame(), *got[2 * VECTOR_MAX];
	struct sa *sender, *receiver = sa_find_in(far->g.sadb, out.spi);

	assert_int_equal(sa_add(near->g.sadb, &out, &sender, NULL), 0);
	assert_non_null(receiver);
	inprocess_run(near, 0, INPROCESS_LAN, &m, 1);
	assert_int_equal(inprocess_take(near, 0, INPROCESS_WAN, got), 1);
	inprocess_run(far, 0, INPROCESS_WAN, got, 1);
	assert_int_equal(inprocess_take(far, 0, INPROCESS_LAN, got), 1);
	rte_pktmbuf_free(got[0]);
	assert_int_equal(receiver->in->packets, 1);
	sa_delete(near->g.sadb, sender);
}

static void traffic_among_a_million(void **state)
{
	(void)state;
	struct inprocess_config config = {
	    .workers = 1, .sas = 8, .tunnels = 8, .routes = 16, .flows = 1024, .pool = pool};
	struct inprocess *near = inprocess_create(&config);
	config.side = 1;
	config.sas = SAS;
	struct inprocess *far = inprocess_create(&config);
	uint32_t near_tunnel = inprocess_tunnel(near, "n")->index;
	uint32_t far_tunnel = inprocess_tunnel(far, "f")->index;
	struct nexthop hop = {.type = NEXTHOP_TUNNEL, .tunnel = near_tunnel};
	inprocess_route(near, "10.128.0.0/9", &hop);

	uint64_t start = rte_rdtsc();
	for (uint32_t i = 0; i < SAS; i++) {
		struct sa_spec in = spec_for(SA_INBOUND, i, far_tunnel);
		if (sa_add(far->g.sadb, &in, NULL, NULL) != 0)
			fail_msg("SA %u was refused", i);
	}
	print_message("%u SAs in %.2f s\n", SAS,
		      (double)(rte_rdtsc() - start) / (double)rte_get_tsc_hz());
	assert_int_equal(sa_count(far->g.sadb, SA_INBOUND), SAS);

	static bool taken[SAS];
	srand(6);
	for (uint32_t k = 0; k < PICKS;) {
		uint32_t i = (uint32_t)rand() % SAS;
		if (taken[i])
			continue;
		taken[i] = true;
		pass_one(near, far, near_tunnel, i);
		k++;
	}
	inprocess_destroy(near);
	inprocess_destroy(far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(traffic_among_a_million)};

	if (inprocess_eal(768) != 0)
		return 1;
	pool = inprocess_pool(1023, RTE_PKTMBUF_HEADROOM + 2176);
	return pool == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
