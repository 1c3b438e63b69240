/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SPD_ACL_H
#define ESPALIER_SPD_ACL_H

#include <stdbool.h>
#include <stdint.h>
#include <rte_acl.h>

#include "report/fault.h"
#include "spd/selector.h"

/*
 * Selectors of one family compiled for rte_acl. It answers in three categories:
 * packets whose ports are known are asked in the first, others in the second,
 * where no selector with narrowed ports stands (RFC 4301 4.4.1.1, 7.4). The third
 * tells of a later fragment which policy would come first if narrowed ports of
 * PROTECT and DISCARD were no matter: what must not leave whole must not leave in
 * pieces.
 */
enum {
	ACL_PORTS_KNOWN,
	ACL_PORTS_UNKNOWN,
	ACL_PORTS_IGNORED,
	ACL_CATEGORIES = RTE_ACL_RESULTS_MULTIPLIER
};

/* Rules that one selector becomes at most: its local times its remote prefixes, twice if its
 * ports are narrowed. */
uint32_t acl_rule_count(const struct selector *s);

struct acl_build {
	uint8_t family;
	uint32_t rules;
	struct rte_acl_ctx *ctx;
};

/*
 * Begin with room for `rules` rules, add selectors in the order in which they
 * are asked (rank 0 first), finish. `slot` (not 0) is what a match answers;
 * `withholds`: the policy is no BYPASS.
 * 0 or -errno with *fault; after a failure call acl_abort(). Control thread.
 */
int acl_begin(struct acl_build *b, uint8_t family, uint32_t rules, struct fault *fault);
int acl_add(struct acl_build *b, const struct selector *s, uint32_t rank, uint32_t slot,
	    bool withholds, struct fault *fault);
int acl_finish(struct acl_build *b, struct rte_acl_ctx **out, struct fault *fault);
void acl_abort(struct acl_build *b);

/* What rte_acl reads: network order, groups of four bytes behind the first. */
struct acl_key {
	uint8_t proto;
	uint8_t zero[3];
	uint8_t rest[36]; /* local, remote, ports */
};

/* Fill in from a flow key (flow_key.h). Any thread. */
void acl_key_v4(struct acl_key *out, const uint64_t *key);
void acl_key_v6(struct acl_key *out, const uint64_t *key);

#endif
