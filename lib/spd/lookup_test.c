/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <rte_eal.h>

#include "packet/checksum.h"
#include "rcu/rcu.h"
#include "spd/spd.h"

#define POOL 512

/* Packets in memory, each with an mbuf that only describes where it lies. */
static struct {
	uint8_t bytes[64];
	struct rte_mbuf m;
	struct packet p;
} pool[POOL];

static unsigned int below(unsigned int n)
{
	return (unsigned int)rand() % n;
}

/* Few distinct values, so that random policies and packets meet often. */
static uint8_t few(void)
{
	static const uint8_t values[] = {0, 1, 2, 127, 255};

	return values[below(RTE_DIM(values))];
}

static void random_address(uint8_t *at, uint8_t family)
{
	memset(at, 0, ip_size(family));
	at[0] = 10;
	at[1] = (uint8_t)below(2);
	at[ip_size(family) - 2] = few();
	at[ip_size(family) - 1] = few();
	if (family == 6)
		at[4 + below(8)] = below(8) == 0;
}

static void random_packet(unsigned int i)
{
	static const uint8_t protos[] = {1, 6, 17, 47, 58, 132};
	static const uint16_t ports[] = {0, 1, 79, 80, 81, 443, 65535};
	uint8_t *ip = pool[i].bytes;
	uint8_t family = below(2) ? 4 : 6;
	uint8_t proto = protos[below(RTE_DIM(protos))];
	unsigned int header = family == 4 ? 20 : 40;
	unsigned int payload = below(8) == 0 ? below(4) : 8;
	bool later = family == 4 && below(8) == 0;

	memset(ip, 0, sizeof(pool[i].bytes));
	store_be16(ip + header, ports[below(RTE_DIM(ports))]);
	store_be16(ip + header + 2, ports[below(RTE_DIM(ports))]);
	if (family == 4) {
		ip[0] = 0x45;
		store_be16(ip + 2, (uint16_t)(header + payload));
		store_be16(ip + 6, later ? 100 : 0);
		ip[9] = proto;
		random_address(ip + 12, 4);
		random_address(ip + 16, 4);
		checksum_ipv4_write(ip, 20);
	} else {
		ip[0] = 0x60;
		store_be16(ip + 4, (uint16_t)payload);
		ip[6] = proto;
		random_address(ip + 8, 6);
		random_address(ip + 24, 6);
	}
	pool[i].m.buf_addr = ip;
	pool[i].m.data_off = 0;
	pool[i].m.nb_segs = 1;
	pool[i].m.data_len = (uint16_t)(header + payload);
	pool[i].p = (struct packet){.m = &pool[i].m, .ip = ip};
	assert_int_equal(packet_parse_ip(&pool[i].p, header + payload, header + payload), 0);
}

static void random_range(struct ip_addr *first, struct ip_addr *last, uint8_t family)
{
	first->family = last->family = family;
	random_address(first->bytes, family);
	random_address(last->bytes, family);
	switch (below(16)) {
	case 0:
		break; /* far apart: many prefixes */
	case 1 ... 5:
		ip_range_parse("any", family, first, last);
		break;
	case 6 ... 9: /* a prefix of 16 bits */
		memset(first->bytes + 2, 0, ip_size(family) - 2);
		memset(last->bytes + 2, 0xff, ip_size(family) - 2);
		last->bytes[1] = first->bytes[1];
		break;
	case 10 ... 12:
		memcpy(last->bytes, first->bytes, ip_size(family) - 1);
		break;
	default:
		*last = *first;
	}
	if (ip_addr_compare(first, last) > 0) {
		struct ip_addr swap = *first;
		*first = *last;
		*last = swap;
	}
}

static void random_ports(uint16_t *first, uint16_t *last)
{
	*first = 0;
	*last = 65535;
	if (below(3) == 0) {
		*first = (uint16_t)below(444);
		*last = (uint16_t)(*first + below(400));
	}
}

static struct policy random_policy(unsigned int serial)
{
	static const uint8_t protos[] = {0, 0, 0, 1, 6, 17, 132};
	struct policy p = {.priority = below(20), .tunnel = below(1000)};
	uint8_t family = below(2) ? 4 : 6;

	snprintf(p.name, sizeof(p.name), "policy-%u", serial);
	p.action = (enum policy_action)(POLICY_PROTECT + below(3));
	random_range(&p.selector.local_first, &p.selector.local_last, family);
	random_range(&p.selector.remote_first, &p.selector.remote_last, family);
	p.selector.proto = protos[below(RTE_DIM(protos))];
	random_ports(&p.selector.local_port_first, &p.selector.local_port_last);
	random_ports(&p.selector.remote_port_first, &p.selector.remote_port_last);
	return p;
}

/* What RFC 4301 says, done slowly: the first entry in order whose selector matches. */
struct model {
	struct policy policy[128];
	uint64_t packets[128], bytes[128];
	unsigned int n;
};

static int model_find(const struct model *m, const struct packet *p, bool outbound)
{
	struct flow f;
	int best = -1;

	flow_read(p, p->m->data_len, outbound, &f);
	for (unsigned int i = 0; i < m->n; i++) {
		const struct policy *c = &m->policy[i];
		if (!selector_match(&c->selector, &f))
			continue;
		if (best < 0 || c->priority < m->policy[best].priority ||
		    (c->priority == m->policy[best].priority && c->id < m->policy[best].id))
			best = (int)i;
	}
	return best;
}

static bool has_ports(uint8_t proto)
{
	return proto == 6 || proto == 17 || proto == 132;
}

/*
 * The policy that withholds a piece of a packet: it would be bypassed, but comes
 * after a PROTECT or DISCARD that matches but for its ports, which are unknown.
 */
static int model_withholds(const struct model *m, const struct packet *p, bool outbound, int want)
{
	struct flow f;
	int best = want;

	flow_read(p, p->m->data_len, outbound, &f);
	if (want < 0 || m->policy[want].action != POLICY_BYPASS || f.ports_known ||
	    !has_ports(p->proto))
		return -1;
	for (unsigned int i = 0; i < m->n; i++) {
		struct selector wide = m->policy[i].selector;
		const struct policy *c = &m->policy[i], *b = &m->policy[best];
		wide.local_port_first = wide.remote_port_first = 0;
		wide.local_port_last = wide.remote_port_last = 65535;
		if (c->action != POLICY_BYPASS && selector_match(&wide, &f) &&
		    (c->priority < b->priority || (c->priority == b->priority && c->id < b->id)))
			best = (int)i;
	}
	return best == want ? -1 : best;
}

static void model_remove(struct model *m, unsigned int i)
{
	m->n--;
	m->policy[i] = m->policy[m->n];
	m->packets[i] = m->packets[m->n];
	m->bytes[i] = m->bytes[m->n];
}

static unsigned int matched, unmatched, matched_portless, withheld, named;

/* The control thread's answer for the same packet: the model's too, committed or not. */
static void explain_agrees(const struct spd *s, const struct model *m, const struct packet *p,
			   bool outbound, const struct verdict *told, int want)
{
	const struct policy *policy;
	struct flow f;

	flow_read(p, p->m->data_len, outbound, &f);
	struct verdict v = spd_verdict(s, &f, &policy);
	assert_int_equal(v.action, told->action);
	if (v.action == POLICY_PROTECT)
		assert_int_equal(v.tunnel, told->tunnel);
	if (want < 0)
		assert_null(policy);
	else if (policy != NULL) /* not removed in the meantime */
		assert_int_equal(policy->id, m->policy[want].id);
	named += policy != NULL;
}

static void lookup_random(const struct spd *s, struct spd_cache *c, struct model *m)
{
	struct vector v = {.n = (uint16_t)(1 + below(VECTOR_MAX))};
	struct verdict out[VECTOR_MAX];
	bool outbound = below(2);

	for (unsigned int i = 0; i < v.n; i++)
		v.p[i] = &pool[below(POOL)].p;
	memset(out, 0xee, sizeof(out));
	spd_lookup(c, &v, outbound, out);
	for (unsigned int i = 0; i < v.n; i++) {
		int want = model_find(m, v.p[i], outbound);
		int withholds = model_withholds(m, v.p[i], outbound, want);

		if (withholds >= 0) {
			assert_int_equal(out[i].action, POLICY_DISCARD);
			want = withholds;
			withheld++;
		} else {
			assert_int_equal(out[i].action, want < 0 ? 0 : m->policy[want].action);
		}
		explain_agrees(s, m, v.p[i], outbound, &out[i], want);
		if (want < 0) {
			unmatched++;
			continue;
		}
		matched++;
		matched_portless += (v.p[i]->flags & PACKET_NOT_FIRST) != 0;
		if (out[i].action == POLICY_PROTECT)
			assert_int_equal(out[i].tunnel, m->policy[want].tunnel);
		if (outbound) {
			m->packets[want]++;
			m->bytes[want] += v.p[i]->ip_len;
		}
	}
}

/*
 * Policies come and go, commits happen, two workers with caches that are far too
 * small look packets up: the answer is always the model's for the last commit,
 * and hits add up, also for policies that have taken the slot of another.
 */
static void agrees_with_a_linear_search(void **state)
{
	static struct model pending, live;
	struct fault fault = {.err = 0};
	struct spd *s = spd_create(&fault);
	struct spd_cache *c[2];
	unsigned int serial = 0;

	(void)state;
	assert_non_null(s);
	assert_true(spd_empty(s));
	for (unsigned int w = 0; w < 2; w++) {
		c[w] = spd_cache_create(s, w, 64, &fault);
		assert_non_null(c[w]);
	}
	for (unsigned int i = 0; i < POOL; i++)
		random_packet(i);
	for (unsigned int round = 0; round < 80; round++) {
		for (unsigned int n = below(8); n > 0; n--) {
			if (pending.n > 0 && (below(5) < 2 || pending.n == 20)) {
				unsigned int i = below(pending.n);
				assert_int_equal(policy_remove(s, pending.policy[i].id), 0);
				model_remove(&pending, i);
			} else {
				struct policy p = random_policy(serial++);
				int err = policy_add(s, &p, &fault);
				if (err == -ENOSPC) /* both ranges split into too many prefixes */
					continue;
				assert_int_equal(err, 0);
				pending.packets[pending.n] = pending.bytes[pending.n] = 0;
				pending.policy[pending.n++] = p;
			}
		}
		assert_int_equal(policy_count(s), pending.n);
		/* Nothing is visible before the commit. */
		lookup_random(s, c[0], &live);
		for (unsigned int i = 0; i < pending.n; i++) {
			for (unsigned int k = 0; k < live.n; k++) {
				if (live.policy[k].id == pending.policy[i].id) {
					pending.packets[i] = live.packets[k];
					pending.bytes[i] = live.bytes[k];
				}
			}
		}
		assert_int_equal(spd_commit(s, &fault), 0);
		live = pending;
		assert_int_equal(spd_empty(s), live.n == 0);
		for (unsigned int n = 0; n < 60; n++)
			lookup_random(s, c[n % 2], &live);
		pending = live;
		for (unsigned int i = 0; i < live.n; i++) {
			uint64_t packets, bytes;

			policy_hits(s, live.policy[i].id, &packets, &bytes);
			assert_int_equal(packets, live.packets[i]);
			assert_int_equal(bytes, live.bytes[i]);
		}
		struct flow f;
		flow_read(&pool[round].p, pool[round].m.data_len, true, &f);
		const struct policy *e = spd_explain(s, &f);
		int want = model_find(&live, &pool[round].p, true);
		assert_int_equal(e != NULL, want >= 0);
		if (e != NULL)
			assert_int_equal(e->id, live.policy[want].id);
	}
	printf("%u matched, %u of them without ports, %u withheld; %u not\n", matched,
	       matched_portless, withheld, unmatched);
	assert_true(named > 10000);
	assert_true(matched > 10000 && unmatched > 10000 && matched_portless > 100 &&
		    withheld > 20);
	for (unsigned int w = 0; w < 2; w++)
		spd_cache_destroy(c[w]);
	spd_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(agrees_with_a_linear_search),
	};
	char prefix[64];

	snprintf(prefix, sizeof(prefix), "--file-prefix=spd-lookup-test-%d", (int)getpid());
	char *eal[] = {"t",           "--no-huge",      "--no-pci", "-m", "256",
		       "--no-shconf", "--no-telemetry", "-l",       "0",  "--log-level=error",
		       prefix};
	if (rte_eal_init(RTE_DIM(eal), eal) < 0 || rcu_init(4) < 0)
		return 1;
	srand(5);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_fini();
	rte_eal_cleanup();
	return failed;
}
