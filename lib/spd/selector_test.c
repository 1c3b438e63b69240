/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "packet/checksum.h"
#include "spd/selector.h"

static struct selector selector(const char *local, const char *remote, uint8_t proto)
{
	struct selector s = selector_any(strchr(local, ':') != NULL ? 6 : 4);

	assert_int_equal(ip_range_parse(local, 4, &s.local_first, &s.local_last), 0);
	assert_int_equal(ip_range_parse(remote, 4, &s.remote_first, &s.remote_last), 0);
	s.proto = proto;
	return s;
}

static struct flow flow(const char *local, const char *remote, uint8_t proto)
{
	struct ip_addr l, r;
	struct flow f = {.proto = proto};

	assert_int_equal(ip_addr_parse(local, &l), 0);
	assert_int_equal(ip_addr_parse(remote, &r), 0);
	f.family = l.family;
	memcpy(f.local, l.bytes, 16);
	memcpy(f.remote, r.bytes, 16);
	return f;
}

static void addresses_and_protocol(void **state)
{
	static const struct {
		const char *s_local, *s_remote;
		uint8_t s_proto;
		const char *f_local, *f_remote;
		uint8_t f_proto;
		bool match;
	} facts[] = {
	    {"10.1.0.0/16", "10.2.0.0/16", 0, "10.1.0.0", "10.2.255.255", 17, true},
	    {"10.1.0.0/16", "10.2.0.0/16", 0, "10.2.0.0", "10.1.0.0", 17, false},
	    {"10.1.0.0/16", "10.2.0.0/16", 0, "10.0.255.255", "10.2.0.0", 17, false},
	    {"10.1.0.0/16", "10.2.0.0/16", 0, "10.1.0.0", "10.3.0.0", 17, false},
	    {"10.1.0.0/16", "10.2.0.0/16", 6, "10.1.0.0", "10.2.0.0", 17, false},
	    {"10.1.0.0/16", "10.2.0.0/16", 6, "10.1.0.0", "10.2.0.0", 6, true},
	    {"10.0.0.5-10.0.0.9", "any", 0, "10.0.0.5", "0.0.0.0", 1, true},
	    {"10.0.0.5-10.0.0.9", "any", 0, "10.0.0.9", "255.255.255.255", 1, true},
	    {"10.0.0.5-10.0.0.9", "any", 0, "10.0.0.4", "1.1.1.1", 1, false},
	    {"10.0.0.5-10.0.0.9", "any", 0, "10.0.0.10", "1.1.1.1", 1, false},
	    {"2001:db8::/32", "::/0", 0, "2001:db8:ffff::1", "::1", 58, true},
	    {"2001:db8::/32", "::/0", 0, "2001:db9::", "::1", 58, false},
	    {"2001:db8::ff-2001:db8::1:0", "::/0", 0, "2001:db8::1:0", "::1", 58, true},
	    {"2001:db8::ff-2001:db8::1:0", "::/0", 0, "2001:db8::1:1", "::1", 58, false},
	    {"2001:db8::ff-2001:db8::1:0", "::/0", 0, "2001:db8::fe", "::1", 58, false},
	    {"0.0.0.0/0", "0.0.0.0/0", 0, "::1", "::1", 58, false},
	};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(facts); i++) {
		struct selector s = selector(facts[i].s_local, facts[i].s_remote, facts[i].s_proto);
		struct flow f = flow(facts[i].f_local, facts[i].f_remote, facts[i].f_proto);

		if (selector_match(&s, &f) != facts[i].match)
			fail_msg("fact %zu", i);
	}
}

static void ports(void **state)
{
	struct selector s = selector("10.0.0.0/8", "10.0.0.0/8", 0);
	struct flow f = flow("10.0.0.1", "10.0.0.2", 17);

	(void)state;
	f.ports_known = true;
	f.local_port = 1000;
	f.remote_port = 500;
	s.local_port_first = 1000;
	s.local_port_last = 1001;
	assert_true(selector_match(&s, &f));
	f.local_port = 1002;
	assert_false(selector_match(&s, &f));
	f.local_port = 999;
	assert_false(selector_match(&s, &f));
	f.local_port = 1001;
	s.remote_port_last = 499;
	assert_false(selector_match(&s, &f));

	/* Unknown ports are not port 0 (RFC 4301 7.4: only "any" matches them). */
	f.ports_known = false;
	f.local_port = f.remote_port = 0;
	s.local_port_first = 0;
	assert_false(selector_match(&s, &f));
	s.local_port_last = s.remote_port_last = 65534;
	assert_false(selector_match(&s, &f));
	s.local_port_last = s.remote_port_last = 65535;
	assert_true(selector_match(&s, &f));
}

static void any_is_any(void **state)
{
	(void)state;
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct selector s = selector_any(family);

		assert_true(selector_is_any(&s));
		s.remote_port_last--;
		assert_false(selector_is_any(&s));
		s = selector_any(family);
		s.proto = 6;
		assert_false(selector_is_any(&s));
		s = selector_any(family);
		s.local_first.bytes[ip_size(family) - 1] = 1;
		assert_false(selector_is_any(&s));
	}
}

static struct packet packet(uint8_t *ip, uint16_t len)
{
	struct packet p = {.ip = ip};

	assert_int_equal(packet_parse_ip(&p, len, len), 0);
	return p;
}

static void flows_are_read_by_direction(void **state)
{
	/* 192.0.2.1:0x1234 to 198.51.100.2:0x5678, UDP; a later fragment; then IPv6. */
	uint8_t four[28] = {0x45, 0, 0, 28,  0,  0,   0, 0,    64,   17,   0x8e, 0xd1, 192,
			    0,    2, 1, 198, 51, 100, 2, 0x12, 0x34, 0x56, 0x78, 0,    8};
	uint8_t six[44] = {0x60,     [5] = 4,     [6] = 6, [8] = 0x20, [23] = 1, [24] = 0x30,
			   [39] = 2, [40] = 0xab, 0xcd,    0xef,       0x01};
	struct flow f;

	checksum_ipv4_write(four, 20);
	struct packet p = packet(four, sizeof(four));

	(void)state;
	flow_read(&p, sizeof(four), true, &f);
	assert_int_equal(f.family, 4);
	assert_int_equal(f.proto, 17);
	assert_true(f.ports_known);
	assert_int_equal(f.local_port, 0x1234);
	assert_int_equal(f.remote_port, 0x5678);
	assert_int_equal(f.local[0], 192);
	assert_int_equal(f.remote[0], 198);
	flow_read(&p, sizeof(four), false, &f);
	assert_int_equal(f.local_port, 0x5678);
	assert_int_equal(f.remote_port, 0x1234);
	assert_int_equal(f.local[0], 198);
	assert_int_equal(f.remote[0], 192);

	/* Ports that the first segment does not hold, or that are payload, are unknown. */
	flow_read(&p, 23, true, &f);
	assert_false(f.ports_known);
	assert_int_equal(f.local_port, 0);
	p.flags = PACKET_FRAGMENT | PACKET_NOT_FIRST;
	flow_read(&p, sizeof(four), true, &f);
	assert_false(f.ports_known);
	p.flags = PACKET_FRAGMENT;
	flow_read(&p, sizeof(four), true, &f);
	assert_true(f.ports_known);
	p.ip_len = 23;
	flow_read(&p, sizeof(four), true, &f);
	assert_false(f.ports_known);

	p = packet(six, sizeof(six));
	flow_read(&p, sizeof(six), false, &f);
	assert_int_equal(f.family, 6);
	assert_int_equal(f.local[0], 0x30);
	assert_int_equal(f.local[15], 2);
	assert_int_equal(f.remote[15], 1);
	assert_int_equal(f.local_port, 0xef01);
}

static void only_some_protocols_have_ports(void **state)
{
	uint8_t ip[44] = {0x60, [5] = 4};

	(void)state;
	for (unsigned int proto = 0; proto < 256; proto++) {
		struct packet p = {.ip = ip, .family = 6, .l4_off = 40, .ip_len = 44};
		struct flow f;

		p.proto = (uint8_t)proto;
		flow_read(&p, sizeof(ip), true, &f);
		/* TCP, UDP, DCCP, SCTP, UDP-Lite by their numbers. */
		assert_int_equal(f.ports_known, proto == 6 || proto == 17 || proto == 33 ||
						    proto == 132 || proto == 136);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_and_protocol),
	    cmocka_unit_test(ports),
	    cmocka_unit_test(any_is_any),
	    cmocka_unit_test(flows_are_read_by_direction),
	    cmocka_unit_test(only_some_protocols_have_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
