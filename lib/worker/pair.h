/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_WORKER_PAIR_H
#define ESPALIER_WORKER_PAIR_H

#include "worker/inprocess.h"

/*
 * For cmocka tests: two gateways in memory, plaintext into a, what comes out of it
 * into b. Each function fails the test that calls it where it cannot do its work.
 */
extern struct rte_mempool *pair_pool;

struct pair {
	struct inprocess *a, *b;
	struct tunnel *to_b, *to_a;
	struct sa *out, *in;
};

struct pair_shape {
	uint8_t inner, outer;
	bool udp, esn;
	uint32_t window;
	uint16_t workers;
	struct sa_lifetime out_life, in_life;
};

/* IPv4 in IPv4, protocol 50, ESN, window 64, one worker. */
extern const struct pair_shape pair_usual;

/* The group's setup: EAL and pool. */
int pair_setup(void **state);

/* `selector`: of b's inbound SA, or NULL. */
struct pair pair_open(const struct pair_shape *s, const struct selector *selector);
/* No buffer may be in use any more. */
void pair_close(struct pair *p);

/* A frame around an IP packet of `len` bytes from 10.0.0.5 (fd00::5) to 10.128.0.9 (fd80::9). */
struct rte_mbuf *pair_frame(uint8_t family, uint16_t len);
struct rte_mbuf *pair_copy(const struct rte_mbuf *m);

/* Through a; returns the one frame it sends out of its unprotected side. */
struct rte_mbuf *pair_seal(struct pair *p, struct rte_mbuf *m);
/* Through b; returns how many frames reach its protected side (0 or 1), in *out. */
uint16_t pair_unseal(struct pair *p, struct rte_mbuf *m, struct rte_mbuf **out);

/* The next notice of ip's worker 0; false: none. */
bool pair_notice(const struct inprocess *ip, struct notice *out);
/* Fails unless there is exactly one, of this kind. */
struct notice pair_one_notice(const struct inprocess *ip, enum notice_kind kind);
void assert_no_notice(const struct inprocess *ip);

uint64_t pair_dropped(const struct inprocess *ip, enum drop_reason reason);
uint64_t pair_dropped_in_all(const struct inprocess *ip);

/* in - out - drops - held: nothing is lost without a reason. */
void assert_conserved(const struct inprocess *ip);
/* What went in comes out, two hops older; nothing else changes. */
void assert_same_packet(const struct rte_mbuf *before, const struct rte_mbuf *after);

#endif
