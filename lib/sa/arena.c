/* SPDX-License-Identifier: BSD-3-Clause */
#include "sa/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int arena_create(struct arena *a, size_t slot_size, uint32_t slots)
{
	size_t size = slot_size * slots;

	*a = (struct arena){.slot_size = slot_size, .slots = slots};
	a->base = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (a->base == MAP_FAILED) {
		a->base = NULL;
		return -ENOMEM;
	}
	/* Both are advice: a kernel without huge pages still works. */
	madvise(a->base, size, MADV_HUGEPAGE);
	if (madvise(a->base, size, MADV_DONTDUMP) != 0) {
		arena_destroy(a);
		return -errno;
	}
	a->free = calloc(slots, sizeof(*a->free));
	if (a->free == NULL) {
		arena_destroy(a);
		return -ENOMEM;
	}
	return 0;
}

void arena_destroy(struct arena *a)
{
	if (a->base != NULL) {
		explicit_bzero(a->base, a->slot_size * a->fresh);
		munmap(a->base, a->slot_size * a->slots);
	}
	free(a->free);
	*a = (struct arena){0};
}

uint32_t arena_take(struct arena *a)
{
	if (a->free_count > 0)
		return a->free[--a->free_count];
	return a->fresh < a->slots ? a->fresh++ : UINT32_MAX;
}

void arena_give(struct arena *a, uint32_t slot)
{
	explicit_bzero(arena_at(a, slot), a->slot_size);
	a->free[a->free_count++] = slot;
}
