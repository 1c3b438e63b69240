/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SA_SADB_H
#define ESPALIER_SA_SADB_H

#include "sa/arena.h"
#include "sa/sa.h"
#include "sa/sa_hot.h"
#include "sa/sent.h"
#include "sa/tunnel.h"

/* Private to lib/sa: the database behind sa.h and tunnel.h. Control thread. */
struct sadb {
	struct sad hot;
	struct sadb_config config;
	uint32_t serials; /* given out */
	struct aead *aead;
	struct arena arena_in, arena_out;
	struct sa **in, **out;       /* [slot] */
	struct spi_table *out_table; /* sadb_out_key() to slots */
	uint32_t out_seed;
	struct spi_table *reserved; /* handed out by spi_alloc */
	uint32_t count_in, count_out, count_reserved;
	struct sent *sent;
	struct tunnel **tunnels; /* [index] */
	void *tunnel_names;      /* tsearch tree by name */
	uint32_t tunnels_count, tunnel_next;
};

/*
 * Peers choose outbound SPIs and may all choose one, so the peer is part of what
 * the table is asked for; a secret seed keeps them from crowding one bucket.
 */
uint32_t sadb_out_key(const struct sadb *db, uint32_t spi, const struct ip_addr *remote);
struct sa **sadb_slots(const struct sadb *db, enum sa_direction direction);
/* check.c: what sa_add refuses. `digest` is that of the key and salt. */
int sa_check_spec(struct sadb *db, const struct sa_spec *spec, const uint8_t *digest,
		  struct fault *fault);
int sa_check_addresses(const struct sa_spec *spec, struct fault *fault);
/* The last number of the SA's space. */
uint64_t sa_sequence_end(const struct sa_spec *spec);
/* Add what this SA has counted since the last call to its tunnel's totals. */
void sa_fold(struct tunnel *t, struct sa *sa);
/* Let workers see tunnel_sender(). */
void tunnel_publish(struct sadb *db, struct tunnel *t);
/* SAs came, went or expired: the state, and since when. */
void tunnel_state_follow(struct tunnel *t);

#endif
