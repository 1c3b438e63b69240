/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SA_ARENA_H
#define ESPALIER_SA_ARENA_H

#include <stddef.h>
#include <stdint.h>

/*
 * Slots of one size at fixed addresses, for SAs and their keys: reserved at
 * once, backed as used, on huge pages where the kernel gives them, never in a
 * core dump. Control thread.
 */
struct arena {
	uint8_t *base;
	size_t slot_size;
	uint32_t slots, fresh; /* fresh: first slot never used */
	uint32_t *free;        /* stack of returned slots */
	uint32_t free_count;
};

int arena_create(struct arena *a, size_t slot_size, uint32_t slots);
void arena_destroy(struct arena *a); /* wipes */

/* A zeroed slot, or UINT32_MAX. */
uint32_t arena_take(struct arena *a);
/* Wipes the slot. */
void arena_give(struct arena *a, uint32_t slot);

static inline void *arena_at(const struct arena *a, uint32_t slot)
{
	return a->base + (size_t)slot * a->slot_size;
}

#endif
