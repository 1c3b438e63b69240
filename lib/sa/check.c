/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "rcu/rcu.h"
#include "sa/lifetime.h"
#include "sa/sadb.h"

uint64_t sa_sequence_end(const struct sa_spec *spec)
{
	return spec->esn ? UINT64_MAX : UINT32_MAX;
}

int sa_check_addresses(const struct sa_spec *spec, struct fault *fault)
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
	uint64_t end = sa_sequence_end(spec);

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

int sa_check_spec(struct sadb *db, const struct sa_spec *spec, const uint8_t *digest,
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
	int rc = sa_check_addresses(spec, fault);
	if (rc == 0)
		rc = spec->direction == SA_INBOUND ? check_inbound(db, spec, fault)
						   : check_outbound(db, spec, fault);
	return rc != 0 ? rc : check_key(db, spec, digest, fault);
}
