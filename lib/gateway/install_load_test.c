/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <cmocka.h>

#include "gateway/event.h"
#include "gateway/provision.h"
#include "packet/checksum.h"
#include "rcu/rcu.h"
#include "worker/inprocess.h"

/*
 * One thread carries packets from one gateway to another as fast as it can, while
 * the control thread installs and deletes SAs in both: nothing is lost, and the
 * numbers of what arrives are those of what was sent.
 */
#define INSTALLS 100000u
#define BURST 32u

static struct rte_mempool *pool;
static struct inprocess *near, *far;
static struct tunnel *near_tunnel, *far_tunnel, *aside;
static _Atomic bool stop;
static uint64_t sent, arrived;

static struct rte_mbuf *plain_frame(void)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *frame = (uint8_t *)rte_pktmbuf_append(m, RTE_ETHER_HDR_LEN + 60);
	struct rte_ipv4_hdr h = {.version_ihl = RTE_IPV4_VHL_DEF,
				 .total_length = htons(60),
				 .time_to_live = 64,
				 .next_proto_id = 253,
				 .src_addr = htonl(RTE_IPV4(10, 0, 0, 5)),
				 .dst_addr = htonl(RTE_IPV4(10, 128, 0, 9))};

	if (frame == NULL)
		abort();
	memset(frame, 0, RTE_ETHER_HDR_LEN + 60);
	memcpy(frame, inprocess_mac(INPROCESS_LAN), 6);
	store_be16(frame + 12, RTE_ETHER_TYPE_IPV4);
	memcpy(frame + RTE_ETHER_HDR_LEN, &h, sizeof(h));
	checksum_ipv4_write(frame + RTE_ETHER_HDR_LEN, sizeof(h));
	return m;
}

static void *carry(void *arg)
{
	struct rte_rcu_qsbr *domain = rcu_domain();
	struct rte_mbuf *m[2 * VECTOR_MAX];

	rcu_worker_start(0);
	while (!atomic_load(&stop)) {
		for (unsigned int i = 0; i < BURST; i++)
			m[i] = plain_frame();
		sent += BURST;
		inprocess_run(near, 0, INPROCESS_LAN, m, BURST);
		uint16_t n = inprocess_take(near, 0, INPROCESS_WAN, m);
		inprocess_run(far, 0, INPROCESS_WAN, m, n);
		n = inprocess_take(far, 0, INPROCESS_LAN, m);
		arrived += n;
		rte_pktmbuf_free_bulk(m, n);
		rcu_quiescent(domain, 0);
	}
	rcu_worker_stop(0);
	return arg;
}

static struct sa_spec spec_for(enum sa_direction direction, uint32_t i)
{
	bool out = direction == SA_OUTBOUND;
	struct sa_spec s = {.direction = direction,
			    .spi = 256 + i * 2654435761u % 4294960000u,
			    .tunnel = (out            ? near_tunnel
				       : i % 100 == 0 ? far_tunnel
						      : aside)
					  ->index,
			    .algorithm = AEAD_AES_256_GCM_16,
			    .esn = true,
			    .replay_window = out ? 0 : 1024,
			    .seq_first = 1,
			    .local = inprocess_outer(out ? 0 : 1, 4),
			    .remote = inprocess_outer(out ? 1 : 0, 4),
			    .lifetime = {.hard_add = 3600}};

	memcpy(s.key, &i, sizeof(i));
	return s;
}

static struct sa *install(struct inprocess *ip, enum sa_direction direction, uint32_t i)
{
	struct sa_spec spec = spec_for(direction, i);
	struct fault fault = {0};
	struct sa *sa;

	if (gateway_sa_add(&ip->g, &spec, &sa, &fault) != 0)
		fail_msg("SA %u: %s: %s", i, fault.where, fault.what);
	return sa;
}

/* Now and then the tunnel in use is rekeyed, the inbound SA first; the others only come and go. */
static void nothing_is_lost_during_installs(void **state)
{
	struct inprocess_config config = {.workers = 1,
					  .sas = INSTALLS + 1000,
					  .tunnels = 8,
					  .routes = 16,
					  .flows = 1024,
					  .pool = pool};
	struct tunnel_spec other = {.name = "other"};
	struct sa *in, *out;
	pthread_t thread;

	(void)state;
	near = inprocess_create(&config);
	config.side = 1;
	far = inprocess_create(&config);
	near_tunnel = inprocess_tunnel(near, "far");
	far_tunnel = inprocess_tunnel(far, "near");
	struct nexthop hop = {.type = NEXTHOP_TUNNEL, .tunnel = near_tunnel->index};
	inprocess_route(near, "10.128.0.0/9", &hop);
	assert_int_equal(gateway_tunnel_add(&far->g, &other, &aside, NULL), 0);
	in = install(far, SA_INBOUND, 0);
	out = install(near, SA_OUTBOUND, 0);
	assert_int_equal(pthread_create(&thread, NULL, carry, NULL), 0);

	for (uint32_t i = 1; i <= INSTALLS; i++) {
		struct sa *newer = install(far, SA_INBOUND, i);
		if (i % 100 != 0) {
			if (i % 2 == 0)
				gateway_sa_delete(&far->g, newer, "test");
			continue;
		}
		struct sa *sender = install(near, SA_OUTBOUND, i);
		gateway_sa_delete(&near->g, out, "rekeyed");
		/* What was sealed with the old one is through when the worker has gone round. */
		rcu_barrier();
		gateway_sa_delete(&far->g, in, "rekeyed");
		in = newer;
		out = sender;
		gateway_read_notices(&far->g);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	print_message("%lu packets during %u installs\n", sent, INSTALLS);
	assert_true(sent > 10 * BURST);
	assert_true(arrived == sent);
	gateway_provision_stop(&near->g);
	gateway_provision_stop(&far->g);
	inprocess_destroy(near);
	inprocess_destroy(far);
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_lost_during_installs)};

	if (inprocess_eal(768) != 0)
		return 1;
	pool = inprocess_pool(1023, RTE_PKTMBUF_HEADROOM + 2176);
	return pool == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
