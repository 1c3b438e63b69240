/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_WORKER_STATE_H
#define ESPALIER_WORKER_STATE_H

#include <stdatomic.h>
#include <rte_ring.h>

#include "esp/esp.h"
#include "mtu/icmp.h"
#include "worker/worker.h"

/* Private to lib/worker: one worker's memory. Only that worker writes it. */

struct receive_queue {
	uint16_t port, ethdev, queue;
};

struct transmit_buffer {
	uint16_t n;
	struct rte_mbuf *m[2 * VECTOR_MAX];
};

/* Packets that wait for the kernel to resolve their next hop; data at the IP header. */
#define HOLD_MAX 256
#define HOLD_PER_HOP 32

struct held {
	struct rte_mbuf *m;
	uint64_t deadline;
	uint16_t port;
	struct ip_addr gateway;
	bool asked; /* else the control thread was late, and the next retry asks */
};

struct hold {
	struct held entry[HOLD_MAX];
	uint16_t n;
	uint64_t generation; /* of the fib at the last try */
	uint64_t next_try;
};

/* Packets that wait for their tunnel's SA; data at the inner IP header. */
#define ACQUIRE_MAX 64
#define ACQUIRE_PER_TUNNEL 16
#define ACQUIRE_ASKED 256 /* tunnels remembered, a power of two */

struct waiting {
	struct rte_mbuf *m;
	uint64_t deadline;
	uint32_t tunnel; /* handle */
	uint8_t flags;   /* PACKET_* */
};

struct acquire {
	struct waiting entry[ACQUIRE_MAX];
	uint16_t n;
	struct {
		uint32_t tunnel; /* handle */
		uint64_t tsc;    /* 0: not asked */
	} asked[ACQUIRE_ASKED];
};

#define UNRESOLVED_MAX 64 /* a power of two */

struct unresolved {
	struct worker_unresolved entry[UNRESOLVED_MAX];
	_Atomic uint32_t head, tail; /* control reads at head, the worker writes at tail */
};

struct worker {
	struct gateway *g;
	const struct sad *sad;
	struct aead *aead;
	struct spd_cache *policies;
	uint64_t now; /* TSC, once a vector */
	uint64_t hz;
	uint16_t index;
	bool sleep;
	_Atomic bool stop;

	/* The address that ESP was last sent to, found local in this fib generation. */
	struct ip_addr local;
	uint64_t local_generation;

	struct worker_counters count; /* but for drops */
	uint64_t port_rx[PORT_MAX], port_tx[PORT_MAX];
	struct drops drops;

	uint16_t queues;
	struct receive_queue queue[PORT_MAX * PORT_QUEUES_MAX];
	struct rte_ring *inbox;

	struct packet store[VECTOR_MAX];
	struct esp_ops ops;
	struct transmit_buffer tx[PORT_MAX];

	struct vector replies; /* ICMP errors of ours, to be routed after the vector */
	struct packet reply_store[VECTOR_MAX];
	uint64_t reply_tokens, reply_refill;

	struct hold hold;
	struct acquire acquire;
	struct notices notices;
	struct unresolved unresolved;
};

static inline void vector_add(struct vector *v, struct packet *p)
{
	v->p[v->n++] = p;
}

/* receive.c: which lane a frame takes. */
struct lanes {
	struct vector esp;   /* ESP to this machine */
	struct vector plain; /* plaintext from the protected side */
	struct vector clear; /* plaintext from an unprotected port */
};
void receive_frames(struct worker *w, uint16_t port, struct rte_mbuf **m, uint16_t n,
		    struct packet *store, struct lanes *lanes);

/* policy.c: RFC 4301 5.1 and 5.2. */
void policy_outbound(struct worker *w, struct vector *v, struct vector *clear);
void policy_inbound(struct worker *w, struct vector *v, struct vector *either);

/* route.c: where authenticated or trusted plaintext goes. */
void route_inner(struct worker *w, struct vector *v, struct vector *again);
void route_clear(struct worker *w, struct vector *v);
void forward_ttl(struct worker *w, struct vector *v);

/* tunnel.c: the SA that sends, its next hop, its MTU. */
void tunnel_sending_sa(struct worker *w, struct vector *v);
void tunnel_fit(struct worker *w, struct vector *v);

/* handoff.c: to the worker that owns the SA. */
void handoff_inbound(struct worker *w, struct vector *v);
void handoff_outbound(struct worker *w, struct vector *v);
void handoff_transmit(struct worker *w, uint16_t to, uint16_t port, struct rte_mbuf **m,
		      uint16_t n);

/* transmit.c: behind the frame header, into the port's buffer, to the port. */
void transmit(struct worker *w, struct vector *v);
void transmit_frame(struct worker *w, uint16_t port, struct rte_mbuf *m);
void transmit_flush(struct worker *w);

/* hold.c */
void hold_packet(struct worker *w, struct packet *p);
void hold_retry(struct worker *w);
void hold_drop_all(struct worker *w);

/*
 * acquire.c: traffic that asks for an SA. acquire_packet() takes the packet: it
 * waits or is dropped. acquire_next() fills `v` with what waited for one tunnel,
 * that has an SA now; false where there is none.
 */
void acquire_packet(struct worker *w, struct packet *p);
bool acquire_waits(const struct worker *w, uint32_t tunnel);
bool acquire_next(struct worker *w, struct packet *store, struct vector *v);
void acquire_drop_all(struct worker *w);

/* kernel.c: to the local kernel. */
void kernel_packet(struct worker *w, struct packet *p);
void kernel_frame(struct worker *w, uint16_t port, struct rte_mbuf *m);

/* reply.c: ICMP errors; the packet itself is dropped under `reason`. */
void reply_and_drop(struct worker *w, struct packet *p, enum drop_reason reason,
		    enum icmp_error_kind kind, uint16_t mtu);

/* pipeline.c: THE list of steps. */
void pipeline_run(struct worker *w, struct lanes *lanes);
void pipeline_inbox(struct worker *w, struct rte_mbuf **m, uint16_t n);
/* What waited for SAs; once a round. */
void pipeline_waiting(struct worker *w);

#endif
