/* SPDX-License-Identifier: BSD-3-Clause */
#include "sa/sadb.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <rte_jhash.h>

#include "rcu/rcu.h"

const struct sad *sadb_hot(const struct sadb *db)
{
	return &db->hot;
}

static int allocate(struct sadb *db)
{
	const struct sadb_config *c = &db->config;

	db->aead = aead_create();
	db->sent = sent_create();
	db->in = calloc(c->sas_max, sizeof(*db->in));
	db->out = calloc(c->sas_max, sizeof(*db->out));
	db->tunnels = calloc(c->tunnels_max, sizeof(*db->tunnels));
	db->hot.tunnel = calloc(c->tunnels_max, sizeof(*db->hot.tunnel));
	db->out_table = spi_table_create(1024);
	db->reserved = spi_table_create(1024);
	struct spi_table *table = spi_table_create(1024);
	atomic_store(&db->hot.table, table);
	if (db->aead == NULL || db->sent == NULL || db->in == NULL || db->out == NULL ||
	    db->tunnels == NULL || db->hot.tunnel == NULL || db->out_table == NULL ||
	    db->reserved == NULL || table == NULL)
		return -ENOMEM;
	if (getrandom(&db->out_seed, sizeof(db->out_seed), 0) != (ssize_t)sizeof(db->out_seed))
		return -EIO;
	int rc = arena_create(&db->arena_in, sizeof(struct sa_in), c->sas_max);
	if (rc == 0)
		rc = arena_create(&db->arena_out, sizeof(struct sa_out), c->sas_max);
	db->hot.in = db->arena_in.base;
	db->hot.tunnels_max = c->tunnels_max;
	return rc;
}

struct sadb *sadb_create(const struct sadb_config *config, struct fault *fault)
{
	struct sadb *db = calloc(1, sizeof(*db));

	if (config->tunnels_max >= 1u << TUNNEL_INDEX_BITS) {
		free(db);
		fault_set(fault, EINVAL, "limits.tunnels", "%u is above %u", config->tunnels_max,
			  (1u << TUNNEL_INDEX_BITS) - 1);
		return NULL;
	}
	if (db != NULL)
		db->config = *config;
	if (db == NULL || allocate(db) != 0) {
		sadb_destroy(db);
		fault_set(fault, ENOMEM, "limits.sas",
			  "no memory for %u SAs each way and %u tunnels", config->sas_max,
			  config->tunnels_max);
		return NULL;
	}
	return db;
}

void sadb_destroy(struct sadb *db)
{
	if (db == NULL)
		return;
	for (uint32_t i = 0; db->tunnels != NULL && i < db->config.tunnels_max; i++) {
		if (db->tunnels[i] != NULL)
			tunnel_delete(db, db->tunnels[i]);
	}
	rcu_barrier();
	arena_destroy(&db->arena_in);
	arena_destroy(&db->arena_out);
	spi_table_destroy(atomic_load(&db->hot.table));
	spi_table_destroy(db->out_table);
	spi_table_destroy(db->reserved);
	aead_destroy(db->aead);
	sent_destroy(db->sent);
	free(db->in);
	free(db->out);
	free(db->tunnels);
	free(db->hot.tunnel);
	free(db);
}

uint32_t sadb_out_key(const struct sadb *db, uint32_t spi, const struct ip_addr *remote)
{
	return rte_jhash(remote->bytes, sizeof(remote->bytes), db->out_seed ^ spi);
}

struct sa *sa_find_in(const struct sadb *db, uint32_t spi)
{
	uint32_t slot = spi_table_find(atomic_load(&db->hot.table), spi);

	return slot == SPI_NO_SLOT ? NULL : db->in[slot];
}

struct sa *sa_find_out(const struct sadb *db, uint32_t spi, const struct ip_addr *remote)
{
	uint32_t slots[64];
	unsigned int n =
	    spi_table_find_all(db->out_table, sadb_out_key(db, spi, remote), slots, RTE_DIM(slots));

	for (unsigned int i = 0; i < n; i++) {
		struct sa *sa = db->out[slots[i]];
		if (sa->spi == spi && ip_addr_equal(&sa->spec.remote, remote))
			return sa;
	}
	return NULL;
}

uint32_t sa_slots(const struct sadb *db, enum sa_direction direction)
{
	return direction == SA_INBOUND ? db->arena_in.fresh : db->arena_out.fresh;
}

struct sa *sa_at(const struct sadb *db, enum sa_direction direction, uint32_t slot)
{
	return slot < sa_slots(db, direction) ? sadb_slots(db, direction)[slot] : NULL;
}

void sa_each(const struct sadb *db, enum sa_direction direction,
	     bool (*visit)(void *arg, struct sa *sa), void *arg)
{
	struct sa **slots = sadb_slots(db, direction);
	uint32_t used = sa_slots(db, direction);

	for (uint32_t i = 0; i < used; i++) {
		if (slots[i] != NULL && !visit(arg, slots[i]))
			return;
	}
}

uint32_t sa_count(const struct sadb *db, enum sa_direction direction)
{
	return direction == SA_INBOUND ? db->count_in : db->count_out;
}

void sa_counters(const struct sa *sa, struct sa_counters *out)
{
	*out = (struct sa_counters){0};
	if (sa->direction == SA_INBOUND) {
		const struct sa_in *in = sa->in;
		*out = (struct sa_counters){.packets = in->packets,
					    .bytes = in->bytes,
					    .last_used_tsc = in->last_used,
					    .seq = in->top,
					    .replay = in->replay,
					    .window = in->below_window,
					    .icv = in->icv,
					    .malformed = in->malformed,
					    .selector = in->mismatch,
					    .ecn = in->ecn,
					    .expired = in->expired};
	} else {
		const struct sa_out *o = sa->out;
		bool expired = sa_expired(sa) && o->seq < (sa->spec.esn ? UINT64_MAX : UINT32_MAX);
		*out = (struct sa_counters){.packets = o->seq - o->seq_first + 1,
					    .bytes = o->bytes,
					    .last_used_tsc = o->last_used,
					    .seq = o->seq,
					    .too_big = o->too_big,
					    .exhausted = expired ? 0 : o->refused,
					    .expired = expired ? o->refused : 0};
	}
}

uint32_t spi_alloc(struct sadb *db)
{
	uint32_t spi;

	if (db->count_reserved >= db->config.sas_max)
		return 0;
	do {
		if (getrandom(&spi, sizeof(spi), 0) != (ssize_t)sizeof(spi))
			return 0;
	} while (spi < SA_SPI_MIN || sa_find_in(db, spi) != NULL ||
		 spi_table_find(db->reserved, spi) != SPI_NO_SLOT);
	while (!spi_table_insert(db->reserved, spi, 0)) {
		struct spi_table *larger = spi_table_grow(db->reserved);
		if (larger == NULL)
			return 0;
		spi_table_destroy(db->reserved);
		db->reserved = larger;
	}
	db->count_reserved++;
	return spi;
}

int spi_release(struct sadb *db, uint32_t spi)
{
	if (spi_table_find(db->reserved, spi) == SPI_NO_SLOT)
		return -ENOENT;
	spi_table_remove(db->reserved, spi, 0);
	db->count_reserved--;
	return 0;
}
