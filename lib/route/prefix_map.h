/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ROUTE_PREFIX_MAP_H
#define ESPALIER_ROUTE_PREFIX_MAP_H

#include <stdint.h>

#include "packet/address.h"

/* Exact map from prefix to a non-zero number, of bounded size. Control thread. */
struct prefix_map;

struct prefix_map *prefix_map_create(uint32_t max);
void prefix_map_free(struct prefix_map *map);

/* The number, or 0 where the prefix is not in the map. */
uint32_t prefix_map_get(const struct prefix_map *map, const struct ip_prefix *prefix);
/* True where one more prefix fits. */
bool prefix_map_has_room(const struct prefix_map *map);
/* Insert (room has been checked) or replace; returns the number before, or 0. */
uint32_t prefix_map_set(struct prefix_map *map, const struct ip_prefix *prefix, uint32_t number);
/* Returns the number that was there, or 0. */
uint32_t prefix_map_remove(struct prefix_map *map, const struct ip_prefix *prefix);

#endif
