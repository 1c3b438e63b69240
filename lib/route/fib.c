/* SPDX-License-Identifier: BSD-3-Clause */
#include "route/fib.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_lcore.h>

#include "rcu/rcu.h"
#include "route/hop_table.h"
#include "route/lpm6_pair.h"
#include "route/prefix_map.h"

#define ROUTES_MAX (1u << 20) /* next-hop ids of both families fit rte_lpm6's 21 bits */
#define HOPS_SPARE 1024u      /* given back but not yet free: a grace period is pending */

struct fib_writer {
	struct hop_table *hops;
	struct prefix_map *map4, *map6;
	struct lpm6_pair *v6;
	bool batch;
};

/*
 * tbl8 groups (1 KB each). IPv4: one per /24 that holds longer prefixes; host
 * routes gather in few subnets once there are many. IPv6: one per byte of a
 * prefix beyond the third, shared by neighbours in the tree: 13 for a lone host
 * route, 1 and less for one of many in a subnet, about 0.6 in the Internet's table.
 */
static uint32_t tbl8s_4(uint32_t routes)
{
	return RTE_MIN(routes, 8192u) + routes / 16;
}

static uint32_t tbl8s_6(uint32_t routes)
{
	return 12 * RTE_MIN(routes, 1024u) + routes;
}

static struct rte_lpm *lpm4_create(const struct fib *f, uint32_t routes)
{
	const struct rte_lpm_config config = {
	    .max_rules = routes,
	    .number_tbl8s = tbl8s_4(routes),
	};
	struct rte_lpm_rcu_config rcu = {.v = rcu_domain(), .mode = RTE_LPM_QSBR_MODE_DQ};
	char name[RTE_LPM_NAMESIZE];

	snprintf(name, sizeof(name), "f4_%lx", (unsigned long)f);
	struct rte_lpm *lpm = rte_lpm_create(name, rte_socket_id(), &config);

	if (lpm != NULL && rte_lpm_rcu_qsbr_add(lpm, &rcu) != 0) {
		rte_lpm_free(lpm);
		return NULL;
	}
	return lpm;
}

struct fib *fib_create(const struct fib_limits *limits, struct fault *fault)
{
	uint32_t n4 = limits->routes4, n6 = limits->routes6;

	if (n4 < 1 || n6 < 1 || n4 >= ROUTES_MAX || n6 >= ROUTES_MAX - HOPS_SPARE) {
		fault_set(fault, EINVAL, "limits.routes",
			  "%u IPv4 and %u IPv6 routes: each must be from 1 to %u", n4, n6,
			  ROUTES_MAX - HOPS_SPARE - 1);
		return NULL;
	}
	struct fib *f = calloc(1, sizeof(*f));
	struct fib_writer *w = calloc(1, sizeof(*w));

	if (f == NULL || w == NULL) {
		free(f);
		free(w);
		fault_set(fault, ENOMEM, "limits.routes", "no memory for the forwarding table");
		return NULL;
	}
	f->writer = w;
	w->hops = hop_table_create(n4 + n6 + HOPS_SPARE);
	w->map4 = prefix_map_create(n4);
	w->map6 = prefix_map_create(n6);
	w->v6 = lpm6_pair_create(&f->v6, n6, tbl8s_6(n6));
	f->v4 = lpm4_create(f, n4);
	if (w->hops == NULL || w->map4 == NULL || w->map6 == NULL || w->v6 == NULL ||
	    f->v4 == NULL) {
		fib_destroy(f);
		fault_set(fault, ENOMEM, "limits.routes",
			  "%u IPv4 and %u IPv6 routes need about %u MB of EAL memory, and there is "
			  "less: lower the limit or raise eal's -m",
			  n4, n6,
			  3 * 64 + (tbl8s_4(n4) + 2 * tbl8s_6(n6)) / 1024 + (n4 + n6) / 8192 + 8);
		return NULL;
	}
	f->hops = hop_table_slots(w->hops);
	return f;
}

void fib_destroy(struct fib *f)
{
	if (f == NULL)
		return;
	rcu_barrier();
	rte_lpm_free(f->v4);
	lpm6_pair_free(f->writer->v6);
	prefix_map_free(f->writer->map4);
	prefix_map_free(f->writer->map6);
	hop_table_free(f->writer->hops);
	free(f->writer);
	free(f);
}

static void hop_released(void *hops, uint32_t id)
{
	hop_put(hops, id);
}

static void publish6(struct fib *f)
{
	if (!lpm6_pair_publish(f->writer->v6))
		return;
	atomic_fetch_add(&f->generation, 1);
	lpm6_pair_released(f->writer->v6, hop_released, f->writer->hops);
}

/* A hit never sees the default route: neither library has a depth 0. */
static int change_default(struct fib *f, uint8_t family, uint32_t id, uint32_t before)
{
	atomic_store_explicit(family == 4 ? &f->miss4 : &f->miss6, id, memory_order_release);
	atomic_fetch_add(&f->generation, 1);
	hop_put(f->writer->hops, before);
	return 0;
}

static int change4(struct fib *f, const struct ip_prefix *prefix, uint32_t id, uint32_t before)
{
	uint32_t ip = ip_addr_v4(&prefix->addr);
	int err;

	if (id == 0) {
		err = rte_lpm_delete(f->v4, ip, prefix->len);
	} else {
		err = rte_lpm_add(f->v4, ip, prefix->len, id);
		if (err == -ENOSPC) {
			/* tbl8 groups given back a moment ago may be free by now. */
			rcu_barrier();
			err = rte_lpm_add(f->v4, ip, prefix->len, id);
		}
	}
	if (err != 0)
		return err;
	atomic_fetch_add(&f->generation, 1);
	hop_put(f->writer->hops, before);
	return 0;
}

/* From id `before` (0: none) to `id` (0: none). The reference to `before` goes on success. */
static int change(struct fib *f, const struct ip_prefix *prefix, uint32_t id, uint32_t before)
{
	if (prefix->len == 0)
		return change_default(f, prefix->addr.family, id, before);
	if (prefix->addr.family == 4)
		return change4(f, prefix, id, before);
	int err = lpm6_pair_change(f->writer->v6, prefix, id, before);

	if (err == 0 && !f->writer->batch)
		publish6(f);
	return err;
}

static struct prefix_map *map_of(const struct fib *f, const struct ip_prefix *prefix)
{
	return prefix->addr.family == 4 ? f->writer->map4 : f->writer->map6;
}

static bool valid(const struct ip_prefix *p)
{
	struct ip_addr masked = p->addr;

	if ((p->addr.family != 4 && p->addr.family != 6) || p->len > ip_bits(p->addr.family))
		return false;
	for (unsigned int bit = p->len; bit < ip_bits(p->addr.family); bit++)
		masked.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return ip_addr_equal(&masked, &p->addr);
}

int fib_set(struct fib *f, const struct ip_prefix *prefix, const struct nexthop *hop)
{
	if (!valid(prefix))
		return -EINVAL;
	struct prefix_map *map = map_of(f, prefix);
	uint32_t before = prefix_map_get(map, prefix);

	if (before == 0 && !prefix_map_has_room(map))
		return -ENOSPC;
	uint32_t id = hop_get(f->writer->hops, hop);

	if (id == 0) {
		/* A batch holds on to the hops that it replaces. */
		publish6(f);
		id = hop_get(f->writer->hops, hop);
	}
	if (id == 0)
		return -ENOSPC;
	int err = id == before ? 0 : change(f, prefix, id, before);

	if (err != 0 || id == before) {
		hop_put(f->writer->hops, id);
		return err;
	}
	prefix_map_set(map, prefix, id);
	return 0;
}

int fib_remove(struct fib *f, const struct ip_prefix *prefix)
{
	if (!valid(prefix))
		return -EINVAL;
	struct prefix_map *map = map_of(f, prefix);
	uint32_t before = prefix_map_get(map, prefix);

	if (before == 0)
		return -ENOENT;
	int err = change(f, prefix, 0, before);

	if (err == 0)
		prefix_map_remove(map, prefix);
	return err;
}

bool fib_get(const struct fib *f, const struct ip_prefix *prefix, struct nexthop *out)
{
	uint32_t id = valid(prefix) ? prefix_map_get(map_of(f, prefix), prefix) : 0;

	if (id != 0)
		*out = f->hops[id];
	return id != 0;
}

void fib_batch_begin(struct fib *f)
{
	f->writer->batch = true;
}

void fib_batch_commit(struct fib *f)
{
	f->writer->batch = false;
	publish6(f);
}
