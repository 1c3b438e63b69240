/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <rte_byteorder.h>
#include <rte_cycles.h>

#include "rcu/rcu.h"
#include "sa/lifetime.h"
#include "sa/outer.h"
#include "sa/replay.h"
#include "sa/sadb.h"
#include "sa/source.h"

struct sa **sadb_slots(const struct sadb *db, enum sa_direction direction)
{
	return direction == SA_INBOUND ? db->in : db->out;
}

/* The common inbound selector, one IPv4 prefix pair for any protocol, as masks. */
static bool quick_selector(const struct sa_spec *spec, struct sa_in *in)
{
	const struct selector *s = &spec->selector[0];
	struct ip_prefix local, remote;

	if (spec->selectors != 1 || s->local_first.family != 4 || s->proto != 0 ||
	    s->local_port_first != 0 || s->local_port_last != UINT16_MAX ||
	    s->remote_port_first != 0 || s->remote_port_last != UINT16_MAX ||
	    ip_range_prefixes(&s->local_first, &s->local_last, &local, 1) != 1 ||
	    ip_range_prefixes(&s->remote_first, &s->remote_last, &remote, 1) != 1)
		return false;
	memcpy(&in->quick.local_net, local.addr.bytes, 4);
	memcpy(&in->quick.remote_net, remote.addr.bytes, 4);
	in->quick.local_mask =
	    rte_cpu_to_be_32(local.len == 0 ? 0 : UINT32_MAX << (32 - local.len));
	in->quick.remote_mask =
	    rte_cpu_to_be_32(remote.len == 0 ? 0 : UINT32_MAX << (32 - remote.len));
	return true;
}

static bool selectors_are_any(const struct sa_spec *spec)
{
	bool any4 = false, any6 = false;

	for (unsigned int i = 0; i < spec->selectors; i++) {
		if (!selector_is_any(&spec->selector[i]))
			continue;
		if (spec->selector[i].local_first.family == 4)
			any4 = true;
		else
			any6 = true;
	}
	return spec->selectors == 0 || (any4 && any6);
}

static void set_source(struct sa_in *in, const struct sa_spec *spec)
{
	uint64_t tag = sa_source_tag(spec->remote.family, spec->remote.bytes,
				     spec->udp ? spec->remote_port : 0);

	atomic_store_explicit(&in->source, tag, memory_order_relaxed);
}

static int fill_inbound(struct sadb *db, struct sa *sa)
{
	struct sa_in *in = arena_at(&db->arena_in, sa->slot);
	const struct sa_spec *spec = &sa->spec;

	in->tunnel = spec->tunnel;
	in->owner = sa->owner;
	in->algorithm = (uint8_t)spec->algorithm;
	in->flags = spec->esn ? SA_IN_ESN : 0;
	if (sa_marks_init(&in->marks, spec, sa->serial, sa->slot))
		in->flags |= SA_IN_LIMITED;
	set_source(in, spec);
	in->selector = spec->selector;
	in->selectors = spec->selectors;
	if (!selectors_are_any(spec)) {
		in->flags |= SA_IN_SELECT;
		if (quick_selector(spec, in))
			in->flags |= SA_IN_QUICK4;
	}
	if (spec->replay_window != 0) {
		uint32_t words = replay_words(spec->replay_window);
		in->window_size = spec->replay_window;
		in->ring_mask = words - 1;
		in->window = calloc(words, sizeof(*in->window));
		if (in->window == NULL)
			return -ENOMEM;
	}
	sa->in = in;
	return 0;
}

/* A hard limit of packets is one of numbers, and so it is exact. */
static uint64_t number_limit(const struct sa_spec *spec)
{
	uint64_t limit = spec->seq_limit != 0 ? spec->seq_limit : sa_sequence_end(spec);
	uint64_t packets = spec->lifetime.hard_packets;

	if (packets != 0 && packets - 1 < limit - spec->seq_first)
		limit = spec->seq_first + packets - 1;
	return limit;
}

static void fill_outbound(struct sadb *db, struct sa *sa)
{
	struct sa_out *out = arena_at(&db->arena_out, sa->slot);
	const struct sa_spec *spec = &sa->spec;

	out->seq = spec->seq_first - 1;
	out->seq_first = spec->seq_first;
	atomic_store_explicit(&out->seq_limit, number_limit(spec), memory_order_relaxed);
	out->algorithm = (uint8_t)spec->algorithm;
	out->dscp = spec->dscp;
	out->flags =
	    (uint8_t)((spec->esn ? SA_OUT_ESN : 0) | (spec->dscp_set ? SA_OUT_DSCP_SET : 0) |
		      (spec->df == SA_DF_SET ? SA_OUT_DF_SET : 0) |
		      (spec->df == SA_DF_COPY ? SA_OUT_DF_COPY : 0));
	if (sa_marks_init(&out->marks, spec, sa->serial, sa->slot))
		out->flags |= SA_OUT_LIMITED;
	outer_build(spec, out->header[0], &out->outer[0]);
	out->remote[0] = spec->remote;
	sa->out = out;
}

/* Put an SPI into a table that may have to be replaced by a larger one. */
static int table_insert(struct spi_table **table, struct spi_table *_Atomic *published,
			uint32_t spi, uint32_t slot)
{
	while (!spi_table_insert(*table, spi, slot)) {
		struct spi_table *larger = spi_table_grow(*table);
		if (larger == NULL)
			return -ENOMEM;
		struct spi_table *old = *table;
		*table = larger;
		if (published == NULL) {
			spi_table_destroy(old);
			continue;
		}
		atomic_store_explicit(published, larger, memory_order_release);
		rcu_defer((void (*)(void *))spi_table_destroy, old);
	}
	return 0;
}

static void set_live(struct tunnel *t, struct sa *sa, bool live)
{
	uint32_t *count = sa->direction == SA_INBOUND ? &t->live_in : &t->live_out;

	if (sa->live == live)
		return;
	sa->live = live;
	if (live)
		(*count)++;
	else
		(*count)--;
}

static int link_sa(struct sadb *db, struct sa *sa)
{
	struct tunnel *t = tunnel_get(db, sa->tunnel);
	struct sa **list = sa->direction == SA_INBOUND ? &t->in : &t->out;

	if (sa->direction == SA_INBOUND) {
		struct spi_table *table = atomic_load(&db->hot.table);
		int rc = table_insert(&table, &db->hot.table, sa->spi, sa->slot);
		if (rc != 0)
			return rc;
		spi_release(db, sa->spi);
		db->count_in++;
	} else {
		int rc = table_insert(&db->out_table, NULL,
				      sadb_out_key(db, sa->spi, &sa->spec.remote), sa->slot);
		if (rc != 0)
			return rc;
		db->count_out++;
	}
	sadb_slots(db, sa->direction)[sa->slot] = sa;
	sa->tunnel_next = *list;
	*list = sa;
	set_live(t, sa, true);
	if (sa->direction == SA_OUTBOUND)
		tunnel_publish(db, t);
	tunnel_state_follow(t);
	return 0;
}

static void free_sa(struct sadb *db, struct sa *sa)
{
	struct arena *arena = sa->direction == SA_INBOUND ? &db->arena_in : &db->arena_out;

	if (sa->slot != UINT32_MAX) {
		if (sa->direction == SA_INBOUND)
			free(((struct sa_in *)arena_at(arena, sa->slot))->window);
		arena_give(arena, sa->slot);
	}
	free((void *)(uintptr_t)sa->spec.selector);
	explicit_bzero(sa, sizeof(*sa));
	free(sa);
}

static struct sa *make_sa(struct sadb *db, const struct sa_spec *spec)
{
	bool inbound = spec->direction == SA_INBOUND;
	struct sa *sa = calloc(1, sizeof(*sa));

	if (sa == NULL)
		return NULL;
	sa->db = db;
	sa->direction = spec->direction;
	sa->spi = spec->spi;
	sa->tunnel = spec->tunnel;
	sa->owner = db->hot.tunnel[spec->tunnel].owner;
	sa->serial = ++db->serials;
	sa->added_tsc = rte_rdtsc();
	sa->spec = *spec;
	explicit_bzero(sa->spec.key, sizeof(sa->spec.key));
	sa->spec.selector = NULL;
	sa->slot = arena_take(inbound ? &db->arena_in : &db->arena_out);
	struct selector *copy = NULL;
	if (spec->selectors > 0) {
		copy = malloc(spec->selectors * sizeof(*copy));
		if (copy != NULL)
			memcpy(copy, spec->selector, spec->selectors * sizeof(*copy));
		sa->spec.selector = copy;
	}
	if (sa->slot == UINT32_MAX || (spec->selectors > 0 && copy == NULL)) {
		free_sa(db, sa);
		return NULL;
	}
	if (!inbound) {
		fill_outbound(db, sa);
	} else if (fill_inbound(db, sa) != 0) {
		free_sa(db, sa);
		return NULL;
	}
	size_t key_len = aead_key_size(spec->algorithm) - AEAD_SALT_SIZE;
	aead_expand(db->aead, spec->algorithm, spec->key, inbound ? &sa->in->key : &sa->out->key);
	memcpy(inbound ? sa->in->salt : sa->out->salt, spec->key + key_len, AEAD_SALT_SIZE);
	return sa;
}

static int digest_and_check(struct sadb *db, const struct sa_spec *spec, uint8_t digest[32],
			    struct fault *fault)
{
	if (aead_name(spec->algorithm) != NULL)
		aead_digest(db->aead, spec->key, aead_key_size(spec->algorithm), digest);
	return sa_check_spec(db, spec, digest, fault);
}

int sa_check(struct sadb *db, const struct sa_spec *spec, struct fault *fault)
{
	uint8_t digest[32] = {0};

	return digest_and_check(db, spec, digest, fault);
}

int sa_add(struct sadb *db, const struct sa_spec *spec, struct sa **out, struct fault *fault)
{
	uint8_t digest[32] = {0};
	int rc = digest_and_check(db, spec, digest, fault);

	if (rc != 0)
		return rc;

	struct sa *sa = make_sa(db, spec);
	struct sent_entry *used = sa != NULL ? sent_put(db->sent, digest) : NULL;
	if (used == NULL || link_sa(db, sa) != 0) {
		if (sa != NULL)
			free_sa(db, sa);
		return fault_set(fault, ENOMEM, "", "no memory for another SA");
	}
	memcpy(sa->key_digest, digest, sizeof(sa->key_digest));
	used->use = spec->direction == SA_OUTBOUND ? SENT_SENDING : SENT_RECEIVING;
	if (out != NULL)
		*out = sa;
	return 0;
}

/* No worker holds the SA any more: its numbers are final, its key can go. */
static void sa_gone(void *p)
{
	struct sa *sa = p;
	struct sadb *db = sa->db;
	struct sent_entry *e = sent_find(db->sent, sa->key_digest);
	struct tunnel *t = tunnel_get(db, sa->tunnel);

	if (t != NULL)
		sa_fold(t, sa);
	if (sa->direction == SA_OUTBOUND)
		e->last = RTE_MAX(e->last, sa->out->seq);
	e->use = sa->direction == SA_OUTBOUND ? SENT_IDLE : SENT_RECEIVED;
	free_sa(db, sa);
}

void sa_delete(struct sadb *db, struct sa *sa)
{
	struct tunnel *t = tunnel_get(db, sa->tunnel);
	struct sa **link = sa->direction == SA_INBOUND ? &t->in : &t->out;

	while (*link != sa)
		link = &(*link)->tunnel_next;
	*link = sa->tunnel_next;
	set_live(t, sa, false);
	sadb_slots(db, sa->direction)[sa->slot] = NULL;
	if (sa->direction == SA_INBOUND) {
		spi_table_remove(atomic_load(&db->hot.table), sa->spi, sa->slot);
		db->count_in--;
	} else {
		spi_table_remove(db->out_table, sadb_out_key(db, sa->spi, &sa->spec.remote),
				 sa->slot);
		db->count_out--;
		tunnel_publish(db, t);
	}
	tunnel_state_follow(t);
	sa_fold(t, sa);
	rcu_defer(sa_gone, sa);
}

int sa_update(struct sadb *db, struct sa *sa, const struct sa_update *u, struct fault *fault)
{
	struct sa_spec spec = sa->spec;

	if (u->set_local)
		spec.local = u->local;
	if (u->set_remote)
		spec.remote = u->remote;
	if (u->set_udp)
		spec.udp = u->udp;
	if (u->set_ports) {
		spec.local_port = u->local_port;
		spec.remote_port = u->remote_port;
	}
	int rc = sa_check_addresses(&spec, fault);
	if (rc != 0)
		return rc;
	if (sa->direction == SA_OUTBOUND) {
		char text[IP_TEXT_MAX];
		struct sa *other = sa_find_out(db, sa->spi, &spec.remote);
		if (other != NULL && other != sa)
			return fault_set(fault, EEXIST, "remote",
					 "0x%08x to %s is in use by another outbound SA", sa->spi,
					 ip_addr_text(&spec.remote, text));
		rc = table_insert(&db->out_table, NULL, sadb_out_key(db, sa->spi, &spec.remote),
				  sa->slot);
		if (rc != 0)
			return fault_set(fault, -rc, "", "no memory to move the SA");
		/* One of the two entries, where the remote stays what it was. */
		spi_table_remove(db->out_table, sadb_out_key(db, sa->spi, &sa->spec.remote),
				 sa->slot);
		/* The spare header may still be read from the update before this one. */
		rcu_barrier();
		uint8_t spare = !atomic_load(&sa->out->current);
		outer_build(&spec, sa->out->header[spare], &sa->out->outer[spare]);
		sa->out->remote[spare] = spec.remote;
		atomic_store_explicit(&sa->out->current, spare, memory_order_release);
	}
	sa->spec = spec;
	if (sa->direction == SA_INBOUND)
		set_source(sa->in, &spec);
	return 0;
}

void sa_extend(struct sa *sa, uint64_t seq_limit)
{
	sa->spec.seq_limit = seq_limit;
	if (sa_expired(sa))
		return;
	atomic_store_explicit(&sa->out->seq_limit, number_limit(&sa->spec), memory_order_seq_cst);
	/* The worker may have ended it meanwhile, first the state and then the limit. */
	if (sa_expired(sa))
		atomic_store_explicit(&sa->out->seq_limit, 0, memory_order_relaxed);
}

void sa_expire(struct sadb *db, struct sa *sa)
{
	struct tunnel *t = tunnel_get(db, sa->tunnel);

	set_live(t, sa, false);
	if (sa->direction == SA_INBOUND) {
		atomic_store(&sa->in->end, SA_EXPIRED);
	} else {
		atomic_store(&sa->out->end, SA_EXPIRED);
		atomic_store(&sa->out->seq_limit, 0);
		tunnel_publish(db, t);
	}
	tunnel_state_follow(t);
}

bool sa_expired(const struct sa *sa)
{
	return (sa->direction == SA_INBOUND ? atomic_load(&sa->in->end)
					    : atomic_load(&sa->out->end)) == SA_EXPIRED;
}
