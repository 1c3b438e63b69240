/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SA_REPLAY_H
#define ESPALIER_SA_REPLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <rte_branch_prediction.h>

#include "sa/sa_hot.h"

/*
 * Anti-replay (RFC 4303 3.4.3 and appendix A) with the window as a ring of
 * words, one of them spare, so that nothing is ever shifted (RFC 6479). Checked
 * before the ICV, checked again and moved only after it passed. Owner worker.
 */
enum replay_verdict { REPLAY_NEW, REPLAY_SEEN, REPLAY_BELOW };

/* Words of the ring for a window of `size` packets: a power of two, one spare. */
static inline uint32_t replay_words(uint32_t size)
{
	uint32_t words = 2;

	while ((words - 1) * 64 < size)
		words *= 2;
	return words;
}

/*
 * The 64-bit sequence number behind the 32 bits on the wire (RFC 4303 A2.2).
 * Without a window the candidate nearest to the top is taken. The high half
 * never passes either end: such a number comes out as one that no sender with
 * these keys could have sealed, and the ICV fails.
 */
static inline uint64_t replay_infer(uint64_t top, uint32_t window_size, uint32_t low)
{
	uint32_t high = (uint32_t)(top >> 32);
	uint32_t top_low = (uint32_t)top;
	uint32_t size = window_size != 0 ? window_size : UINT32_C(1) << 31;
	uint32_t bottom = top_low - size + 1;

	if (likely(top_low >= size - 1)) {
		if (low < bottom && high != UINT32_MAX)
			high++;
	} else if (low >= bottom && high != 0) {
		high--;
	}
	return ((uint64_t)high << 32) | low;
}

static inline uint64_t replay_sequence(const struct sa_in *sa, uint32_t low)
{
	return (sa->flags & SA_IN_ESN) != 0 ? replay_infer(sa->top, sa->window_size, low) : low;
}

static inline enum replay_verdict replay_check(const struct sa_in *sa, uint64_t seq)
{
	if (unlikely(sa->window_size == 0) || likely(seq > sa->top))
		return REPLAY_NEW;
	if (sa->top - seq >= sa->window_size || seq == 0)
		return REPLAY_BELOW;
	uint64_t word = sa->window[(seq >> 6) & sa->ring_mask];
	return (word >> (seq & 63)) & 1 ? REPLAY_SEEN : REPLAY_NEW;
}

/* The ICV passed: check again (a vector may hold one number twice) and record it. */
static inline enum replay_verdict replay_advance(struct sa_in *sa, uint64_t seq)
{
	enum replay_verdict verdict = replay_check(sa, seq);

	if (unlikely(verdict != REPLAY_NEW))
		return verdict;
	if (unlikely(sa->window_size == 0)) {
		if (seq > sa->top)
			sa->top = seq;
		return REPLAY_NEW;
	}
	if (likely(seq > sa->top)) {
		uint64_t from = sa->top >> 6, to = seq >> 6;

		if (unlikely(to - from > sa->ring_mask))
			from = to - sa->ring_mask - 1;
		while (from < to)
			sa->window[++from & sa->ring_mask] = 0;
		sa->top = seq;
	}
	sa->window[(seq >> 6) & sa->ring_mask] |= UINT64_C(1) << (seq & 63);
	return REPLAY_NEW;
}

#endif
