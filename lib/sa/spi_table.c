/* SPDX-License-Identifier: BSD-3-Clause */
#include "sa/spi_table.h"

#include <stdlib.h>
#include <string.h>
#include <rte_common.h>

/* An insertion that would have to walk further asks for a larger table. */
#define REACH_MAX 8

struct spi_table *spi_table_create(uint32_t entries)
{
	uint32_t buckets = rte_align32pow2(RTE_MAX(entries, 64u) * 2 / SPI_BUCKET);
	size_t size = sizeof(struct spi_table) + buckets * sizeof(struct spi_bucket);
	struct spi_table *t = aligned_alloc(64, RTE_ALIGN_CEIL(size, 64));

	if (t == NULL)
		return NULL;
	memset(t, 0, size);
	t->mask = buckets - 1;
	t->shift = 32 - (uint32_t)rte_log2_u32(buckets);
	return t;
}

void spi_table_destroy(struct spi_table *t)
{
	free(t);
}

static uint64_t make_entry(uint32_t spi, uint32_t slot)
{
	return ((uint64_t)(slot + 1) << 32) | spi;
}

bool spi_table_insert(struct spi_table *t, uint32_t spi, uint32_t slot)
{
	uint32_t b = spi_table_bucket(t, spi);

	if (t->entries * 2 >= (t->mask + 1) * SPI_BUCKET)
		return false;
	for (uint32_t step = 0; step <= RTE_MIN((uint32_t)REACH_MAX, t->mask); step++) {
		struct spi_bucket *bucket = &t->bucket[(b + step) & t->mask];
		for (unsigned int i = 0; i < SPI_BUCKET; i++) {
			if (atomic_load_explicit(&bucket->entry[i], memory_order_relaxed) != 0)
				continue;
			if (step > atomic_load_explicit(&t->reach, memory_order_relaxed))
				atomic_store_explicit(&t->reach, step, memory_order_release);
			atomic_store_explicit(&bucket->entry[i], make_entry(spi, slot),
					      memory_order_release);
			t->entries++;
			return true;
		}
	}
	return false;
}

void spi_table_remove(struct spi_table *t, uint32_t spi, uint32_t slot)
{
	uint32_t b = spi_table_bucket(t, spi);
	uint32_t reach = atomic_load_explicit(&t->reach, memory_order_relaxed);
	uint64_t wanted = make_entry(spi, slot);

	for (uint32_t step = 0; step <= reach; step++) {
		struct spi_bucket *bucket = &t->bucket[(b + step) & t->mask];
		for (unsigned int i = 0; i < SPI_BUCKET; i++) {
			if (atomic_load_explicit(&bucket->entry[i], memory_order_relaxed) ==
			    wanted) {
				atomic_store_explicit(&bucket->entry[i], 0, memory_order_release);
				t->entries--;
				return;
			}
		}
	}
}

struct spi_table *spi_table_grow(const struct spi_table *t)
{
	for (uint32_t entries = (t->mask + 1) * SPI_BUCKET;; entries *= 2) {
		struct spi_table *larger = spi_table_create(entries);
		bool fits = true;

		if (larger == NULL)
			return NULL;
		for (uint32_t b = 0; b <= t->mask && fits; b++) {
			for (unsigned int i = 0; i < SPI_BUCKET && fits; i++) {
				uint64_t e = atomic_load_explicit(&t->bucket[b].entry[i],
								  memory_order_relaxed);
				if (e != 0)
					fits = spi_table_insert(larger, (uint32_t)e,
								(uint32_t)(e >> 32) - 1);
			}
		}
		if (fits)
			return larger;
		spi_table_destroy(larger);
	}
}

unsigned int spi_table_find_all(const struct spi_table *t, uint32_t spi, uint32_t *slots,
				unsigned int max)
{
	uint32_t b = spi_table_bucket(t, spi);
	uint32_t reach = atomic_load_explicit(&t->reach, memory_order_relaxed);
	unsigned int found = 0;

	for (uint32_t step = 0; step <= reach; step++) {
		const struct spi_bucket *bucket = &t->bucket[(b + step) & t->mask];
		for (unsigned int i = 0; i < SPI_BUCKET && found < max; i++) {
			uint64_t e = atomic_load_explicit(&bucket->entry[i], memory_order_relaxed);
			if ((uint32_t)e == spi && e >> 32 != 0)
				slots[found++] = (uint32_t)(e >> 32) - 1;
		}
	}
	return found;
}
