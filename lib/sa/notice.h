/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SA_NOTICE_H
#define ESPALIER_SA_NOTICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "packet/address.h"
#include "spd/selector.h"

/*
 * What a worker has to tell the control thread about SAs and tunnels, through a
 * ring of its own that never blocks: one worker writes, the control thread reads.
 */
#define NOTICES_MAX 1024 /* a power of two */

enum notice_kind {
	NOTICE_FIRST_USE = 1, /* of an SA with a lifetime since its first use */
	NOTICE_SOFT,          /* a soft lifetime in bytes, packets or sequence numbers has ended */
	NOTICE_HARD,          /* a hard one; the SA has stopped */
	NOTICE_EXHAUSTED,     /* the outbound sequence space has ended (RFC 4303 3.3.3) */
	NOTICE_MAPPING,       /* an authentic packet came from another address or port */
	NOTICE_FAILURES,      /* many replayed or forged packets within a second */
	NOTICE_ACQUIRE,       /* traffic for a tunnel that waits for an SA */
};

enum notice_limit {
	LIMIT_BYTES = 1,
	LIMIT_PACKETS,
	LIMIT_SEQUENCE,
	LIMIT_ADD_TIME,
	LIMIT_USE_TIME
};

struct notice {
	uint8_t kind;      /* enum notice_kind */
	uint8_t direction; /* enum sa_direction; of an SA */
	uint8_t limit;     /* SOFT, HARD: enum notice_limit */
	uint8_t reason;    /* FAILURES: enum drop_reason, of the last one */
	uint32_t slot;     /* of the SA in the arena of its direction */
	uint32_t serial;   /* of the SA: slots are used again, serials are not */
	uint32_t tunnel;   /* ACQUIRE: a handle */
	uint32_t count;    /* FAILURES: how many so far, within the second */
	union {
		struct {
			struct ip_addr address;
			uint16_t port; /* host order; 0: ESP without UDP */
		} source;              /* MAPPING */
		struct flow flow;      /* ACQUIRE: the packet that asks */
	};
};

struct notices {
	_Atomic uint32_t head, tail; /* the reader's, the writer's */
	uint64_t lost;               /* did not fit; written by the worker */
	struct notice entry[NOTICES_MAX];
};

/* Worker. False where the ring is full: the caller keeps its state and tries again later. */
static inline bool notice_put(struct notices *n, const struct notice *one)
{
	uint32_t tail = atomic_load_explicit(&n->tail, memory_order_relaxed);

	if (tail - atomic_load_explicit(&n->head, memory_order_acquire) == NOTICES_MAX) {
		n->lost++;
		return false;
	}
	n->entry[tail % NOTICES_MAX] = *one;
	atomic_store_explicit(&n->tail, tail + 1, memory_order_release);
	return true;
}

/* Control thread. */
static inline bool notice_next(struct notices *n, struct notice *out)
{
	uint32_t head = atomic_load_explicit(&n->head, memory_order_relaxed);

	if (head == atomic_load_explicit(&n->tail, memory_order_acquire))
		return false;
	*out = n->entry[head % NOTICES_MAX];
	atomic_store_explicit(&n->head, head + 1, memory_order_release);
	return true;
}

#endif
