/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "gateway/explain_state.h"
#include "mtu/payload.h"
#include "sa/sa_hot.h"
#include "worker/address.h"

/* The same bound as worker/tunnel.c: outer packets may not be longer than a total length says. */
#define INNER_MAX (UINT16_MAX - SA_HEADER_MAX - 24)

/* The SA that workers send with: not always the newest (RFC 7296 2.8, and lifetimes). */
static const struct sa *sending_sa(const struct question *q, const struct tunnel *t)
{
	const struct tunnel_hot *hot = &sadb_hot(q->g->sadb)->tunnel[t->index];
	const struct sa_out *out = atomic_load_explicit(&hot->out, memory_order_acquire);
	const struct sa *sa = t->out;

	while (sa != NULL && sa->out != out)
		sa = sa->tunnel_next;
	return sa;
}

/* worker/tunnel.c: 0 where nothing fits at all. */
static uint16_t tunnel_limit(const struct question *q, const struct tunnel *t,
			     const struct nexthop *hop)
{
	const struct sa_spec *spec = &q->out->sa->spec;
	uint16_t mtu = nexthop_has_port(hop) ? explain_port_mtu(q, hop) : hop->mtu;
	uint16_t limit = mtu == 0 ? INNER_MAX : mtu_payload(mtu, spec->remote.family, spec->udp);

	return t->spec.mtu != 0 && t->spec.mtu < limit ? t->spec.mtu : limit;
}

/* esp/number.c */
static bool may_send(const struct question *q, const struct sa *sa)
{
	struct sa_counters c;

	sa_counters(sa, &c);
	if (c.seq < atomic_load_explicit(&sa->out->seq_limit, memory_order_relaxed))
		return true;
	if (sa_expired(sa))
		explain_dropped(
		    q, DROP_SA_EXPIRED,
		    "SA 0x%08x has reached a hard lifetime and IKE has installed no other",
		    sa->spi);
	else if (c.seq >= (sa->spec.esn ? UINT64_MAX : UINT32_MAX))
		explain_dropped(
		    q, DROP_SEQ_EXHAUSTED,
		    "the sequence numbers of SA 0x%08x are used up: the tunnel needs a rekey",
		    sa->spi);
	else
		explain_dropped(
		    q, DROP_SEQ_UNRESERVED,
		    "SA 0x%08x waits for its next block of sequence numbers to be on disk",
		    sa->spi);
	return false;
}

/* worker/acquire.c */
static void lacks_sa(const struct question *q, const struct tunnel *t)
{
	const struct tunnel_hot *hot = &sadb_hot(q->g->sadb)->tunnel[t->index];

	if (atomic_load_explicit(&hot->trap, memory_order_relaxed))
		explain_ends(
		    q, EXPLAIN_HELD,
		    "tunnel \"%s\" has no SA to send with: IKE is asked for one (acquire) and "
		    "the first packets wait for it",
		    t->spec.name);
	else
		explain_dropped(
		    q, DROP_TUNNEL_NO_SA,
		    "tunnel \"%s\" is %s and has no SA to send with: IKE has installed none",
		    t->spec.name, tunnel_state(t));
}

void explain_protect(const struct question *q, struct tunnel *t)
{
	struct explain *out = q->out;

	out->tunnel = t;
	out->sa = sending_sa(q, t);
	if (out->sa == NULL) {
		lacks_sa(q, t);
		return;
	}
	const struct ip_addr *peer = &out->sa->spec.remote;
	out->outer = fib_lookup(q->g->fib, peer->family, peer->bytes);
	out->mtu = tunnel_limit(q, t, out->outer);
	if (out->mtu == 0 || q->length > out->mtu) {
		explain_dropped(
		    q, DROP_TOO_BIG,
		    "%u bytes are more than tunnel \"%s\" carries, %u: the sender is told so "
		    "by ICMP",
		    q->length, t->spec.name, out->mtu);
		return;
	}
	if (may_send(q, out->sa)) {
		char what[TUNNEL_NAME_MAX + 32];
		snprintf(what, sizeof(what), "ESP of tunnel \"%s\" to", t->spec.name);
		explain_sent(q, out->outer, peer, EXPLAIN_PROTECT, what);
	}
}
