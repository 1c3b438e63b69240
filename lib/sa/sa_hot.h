/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SA_SA_HOT_H
#define ESPALIER_SA_SA_HOT_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "aead/aead.h"
#include "packet/address.h"
#include "packet/packet.h"
#include "sa/lifetime.h"
#include "sa/spi_table.h"
#include "spd/selector.h"

/*
 * What a worker touches of an SA. The control thread fills an SA in before it is
 * published and frees it a grace period after it was unpublished; in between only
 * the owner worker writes, but for the fields marked atomic.
 */
#define SA_HEADER_MAX 64 /* IPv6 40, UDP 8, ESP 8, IV 8 */

/* Why an SA passes nothing any more; set once, by its worker or by the control thread. */
enum sa_end {
	SA_LIVE = 0,
	SA_EXPIRED, /* a hard lifetime */
};

enum sa_in_flags {
	SA_IN_ESN = 1 << 0,
	SA_IN_SELECT = 1 << 1,  /* check the selectors */
	SA_IN_QUICK4 = 1 << 2,  /* one IPv4 prefix pair, any protocol: `quick` says it all */
	SA_IN_LIMITED = 1 << 3, /* look at `marks` */
};

struct sa_in {
	/* Line 0: read before, written after authentication. */
	uint64_t top;     /* highest authenticated sequence number */
	uint64_t *window; /* RFC 6479 ring of bits; NULL with window 0 */
	uint64_t packets, bytes, last_used;
	_Atomic uint32_t end; /* enum sa_end */
	uint8_t salt[AEAD_SALT_SIZE];
	uint32_t tunnel;
	uint32_t window_size; /* packets; 0: replay protection off */
	uint32_t ring_mask;   /* words of the ring - 1 */
	uint16_t owner;
	uint8_t algorithm;
	uint8_t flags;

	/* Line 1: selectors (RFC 4301 5.2). */
	const struct selector *selector;
	uint32_t selectors;
	struct {
		uint32_t local_net, local_mask, remote_net, remote_mask; /* network order */
	} quick;
	uint32_t reserved;
	/* Where authentic packets come from (sa_source_tag): as the SA says, and as last told. */
	_Atomic uint64_t source;
	uint64_t source_told, source_told_tsc;
	uint64_t expired;

	/* Line 2: written on errors only. */
	uint64_t replay, below_window, icv, malformed, mismatch, ecn;
	uint64_t failures_tsc; /* since when `failures` counts, a second at most */
	uint32_t failures;
	uint32_t reserved2;

	struct sa_marks marks; /* Line 3. */

	struct aead_key key;
};
static_assert(offsetof(struct sa_in, selector) == 64, "line 1");
static_assert(offsetof(struct sa_in, replay) == 128, "line 2");
static_assert(offsetof(struct sa_in, marks) == 192, "line 3");
static_assert(offsetof(struct sa_in, key) == 256, "key on its own lines");

/* About the header in `header[current]`; changes with it. */
struct sa_outer {
	uint16_t checksum; /* IPv4: sum of the constant fields, not folded to its complement */
	uint8_t len;       /* bytes of the header, IV included */
	uint8_t flags;     /* SA_OUTER_* */
};

enum sa_outer_flags {
	SA_OUTER_IPV6 = 1 << 0,
	SA_OUTER_UDP = 1 << 1,
};

enum sa_out_flags {
	SA_OUT_ESN = 1 << 0,
	SA_OUT_DSCP_SET = 1 << 1, /* else copied from the inner header */
	SA_OUT_DF_SET = 1 << 2,
	SA_OUT_DF_COPY = 1 << 3, /* neither: cleared */
	SA_OUT_LIMITED = 1 << 4, /* look at `marks` */
};

struct sa_out {
	/* Line 0. Each sequence number is one packet, so `seq` counts them too. */
	uint64_t seq; /* last number assigned */
	_Atomic uint64_t seq_limit;
	uint64_t bytes, last_used;
	const struct nexthop *hop; /* of the remote address, while hop_tag is right */
	uint32_t hop_tag;          /* fib generation and `current` at the last lookup */
	uint8_t salt[AEAD_SALT_SIZE];
	struct sa_outer outer[2];
	_Atomic uint8_t current; /* which outer[] and header[] are in use */
	uint8_t algorithm;
	uint8_t flags; /* SA_OUT_* */
	uint8_t dscp;
	uint16_t mtu;         /* largest inner packet by the route's MTU; follows hop */
	_Atomic uint16_t end; /* enum sa_end; then seq_limit is 0 */

	/* Lines 1 and 2: prebuilt IP, UDP, ESP header and IV, ending at byte 64. */
	uint8_t header[2][SA_HEADER_MAX];

	/* Line 3: rarely touched. */
	uint64_t refused; /* the sequence space has ended, or the SA's life */
	uint64_t too_big;
	uint64_t seq_first;
	struct ip_addr remote[2];
	uint8_t reserved[6];

	struct sa_marks marks; /* Line 4. */

	struct aead_key key;
};
static_assert(offsetof(struct sa_out, header) == 64, "lines 1 and 2");
static_assert(offsetof(struct sa_out, refused) == 192, "line 3");
static_assert(offsetof(struct sa_out, marks) == 256, "line 4");
static_assert(offsetof(struct sa_out, key) == 320, "key on its own lines");

/* What a worker reads of a tunnel. */
struct tunnel_hot {
	struct sa_out *_Atomic out; /* the SA that sends; NULL: none */
	_Atomic uint16_t mtu;       /* configured inner MTU; 0: by the route */
	_Atomic uint16_t device;    /* tun device for packets to this machine */
	uint8_t owner;
	_Atomic bool trap;     /* what finds no SA waits, and asks for one */
	_Atomic uint16_t life; /* below TUNNEL_LIVES; changes when the index is used anew */
};
static_assert(sizeof(struct tunnel_hot) == 16, "four a line");

/* The part of the database that workers read; fixed addresses. */
struct sad {
	struct spi_table *_Atomic table; /* inbound SPI to slot */
	uint8_t *in;                     /* arena of struct sa_in */
	struct tunnel_hot *tunnel;
	uint32_t tunnels_max;
};

/* How packets for this tunnel are marked when they are handed on. */
static inline uint32_t sad_tunnel_handle(const struct sad *sad, uint32_t index)
{
	return tunnel_handle(index,
			     atomic_load_explicit(&sad->tunnel[index].life, memory_order_relaxed));
}

/* The index behind a handle; TUNNEL_NONE if that tunnel is gone. */
static inline uint32_t sad_tunnel_index(const struct sad *sad, uint32_t handle)
{
	uint32_t index = tunnel_handle_index(handle);

	return index < sad->tunnels_max && sad_tunnel_handle(sad, index) == handle ? index
										   : TUNNEL_NONE;
}

struct sadb;
const struct sad *sadb_hot(const struct sadb *db);

/* Worker: the inbound SA of this SPI, or NULL. */
static inline struct sa_in *sad_find(const struct sad *sad, uint32_t spi)
{
	const struct spi_table *t = atomic_load_explicit(&sad->table, memory_order_acquire);
	uint32_t slot = spi_table_find(t, spi);

	return slot == SPI_NO_SLOT
		   ? NULL
		   : (struct sa_in *)(sad->in + (size_t)slot * sizeof(struct sa_in));
}

/* Worker: fetch the table line that sad_find() will read. */
static inline void sad_prefetch(const struct sad *sad, uint32_t spi)
{
	spi_table_prefetch(atomic_load_explicit(&sad->table, memory_order_relaxed), spi);
}

#endif
