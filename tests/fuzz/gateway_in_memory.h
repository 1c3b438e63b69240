/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_FUZZ_GATEWAY_IN_MEMORY_H
#define ESPALIER_FUZZ_GATEWAY_IN_MEMORY_H

#include "fuzz.h"
#include "worker/inprocess.h"

/*
 * One gateway (side 0) for packets that a fuzzer makes. What is poisoned around
 * a packet's bytes shows to AddressSanitizer as beyond the buffer.
 */
struct rte_mempool *fuzz_pool(void);
struct inprocess *fuzz_gateway(void);

/*
 * An mbuf with `len` bytes, in segments of about `part` (0: one segment), each
 * a buffer of its own.
 */
struct rte_mbuf *fuzz_mbuf(const uint8_t *bytes, size_t len, size_t part);
/* Poison what lies behind each segment's data, and before the data of later segments. */
void fuzz_poison(struct rte_mbuf *m);

/* Bytes of `data` from *at on, fewer at its end; *at moves on. */
const uint8_t *fuzz_take(const uint8_t *data, size_t size, size_t *at, size_t *want);

/*
 * Free what was transmitted, calling `visit` (may be NULL) with each frame's port,
 * then check: in minus out is zero, and no buffer is lost.
 */
void fuzz_settle(struct inprocess *g, void (*visit)(uint16_t port, const struct rte_mbuf *m));

#endif
