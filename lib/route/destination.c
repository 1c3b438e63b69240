/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "report/log.h"
#include "route/mirror_state.h"

static uint32_t bucket_of(const struct mirror *m, const struct ip_prefix *prefix)
{
	return mirror_hash(m, &prefix->addr, prefix->len) % DESTINATION_BUCKETS;
}

struct destination *destination_find(const struct mirror *m, const struct ip_prefix *prefix)
{
	struct destination *d;

	LIST_FOREACH (d, &m->destinations[bucket_of(m, prefix)], in_bucket)
		if (ip_prefix_equal(&d->prefix, prefix))
			return d;
	return NULL;
}

struct destination *destination_get(struct mirror *m, const struct ip_prefix *prefix)
{
	struct destination *d = destination_find(m, prefix);

	if (d != NULL)
		return d;
	d = aligned_alloc(_Alignof(struct destination), sizeof(*d));
	if (d == NULL)
		return NULL;
	memset(d, 0, sizeof(*d));
	d->prefix = *prefix;
	TAILQ_INIT(&d->routes);
	LIST_INSERT_HEAD(&m->destinations[bucket_of(m, prefix)], d, in_bucket);
	m->lengths[family_index(prefix->addr.family)][prefix->len]++;
	return d;
}

void destination_touch(struct mirror *m, struct destination *d)
{
	if (d->undecided)
		return;
	d->undecided = true;
	TAILQ_INSERT_TAIL(&m->undecided, d, in_undecided);
}

void destination_touch_host(struct mirror *m, const struct ip_addr *addr)
{
	struct ip_prefix host = {*addr, ip_bits(addr->family)};
	struct destination *d = destination_get(m, &host);
	char text[IP_TEXT_MAX];

	if (d == NULL)
		log_error("no memory for the neighbour %s", ip_addr_text(addr, text));
	else
		destination_touch(m, d);
}

void destination_release(struct mirror *m, struct destination *d)
{
	if (!TAILQ_EMPTY(&d->routes) || d->installed || d->missing || d->undecided || d->untold)
		return;
	m->lengths[family_index(d->prefix.addr.family)][d->prefix.len]--;
	LIST_REMOVE(d, in_bucket);
	free(d);
}

struct destination *destination_cover(const struct mirror *m, const struct ip_addr *addr)
{
	const uint32_t *lengths = m->lengths[family_index(addr->family)];
	struct ip_prefix p = {.addr = *addr};

	for (int len = ip_bits(addr->family) - 1; len >= 0; len--) {
		p.addr.bytes[len / 8] &= (uint8_t) ~(0x80 >> len % 8);
		if (lengths[len] == 0)
			continue;
		p.len = (uint8_t)len;
		struct destination *d = destination_find(m, &p);

		if (d != NULL && d->hop.type != NEXTHOP_NONE)
			return d;
	}
	return NULL;
}

void destinations_free(struct mirror *m)
{
	fib_batch_begin(m->fib);
	for (size_t i = 0; i < DESTINATION_BUCKETS; i++) {
		struct destination *d;

		while ((d = LIST_FIRST(&m->destinations[i])) != NULL) {
			d->undecided = true; /* keeps it out of the queue, which dies too */
			while (!TAILQ_EMPTY(&d->routes))
				route_delete(m, TAILQ_FIRST(&d->routes));
			if (d->installed)
				fib_remove(m->fib, &d->prefix);
			LIST_REMOVE(d, in_bucket);
			free(d);
		}
	}
	fib_batch_commit(m->fib);
}
