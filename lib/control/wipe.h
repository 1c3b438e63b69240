/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_WIPE_H
#define ESPALIER_CONTROL_WIPE_H

#include <stddef.h>

/*
 * Memory that keys may pass through: requests as they arrive and as jansson
 * holds them. wipe_free() takes what any malloc() gave and clears all of it first.
 */
void *wipe_malloc(size_t size);
void wipe_free(void *p);

/* Let jansson use these two. Memory it allocated before may still be freed. */
void wipe_json(void);

#endif
