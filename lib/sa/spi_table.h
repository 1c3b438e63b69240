/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SA_SPI_TABLE_H
#define ESPALIER_SA_SPI_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

/*
 * SPI to slot: a hash table with buckets of one cache line, read without locks
 * by workers while the control thread changes it (each entry is one 64-bit
 * store). A full bucket overflows into the next; `reach` bounds how far. When it
 * gets crowded the control thread builds a larger one and swaps it under RCU.
 */
#define SPI_BUCKET 8
#define SPI_NO_SLOT UINT32_MAX

struct spi_bucket {
	_Atomic uint64_t entry[SPI_BUCKET]; /* SPI in the low half, slot + 1 above; 0: free */
} __attribute__((aligned(64)));

struct spi_table {
	uint32_t shift; /* 32 - log2(buckets) */
	uint32_t mask;  /* buckets - 1 */
	uint32_t entries;
	_Atomic uint32_t reach; /* further buckets an entry may stand in */
	struct spi_bucket bucket[];
};

/* At most half full with `entries`. NULL without memory. Control thread. */
struct spi_table *spi_table_create(uint32_t entries);
void spi_table_destroy(struct spi_table *t);

/* False when the table should be replaced by a larger one first. Control thread. */
bool spi_table_insert(struct spi_table *t, uint32_t spi, uint32_t slot);
void spi_table_remove(struct spi_table *t, uint32_t spi, uint32_t slot);
/* A larger copy (entries doubled); NULL without memory. Control thread. */
struct spi_table *spi_table_grow(const struct spi_table *t);
/* All slots of an SPI, for tables where it may stand more than once. Returns how many of max. */
unsigned int spi_table_find_all(const struct spi_table *t, uint32_t spi, uint32_t *slots,
				unsigned int max);

static inline uint32_t spi_table_bucket(const struct spi_table *t, uint32_t spi)
{
	return (uint32_t)(((uint64_t)(spi * 0x9E3779B1u)) >> t->shift) & t->mask;
}

static inline void spi_table_prefetch(const struct spi_table *t, uint32_t spi)
{
	rte_prefetch0(&t->bucket[spi_table_bucket(t, spi)]);
}

/* Any thread. */
static inline uint32_t spi_table_find(const struct spi_table *t, uint32_t spi)
{
	uint32_t b = spi_table_bucket(t, spi);
	uint32_t reach = atomic_load_explicit(&t->reach, memory_order_relaxed);

	for (uint32_t step = 0; step <= reach; step++) {
		const struct spi_bucket *bucket = &t->bucket[(b + step) & t->mask];
		for (unsigned int i = 0; i < SPI_BUCKET; i++) {
			uint64_t e = atomic_load_explicit(&bucket->entry[i], memory_order_acquire);
			if ((uint32_t)e == spi && e >> 32 != 0)
				return (uint32_t)(e >> 32) - 1;
		}
	}
	return SPI_NO_SLOT;
}

#endif
