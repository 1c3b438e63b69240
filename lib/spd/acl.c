/* SPDX-License-Identifier: BSD-3-Clause */
#include "spd/acl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "packet/bytes.h"

#define PREFIXES_MAX 254
#define ADDRESS_WORDS_MAX 4
#define FIELDS_MAX (1 + 2 * ADDRESS_WORDS_MAX + 2)

RTE_ACL_RULE_DEF(acl_rule, FIELDS_MAX);

static unsigned int words(uint8_t family)
{
	return family == 4 ? 1 : 4;
}

static unsigned int fields(uint8_t family)
{
	return 1 + 2 * words(family) + 2;
}

static int split_local(const struct selector *s, struct ip_prefix *out)
{
	return ip_range_prefixes(&s->local_first, &s->local_last, out, PREFIXES_MAX);
}

static int split_remote(const struct selector *s, struct ip_prefix *out)
{
	return ip_range_prefixes(&s->remote_first, &s->remote_last, out, PREFIXES_MAX);
}

uint32_t acl_rule_count(const struct selector *s)
{
	struct ip_prefix prefix[PREFIXES_MAX];

	uint32_t pairs = (uint32_t)split_local(s, prefix) * (uint32_t)split_remote(s, prefix);

	return selector_any_ports(s) ? pairs : 2 * pairs;
}

int acl_begin(struct acl_build *b, uint8_t family, uint32_t rules, struct fault *fault)
{
	static unsigned int serial; /* rte_acl hands out an existing context by name */
	char name[RTE_ACL_NAMESIZE];
	const struct rte_acl_param param = {
	    .name = name,
	    .socket_id = SOCKET_ID_ANY,
	    .rule_size = RTE_ACL_RULE_SZ(fields(family)),
	    .max_rule_num = rules,
	};

	snprintf(name, sizeof(name), "spd%u", serial++);
	b->family = family;
	b->rules = 0;
	b->ctx = rte_acl_create(&param);
	if (b->ctx == NULL)
		return fault_set(fault, ENOMEM, "",
				 "no memory for %u IPv%u policy rules: give DPDK more memory",
				 rules, family);
	return 0;
}

/* A prefix over 32-bit fields; rte_acl wants rules in host order. */
static void set_prefix(struct rte_acl_field *field, const struct ip_prefix *p)
{
	for (unsigned int i = 0; i < words(p->addr.family); i++) {
		uint32_t len = p->len > i * 32 ? p->len - i * 32 : 0;

		field[i].value.u32 = load_be32(p->addr.bytes + i * 4);
		field[i].mask_range.u32 = len < 32 ? len : 32;
	}
}

static int add_rules(struct acl_build *b, const struct acl_rule *rule, uint32_t n,
		     struct fault *fault)
{
	int err = rte_acl_add_rules(b->ctx, (const struct rte_acl_rule *)rule, n);

	if (err != 0)
		return fault_set(fault, -err, "", "rte_acl refuses a policy rule: %s",
				 strerror(-err));
	b->rules += n;
	return 0;
}

/* The rule with its protocol and ports set, for every pair of the selector's prefixes. */
static int add_pairs(struct acl_build *b, const struct selector *s, struct acl_rule *rule,
		     struct fault *fault)
{
	struct ip_prefix local[PREFIXES_MAX], remote[PREFIXES_MAX];
	int locals = split_local(s, local), remotes = split_remote(s, remote);

	for (int i = 0; i < locals; i++) {
		set_prefix(&rule->field[1], &local[i]);
		for (int k = 0; k < remotes; k++) {
			set_prefix(&rule->field[1 + words(b->family)], &remote[k]);
			int err = add_rules(b, rule, 1, fault);
			if (err < 0)
				return err;
		}
	}
	return 0;
}

static void set_ports(struct rte_acl_field *field, uint16_t first, uint16_t last)
{
	field->value.u16 = first;
	field->mask_range.u16 = last;
}

int acl_add(struct acl_build *b, const struct selector *s, uint32_t rank, uint32_t slot,
	    bool withholds, struct fault *fault)
{
	const unsigned int ports = 1 + 2 * words(b->family);
	struct acl_rule rule = {
	    .data.category_mask = 1 << ACL_PORTS_KNOWN,
	    .data.priority = RTE_ACL_MAX_PRIORITY - (int32_t)rank,
	    .data.userdata = slot,
	};

	if (selector_any_ports(s))
		rule.data.category_mask |= 1 << ACL_PORTS_UNKNOWN | 1 << ACL_PORTS_IGNORED;
	rule.field[0].value.u8 = s->proto;
	rule.field[0].mask_range.u8 = s->proto != 0 ? 0xff : 0;
	set_ports(&rule.field[ports], s->local_port_first, s->local_port_last);
	set_ports(&rule.field[ports + 1], s->remote_port_first, s->remote_port_last);
	int err = add_pairs(b, s, &rule, fault);
	if (err != 0 || selector_any_ports(s) || !withholds)
		return err;
	rule.data.category_mask = 1 << ACL_PORTS_IGNORED;
	set_ports(&rule.field[ports], 0, UINT16_MAX);
	set_ports(&rule.field[ports + 1], 0, UINT16_MAX);
	return add_pairs(b, s, &rule, fault);
}

int acl_finish(struct acl_build *b, struct rte_acl_ctx **out, struct fault *fault)
{
	struct rte_acl_config config = {
	    .num_categories = ACL_PORTS_IGNORED + 1,
	    .num_fields = fields(b->family),
	    .defs[0] = {.type = RTE_ACL_FIELD_TYPE_BITMASK,
			.size = sizeof(uint8_t),
			.offset = offsetof(struct acl_key, proto)},
	};
	const unsigned int ports = config.num_fields - 2;
	const uint32_t rest = offsetof(struct acl_key, rest);

	for (unsigned int i = 1; i < ports; i++)
		config.defs[i] = (struct rte_acl_field_def){.type = RTE_ACL_FIELD_TYPE_MASK,
							    .size = sizeof(uint32_t),
							    .field_index = (uint8_t)i,
							    .input_index = (uint8_t)i,
							    .offset = rest + (i - 1) * 4};
	for (unsigned int i = 0; i < 2; i++)
		config.defs[ports + i] =
		    (struct rte_acl_field_def){.type = RTE_ACL_FIELD_TYPE_RANGE,
					       .size = sizeof(uint16_t),
					       .field_index = (uint8_t)(ports + i),
					       .input_index = (uint8_t)ports,
					       .offset = rest + (ports - 1) * 4 + i * 2};

	int err = rte_acl_build(b->ctx, &config);
	if (err != 0)
		return fault_set(fault, -err, "",
				 "rte_acl cannot compile %u IPv%u policy rules (%s): give DPDK "
				 "more memory or simplify selectors",
				 b->rules, b->family, strerror(-err));
	*out = b->ctx;
	b->ctx = NULL;
	return 0;
}

void acl_abort(struct acl_build *b)
{
	rte_acl_free(b->ctx);
	b->ctx = NULL;
}

void acl_key_v4(struct acl_key *out, const uint64_t *key)
{
	out->proto = (uint8_t)(key[1] >> 32);
	memcpy(out->rest, &key[0], 8);
	store_u32(out->rest + 8, (uint32_t)key[1]);
}

void acl_key_v6(struct acl_key *out, const uint64_t *key)
{
	out->proto = (uint8_t)(key[4] >> 32);
	memcpy(out->rest, key, 32);
	store_u32(out->rest + 32, (uint32_t)key[4]);
}
