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

static uint64_t sequence_end(const struct sa_spec *spec)
{
	return spec->esn ? UINT64_MAX : UINT32_MAX;
}

static int check_addresses(const struct sa_spec *spec, struct fault *fault)
{
	char text[IP_TEXT_MAX];

	if (spec->local.family == 0)
		return fault_set(fault, EINVAL, "local",
				 "no local address, neither here nor in the tunnel");
	if (spec->remote.family == 0)
		return fault_set(fault, EINVAL, "remote",
				 "no remote address, neither here nor in the tunnel");
	if (spec->local.family != spec->remote.family)
		return fault_set(fault, EINVAL, "remote",
				 "local is IPv%u and remote is IPv%u; both must be of one family",
				 spec->local.family, spec->remote.family);
	if (!ip_addr_is_unicast(&spec->local))
		return fault_set(fault, EINVAL, "local", "%s is no unicast address",
				 ip_addr_text(&spec->local, text));
	if (!ip_addr_is_unicast(&spec->remote))
		return fault_set(fault, EINVAL, "remote", "%s is no unicast address",
				 ip_addr_text(&spec->remote, text));
	if (spec->udp && spec->local_port == 0)
		return fault_set(fault, EINVAL, "local_port", "0 is no port; NAT-T uses 4500");
	if (spec->udp && spec->remote_port == 0)
		return fault_set(fault, EINVAL, "remote_port", "0 is no port; NAT-T uses 4500");
	return 0;
}

static int check_inbound(const struct sadb *db, const struct sa_spec *spec, struct fault *fault)
{
	if (spec->replay_window != 0 &&
	    (spec->replay_window < SA_REPLAY_MIN || spec->replay_window > SA_REPLAY_MAX))
		return fault_set(fault, EINVAL, "replay_window",
				 "%u is neither 0 (off) nor between %u and %u packets",
				 spec->replay_window, SA_REPLAY_MIN, SA_REPLAY_MAX);
	if (spec->selectors > SA_SELECTORS_MAX)
		return fault_set(fault, EINVAL, "selectors", "%u selectors are more than %u",
				 spec->selectors, SA_SELECTORS_MAX);
	if (sa_find_in(db, spec->spi) != NULL)
		return fault_set(fault, EEXIST, "spi", "0x%08x is in use by an inbound SA",
				 spec->spi);
	if (db->count_in >= db->config.sas_max)
		return fault_set(fault, ENOSPC, "",
				 "there are %u inbound SAs, the limit of this "
				 "gateway (limits.sas)",
				 db->count_in);
	return 0;
}

static int check_outbound(const struct sadb *db, const struct sa_spec *spec, struct fault *fault)
{
	char text[IP_TEXT_MAX];
	uint64_t end = sequence_end(spec);

	if (spec->seq_first == 0 || spec->seq_first > end)
		return fault_set(fault, EINVAL, "seq_first", "%llu is not between 1 and %llu",
				 (unsigned long long)spec->seq_first, (unsigned long long)end);
	if (spec->seq_limit > end)
		return fault_set(fault, EINVAL, "seq_limit",
				 "%llu is beyond the last sequence number, %llu",
				 (unsigned long long)spec->seq_limit, (unsigned long long)end);
	if (spec->seq_limit != 0 && spec->seq_limit < spec->seq_first)
		return fault_set(fault, EINVAL, "seq_limit", "%llu is below seq_first, %llu",
				 (unsigned long long)spec->seq_limit,
				 (unsigned long long)spec->seq_first);
	if (spec->dscp_set && spec->dscp > 63)
		return fault_set(fault, EINVAL, "dscp", "%u is above 63", spec->dscp);
	if (sa_find_out(db, spec->spi, &spec->remote) != NULL)
		return fault_set(fault, EEXIST, "spi", "0x%08x to %s is in use by an outbound SA",
				 spec->spi, ip_addr_text(&spec->remote, text));
	if (db->count_out >= db->config.sas_max)
		return fault_set(fault, ENOSPC, "",
				 "there are %u outbound SAs, the limit of this "
				 "gateway (limits.sas)",
				 db->count_out);
	return 0;
}

/* Nonce safety: see sent.h. */
static int check_key(struct sadb *db, const struct sa_spec *spec, const uint8_t *digest,
		     struct fault *fault)
{
	const struct sent_entry *e = sent_find(db->sent, digest);

	/* A deleted SA holds its key until no worker holds the SA. */
	if (e != NULL && (e->use == SENT_SENDING || e->use == SENT_RECEIVING)) {
		rcu_barrier();
		e = sent_find(db->sent, digest);
	}
	if (e == NULL)
		return 0;
	if (e->use == SENT_SENDING)
		return fault_set(fault, EEXIST, "key",
				 "another SA sends with this key and salt; every SA needs its own");
	if (e->use == SENT_RECEIVING)
		return fault_set(fault, EEXIST, "key",
				 "another SA receives with this key and salt; every SA needs its "
				 "own, in each direction");
	if (spec->direction == SA_OUTBOUND && e->use == SENT_RECEIVED)
		return fault_set(fault, EEXIST, "key",
				 "the peer has sent with this key and salt; use a fresh one");
	if (spec->direction == SA_INBOUND && e->last > 0)
		return fault_set(fault, EEXIST, "key",
				 "this gateway has sent with this key and salt before");
	if (spec->direction == SA_OUTBOUND && spec->seq_first <= e->last)
		return fault_set(fault, EEXIST, "key",
				 "this key and salt have been used to send up to sequence number "
				 "%llu; use a fresh key, or seq_first above that",
				 (unsigned long long)e->last);
	return 0;
}

static int check_spec(struct sadb *db, const struct sa_spec *spec, const uint8_t *digest,
		      struct fault *fault)
{
	if (spec->spi < SA_SPI_MIN)
		return fault_set(fault, EINVAL, "spi",
				 "%u is reserved; SPIs begin at %u "
				 "(RFC 4303 2.1)",
				 spec->spi, SA_SPI_MIN);
	int bad = sa_lifetime_check(spec, fault);
	if (bad != 0)
		return bad;
	if (aead_name(spec->algorithm) == NULL)
		return fault_set(fault, EINVAL, "algorithm",
				 "unknown; aes256gcm16 and aes128gcm16 are offered");
	if (tunnel_get(db, spec->tunnel) == NULL)
		return fault_set(fault, ENOENT, "tunnel", "there is no tunnel %u", spec->tunnel);
	int rc = check_addresses(spec, fault);
	if (rc == 0)
		rc = spec->direction == SA_INBOUND ? check_inbound(db, spec, fault)
						   : check_outbound(db, spec, fault);
	return rc != 0 ? rc : check_key(db, spec, digest, fault);
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
	uint64_t limit = spec->seq_limit != 0 ? spec->seq_limit : sequence_end(spec);
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
	return check_spec(db, spec, digest, fault);
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
	int rc = check_addresses(&spec, fault);
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
