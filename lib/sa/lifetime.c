/* SPDX-License-Identifier: BSD-3-Clause */
#include "sa/lifetime.h"

#include <errno.h>
#include <rte_common.h>

#define NEVER UINT64_MAX

static uint64_t limit_or_never(uint64_t limit)
{
	return limit != 0 ? limit : NEVER;
}

/* Seven eighths of 2^32; nobody comes as far as seven eighths of 2^64. */
static uint64_t soft_number(const struct sa_spec *spec)
{
	if (spec->lifetime.soft_seq != 0)
		return spec->lifetime.soft_seq;
	return spec->esn ? NEVER : UINT32_MAX / 8 * UINT64_C(7);
}

static void plan(struct sa_marks *m)
{
	m->next_packets = m->next_bytes = NEVER;
	if ((m->told & SA_TOLD_END) == 0) {
		m->next_packets = m->hard_packets;
		m->next_bytes = m->hard_bytes;
	}
	if ((m->told & SA_TOLD_SOFT) == 0) {
		m->next_packets = RTE_MIN(m->next_packets, m->soft_packets);
		m->next_bytes = RTE_MIN(m->next_bytes, m->soft_bytes);
	}
	if ((m->told & SA_TOLD_USE) == 0)
		m->next_packets = 1;
}

bool sa_marks_init(struct sa_marks *m, const struct sa_spec *spec, uint32_t serial, uint32_t slot)
{
	const struct sa_lifetime *l = &spec->lifetime;
	uint64_t number = spec->direction == SA_OUTBOUND ? soft_number(spec) : NEVER;

	if (number != NEVER)
		number = number > spec->seq_first ? number - spec->seq_first + 1 : 1;
	*m = (struct sa_marks){
	    .serial = serial, .slot = slot, .direction = (uint8_t)spec->direction};
	m->soft_packets = limit_or_never(l->soft_packets);
	m->soft_is_number = number < m->soft_packets;
	m->soft_packets = RTE_MIN(m->soft_packets, number);
	m->hard_packets = limit_or_never(l->hard_packets);
	m->soft_bytes = limit_or_never(l->soft_bytes);
	m->hard_bytes = limit_or_never(l->hard_bytes);
	m->told = l->soft_use == 0 && l->hard_use == 0 ? SA_TOLD_USE : 0;
	plan(m);
	return m->next_packets != NEVER || m->next_bytes != NEVER;
}

static int check_pair(uint64_t soft, uint64_t hard, const char *field, const char *hard_field,
		      struct fault *fault)
{
	if (soft == 0 || hard == 0 || soft <= hard)
		return 0;
	return fault_set(fault, EINVAL, field, "%llu is above %s, %llu", (unsigned long long)soft,
			 hard_field, (unsigned long long)hard);
}

int sa_lifetime_check(const struct sa_spec *spec, struct fault *fault)
{
	const struct sa_lifetime *l = &spec->lifetime;
	uint64_t end = spec->esn ? UINT64_MAX : UINT32_MAX;
	int rc = check_pair(l->soft_bytes, l->hard_bytes, "soft_bytes", "hard_bytes", fault);

	if (rc == 0)
		rc = check_pair(l->soft_packets, l->hard_packets, "soft_packets", "hard_packets",
				fault);
	if (rc == 0)
		rc = check_pair(l->soft_add, l->hard_add, "soft_add_time", "hard_add_time", fault);
	if (rc == 0)
		rc = check_pair(l->soft_use, l->hard_use, "soft_use_time", "hard_use_time", fault);
	if (rc == 0 && l->soft_seq != 0 && spec->direction == SA_INBOUND)
		return fault_set(fault, EINVAL, "soft_seq",
				 "the peer numbers what we receive; only an outbound SA takes it");
	if (rc == 0 && l->soft_seq > end)
		return fault_set(fault, EINVAL, "soft_seq",
				 "%llu is beyond the last sequence number, %llu",
				 (unsigned long long)l->soft_seq, (unsigned long long)end);
	return rc;
}

static bool tell(const struct sa_marks *m, enum notice_kind kind, enum notice_limit limit,
		 struct notices *notices)
{
	const struct notice n = {.kind = (uint8_t)kind,
				 .direction = m->direction,
				 .limit = (uint8_t)limit,
				 .slot = m->slot,
				 .serial = m->serial};

	return notice_put(notices, &n);
}

static enum notice_limit soft_limit(const struct sa_marks *m, uint64_t packets, uint64_t bytes)
{
	if (bytes >= m->soft_bytes)
		return LIMIT_BYTES;
	if (packets >= m->soft_packets)
		return m->soft_is_number ? LIMIT_SEQUENCE : LIMIT_PACKETS;
	return 0;
}

void sa_marks_retry(struct sa_marks *m, struct notices *notices)
{
	if (m->ended != 0 && (m->told & SA_TOLD_END) == 0 &&
	    tell(m, NOTICE_HARD, m->ended, notices))
		m->told |= SA_TOLD_END;
}

bool sa_marks_reached(struct sa_marks *m, uint64_t packets, uint64_t bytes, struct notices *notices)
{
	enum notice_limit soft = soft_limit(m, packets, bytes);

	if ((m->told & SA_TOLD_USE) == 0 && packets > 0 && tell(m, NOTICE_FIRST_USE, 0, notices))
		m->told |= SA_TOLD_USE;
	if ((m->told & SA_TOLD_SOFT) == 0 && soft != 0 && tell(m, NOTICE_SOFT, soft, notices))
		m->told |= SA_TOLD_SOFT;
	if (m->ended == 0 && bytes >= m->hard_bytes)
		m->ended = LIMIT_BYTES;
	if (m->ended == 0 && packets >= m->hard_packets)
		m->ended = LIMIT_PACKETS;
	sa_marks_retry(m, notices);
	plan(m);
	return m->ended != 0;
}
