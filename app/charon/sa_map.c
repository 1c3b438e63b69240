/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sa_map.h"

#include <collections/hashtable.h>
#include <threading/mutex.h>

struct entry {
	struct sa sa;
	uint64_t age; /* grows with each put */
};

static struct {
	mutex_t *lock;
	hashtable_t *all; /* entries, by themselves */
	uint64_t puts;
} m;

static host_t *destination(const struct sa *sa)
{
	return sa->inbound ? sa->local : sa->remote;
}

static u_int hash(const void *key)
{
	const struct entry *e = key;
	host_t *dst = destination(&e->sa);
	chunk_t address = dst->get_address(dst);

	return chunk_hash_inc(chunk_from_thing(e->sa.spi), chunk_hash(address)) ^ e->sa.protocol;
}

static bool equals(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	host_t *dst = destination(&x->sa);

	return x->sa.spi == y->sa.spi && x->sa.protocol == y->sa.protocol &&
	       dst->ip_equals(dst, destination(&y->sa));
}

void sa_map_open(void)
{
	m.lock = mutex_create(MUTEX_TYPE_DEFAULT);
	m.all = hashtable_create(hash, equals, 64);
	m.puts = 0;
}

void sa_clear(struct sa *sa)
{
	DESTROY_IF(sa->local);
	DESTROY_IF(sa->remote);
	sa->local = sa->remote = NULL;
}

static void entry_destroy(struct entry *e, const void *key)
{
	sa_clear(&e->sa);
	free(e);
}

void sa_map_close(void)
{
	m.all->destroy_function(m.all, (void *)entry_destroy);
	m.lock->destroy(m.lock);
}

static void copy(struct sa *out, const struct sa *sa)
{
	*out = *sa;
	out->local = sa->local->clone(sa->local);
	out->remote = sa->remote->clone(sa->remote);
}

bool sa_map_put(const struct sa *sa, struct sa *replaced)
{
	struct entry *e, *old;

	INIT(e, .sa = *sa, );
	m.lock->lock(m.lock);
	e->age = ++m.puts;
	old = m.all->remove(m.all, e);
	m.all->put(m.all, e, e);
	m.lock->unlock(m.lock);
	if (old == NULL)
		return false;
	*replaced = old->sa;
	free(old);
	return true;
}

/* A key that borrows `dst`. */
static struct entry key_of(host_t *dst, uint32_t spi, uint8_t protocol)
{
	return (struct entry){
	    .sa = {.spi = spi, .protocol = protocol, .inbound = true, .local = dst}};
}

bool sa_map_get(host_t *dst, uint32_t spi, uint8_t protocol, struct sa *out)
{
	struct entry key = key_of(dst, spi, protocol), *e;

	m.lock->lock(m.lock);
	e = m.all->get(m.all, &key);
	if (e != NULL)
		copy(out, &e->sa);
	m.lock->unlock(m.lock);
	return e != NULL;
}

bool sa_map_remove(host_t *dst, uint32_t spi, uint8_t protocol, struct sa *out)
{
	struct entry key = key_of(dst, spi, protocol), *e;

	m.lock->lock(m.lock);
	e = m.all->remove(m.all, &key);
	m.lock->unlock(m.lock);
	if (e == NULL)
		return false;
	*out = e->sa;
	free(e);
	return true;
}

bool sa_map_newest(const struct tunnel *tunnel, bool inbound, struct sa *out)
{
	enumerator_t *each;
	struct entry *e, *best = NULL;

	m.lock->lock(m.lock);
	each = m.all->create_enumerator(m.all);
	while (each->enumerate(each, NULL, &e))
		if (e->sa.tunnel == tunnel && e->sa.inbound == inbound && e->sa.installed &&
		    (best == NULL || e->age > best->age))
			best = e;
	each->destroy(each);
	if (best != NULL)
		copy(out, &best->sa);
	m.lock->unlock(m.lock);
	return best != NULL;
}

size_t sa_map_count(void)
{
	m.lock->lock(m.lock);
	size_t n = m.all->get_count(m.all);
	m.lock->unlock(m.lock);
	return n;
}

struct sa *sa_map_all(size_t *n)
{
	enumerator_t *each;
	struct entry *e;

	m.lock->lock(m.lock);
	struct sa *all = calloc(m.all->get_count(m.all) + 1, sizeof(*all));
	*n = 0;
	each = m.all->create_enumerator(m.all);
	while (all != NULL && each->enumerate(each, NULL, &e))
		if (e->sa.installed)
			copy(&all[(*n)++], &e->sa);
	each->destroy(each);
	m.lock->unlock(m.lock);
	return all;
}
