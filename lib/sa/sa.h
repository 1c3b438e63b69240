/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SA_SA_H
#define ESPALIER_SA_SA_H

#include <stdbool.h>
#include <stdint.h>

#include "aead/aead.h"
#include "packet/address.h"
#include "report/fault.h"
#include "spd/selector.h"

/*
 * The Security Association Database as the control thread sees it (RFC 4301
 * 4.4.2). What workers touch for each packet stands in sa_hot.h.
 */
enum sa_direction { SA_INBOUND = 1, SA_OUTBOUND = 2 };
enum sa_df { SA_DF_COPY, SA_DF_SET, SA_DF_CLEAR };

#define SA_REPLAY_MIN 32
#define SA_REPLAY_MAX 32768
#define SA_SELECTORS_MAX 32
#define SA_SPI_MIN 256 /* RFC 4303 2.1 */

/*
 * When an SA should be replaced (soft) and when it stops (hard), RFC 4301 4.4.2.1;
 * 0 is no limit. Bytes are those of inner IP packets. Bytes and packets are
 * checked by the burst: at most one vector passes beyond a hard limit, and none
 * beyond a hard limit of packets outbound.
 */
struct sa_lifetime {
	uint64_t soft_bytes, hard_bytes, soft_packets, hard_packets;
	uint32_t soft_add, hard_add; /* seconds since it was added */
	uint32_t soft_use, hard_use; /* seconds since its first use */
	uint64_t soft_seq;           /* outbound: a number; 0: seven eighths of the space */
};

/* Everything sa_add wants to know; the caller wipes `key` afterwards. */
struct sa_spec {
	enum sa_direction direction;
	uint32_t spi; /* host order, >= SA_SPI_MIN */
	uint32_t tunnel;
	enum aead_algorithm algorithm;
	uint8_t key[AEAD_KEY_MAX]; /* key, then salt */
	bool esn;
	bool udp; /* ESP in UDP (RFC 3948) on what we send; both are accepted inbound */
	uint16_t local_port, remote_port; /* with udp; host order */
	struct ip_addr local, remote;     /* outer addresses */

	uint32_t replay_window; /* inbound: 0, or SA_REPLAY_MIN … SA_REPLAY_MAX packets */

	uint64_t seq_first; /* outbound: first number to send, >= 1 */
	uint64_t seq_limit; /* outbound: last number allowed; 0: the end of the space */

	enum sa_df df; /* IPv4 outer */
	bool dscp_set; /* false: copy the inner DSCP */
	uint8_t dscp;  /* with dscp_set, 0 … 63 */
	uint8_t ttl;   /* outer; 0: 64 */

	struct sa_lifetime lifetime;

	uint8_t selectors;               /* inbound check (RFC 4301 5.2); 0: any to any */
	const struct selector *selector; /* [selectors]; sa_add copies them */
};

/* A snapshot; the numbers are written by the owner worker. */
struct sa_counters {
	uint64_t packets, bytes; /* bytes: of inner IP packets */
	uint64_t last_used_tsc;  /* 0: never */
	uint64_t seq;            /* outbound: last number sent; inbound: top of the window */
	/* Drops. */
	uint64_t replay, window, icv, malformed, selector, ecn, too_big, exhausted, expired;
};

struct sa_in;
struct sa_out;
struct sa_timer;
struct sadb;

/* The cold half. Pointers stay valid until sa_delete. */
struct sa {
	enum sa_direction direction;
	uint32_t spi;
	uint32_t tunnel;
	uint32_t slot;       /* in the arena of its direction */
	bool live;           /* the control thread does not know yet that it has expired */
	uint32_t serial;     /* never given to another SA of this process; not 0 */
	uint16_t owner;      /* worker */
	struct sa_spec spec; /* with the key wiped and selectors of its own */
	uint64_t added_tsc;
	uint8_t key_digest[16]; /* of key and salt; never leaves the process */
	union {
		struct sa_in *in;
		struct sa_out *out;
	};
	struct sa *tunnel_next; /* SAs of one tunnel and direction, newest first */
	struct sadb *db;
	struct sa_counters folded; /* what the tunnel's totals hold of it already */
	struct sa_timer *timer;    /* the gateway's, for lifetimes in seconds; NULL: none */
	uint32_t session, mark;    /* the control socket's: who installed it (control/session.h) */
};

struct sadb_config {
	uint32_t sas_max; /* each direction */
	uint32_t tunnels_max;
	uint16_t workers;
};

struct sadb *sadb_create(const struct sadb_config *config, struct fault *fault);
void sadb_destroy(struct sadb *db);

/*
 * All of this: control thread. sa_add validates everything, and refuses a key
 * and salt that this process has used before for sending (nonce safety, RFC
 * 4106 3.1) unless seq_first lies beyond what was sent with it. The newest
 * outbound SA of a tunnel is the one that sends. 0, or -errno and *fault:
 * EEXIST, ENOSPC, EINVAL, ENOENT (tunnel).
 */
int sa_add(struct sadb *db, const struct sa_spec *spec, struct sa **out, struct fault *fault);
/* What sa_add() would refuse, memory apart, without adding anything. */
int sa_check(struct sadb *db, const struct sa_spec *spec, struct fault *fault);
/* The counters flow into the tunnel's totals. Sending falls back to the SA before, if any. */
void sa_delete(struct sadb *db, struct sa *sa);

/* New outer addresses, ports, encapsulation (MOBIKE, NAT); keys and numbers stay. */
struct sa_update {
	bool set_local, set_remote, set_udp, set_ports;
	struct ip_addr local, remote;
	bool udp;
	uint16_t local_port, remote_port;
};
int sa_update(struct sadb *db, struct sa *sa, const struct sa_update *update, struct fault *fault);

/* Inbound SPIs are unique here; an outbound one only together with the peer's address. */
struct sa *sa_find_in(const struct sadb *db, uint32_t spi);
struct sa *sa_find_out(const struct sadb *db, uint32_t spi, const struct ip_addr *remote);
void sa_each(const struct sadb *db, enum sa_direction direction,
	     bool (*visit)(void *arg, struct sa *sa), void *arg);
uint32_t sa_count(const struct sadb *db, enum sa_direction direction);
void sa_counters(const struct sa *sa, struct sa_counters *out);

/* The SA in that slot now, or NULL; of a notice compare the serial. */
struct sa *sa_at(const struct sadb *db, enum sa_direction direction, uint32_t slot);
/* Every SA's slot is below this number. */
uint32_t sa_slots(const struct sadb *db, enum sa_direction direction);

/*
 * A hard lifetime in seconds has ended: no packet passes any more, dropped as
 * sa_expired, until the SA is deleted. Nothing makes it live again.
 */
void sa_expire(struct sadb *db, struct sa *sa);
/* By sa_expire() or by a worker, at a hard limit of bytes or packets. */
bool sa_expired(const struct sa *sa);

/*
 * A free inbound SPI, reserved until sa_add uses it or spi_release() is called
 * (RFC 4303 2.1). 0 when none is left.
 */
uint32_t spi_alloc(struct sadb *db);
int spi_release(struct sadb *db, uint32_t spi);

/* Raise seq_limit of a lab SA after a further block of numbers is on disk. */
void sa_extend(struct sa *sa, uint64_t seq_limit);

#endif
