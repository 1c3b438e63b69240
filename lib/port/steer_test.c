/* SPDX-License-Identifier: BSD-3-Clause */
/* The XDP program's verdicts frame by frame. Needs root. */
#include <linux/if_ether.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "port/steer_state.h"
#include "steer.skel.h"

/*
 * Addresses: local 192.0.2.1 and 2001:db8::1; prefixes taken 10.2.0.0/16 and
 * 2001:db8:2::/48, with the holes 10.2.9.0/24 and 2001:db8:2:9::/64.
 */
struct frame {
	uint8_t bytes[512];
	size_t len;
};

static void put(struct frame *f, const void *bytes, size_t len)
{
	memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
}

static void put16(struct frame *f, uint16_t v)
{
	put(f, (uint8_t[]){v >> 8, v & 0xff}, 2);
}

static void ethernet(struct frame *f, const char *dst, uint16_t type)
{
	uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

	f->len = 0;
	if (strcmp(dst, "group") == 0)
		mac[0] = 0xff;
	put(f, mac, 6);
	put(f, (uint8_t[]){2, 0, 0, 0, 0, 2}, 6);
	put16(f, type);
}

static struct ip_addr address(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

/* One row: what is sent, and whether a protected, an unprotected, a both port takes it. */
struct row {
	const char *what;
	const char *src, *dst;
	uint8_t proto;
	const char *payload; /* of the upper layer, a name below */
	uint16_t frag;       /* IPv4 fragment field; IPv6: a fragment header if not 0 */
	uint8_t options;     /* IPv4: 32-bit words of options; IPv6: extension headers */
	uint8_t extension;   /* IPv6: their type */
	const char *take;    /* "pub": which roles take it; "" none */
};

#define ESP 50
#define UDP 17
#define TCP 6
#define ICMP 1
#define ICMP6 58
#define HBH 0
#define DSTOPTS 60

static const struct row rows[] = {
    {"ESP to us", "198.51.100.7", "192.0.2.1", ESP, "esp", 0, 0, 0, "pub"},
    {"ESP to us, source taken", "10.2.0.1", "192.0.2.1", ESP, "esp", 0, 0, 0, "pub"},
    {"ESP behind IPv4 options", "198.51.100.7", "192.0.2.1", ESP, "esp", 0, 10, 0, "pub"},
    {"ESP first fragment", "198.51.100.7", "192.0.2.1", ESP, "esp", 0x2000, 0, 0, "pub"},
    {"ESP later fragment", "198.51.100.7", "192.0.2.1", ESP, "esp", 0x00b9, 0, 0, "pub"},
    {"ESP to somebody else", "198.51.100.7", "203.0.113.9", ESP, "esp", 0, 0, 0, ""},
    {"ESP in UDP 4500", "198.51.100.7", "192.0.2.1", UDP, "4500 esp", 0, 0, 0, "pub"},
    {"NAT keepalive", "198.51.100.7", "192.0.2.1", UDP, "4500 ff", 0, 0, 0, "pub"},
    {"IKE on 4500", "198.51.100.7", "192.0.2.1", UDP, "4500 zero", 0, 0, 0, ""},
    {"IKE on 4500, source taken", "10.2.0.1", "192.0.2.1", UDP, "4500 zero", 0, 0, 0, ""},
    {"IKE on 500", "198.51.100.7", "192.0.2.1", UDP, "500", 0, 0, 0, ""},
    {"IKE on 500, source taken", "10.2.0.1", "192.0.2.1", UDP, "500", 0, 0, 0, ""},
    {"ESP in UDP on another port", "198.51.100.7", "192.0.2.1", UDP, "4501 esp", 0, 0, 0, ""},
    {"ESP in UDP on a port added", "198.51.100.7", "192.0.2.1", UDP, "6000 esp", 0, 0, 0, "pub"},
    {"ESP in UDP behind options", "198.51.100.7", "192.0.2.1", UDP, "4500 esp", 0, 3, 0, "pub"},
    {"UDP fragment, first", "198.51.100.7", "192.0.2.1", UDP, "4500 esp", 0x2000, 0, 0, ""},
    {"UDP fragment, later", "10.2.0.1", "192.0.2.1", UDP, "4500 esp", 0x0010, 0, 0, ""},
    {"UDP cut in its header", "198.51.100.7", "192.0.2.1", UDP, "cut", 0, 0, 0, ""},
    {"ping to us", "198.51.100.7", "192.0.2.1", ICMP, "icmp", 0, 0, 0, ""},
    {"ping to us in the clear from the far side", "10.2.0.1", "192.0.2.1", ICMP, "icmp", 0, 0, 0,
     "ub"},
    {"ssh to us from a hole", "10.2.9.1", "192.0.2.1", TCP, "tcp", 0, 0, 0, ""},
    {"to protect", "10.1.0.1", "10.2.0.1", TCP, "tcp", 0, 0, 0, "pb"},
    {"to protect, fragment", "10.1.0.1", "10.2.0.1", UDP, "500", 0x0010, 0, 0, "pb"},
    {"to protect, with options", "10.1.0.1", "10.2.0.1", UDP, "500", 0, 10, 0, "pb"},
    {"to a hole", "10.1.0.1", "10.2.9.1", TCP, "tcp", 0, 0, 0, ""},
    {"to elsewhere", "10.1.0.1", "203.0.113.9", TCP, "tcp", 0, 0, 0, ""},
    {"in the clear, to be forwarded", "10.2.0.1", "10.1.0.1", TCP, "tcp", 0, 0, 0, "ub"},
    {"in the clear from a hole", "10.2.9.1", "10.1.0.1", TCP, "tcp", 0, 0, 0, ""},
    {"multicast from a taken source", "10.2.0.1", "224.0.0.5", 89, "tcp", 0, 0, 0, ""},
    {"broadcast", "10.2.0.1", "255.255.255.255", UDP, "500", 0, 0, 0, ""},
    {"link-local", "169.254.0.2", "169.254.0.1", TCP, "tcp", 0, 0, 0, ""},

    {"v6 ESP to us", "2001:db8:f::7", "2001:db8::1", ESP, "esp", 0, 0, 0, "pub"},
    {"v6 ESP, hop-by-hop", "2001:db8:f::7", "2001:db8::1", ESP, "esp", 0, 1, HBH, "pub"},
    {"v6 ESP, destination options", "2001:db8:f::7", "2001:db8::1", ESP, "esp", 0, 4, DSTOPTS,
     "pub"},
    {"v6 ESP behind too many headers", "2001:db8:f::7", "2001:db8::1", ESP, "esp", 0, 9, DSTOPTS,
     ""},
    {"v6 ESP fragment, first", "2001:db8:f::7", "2001:db8::1", ESP, "esp", 0x0001, 0, 0, "pub"},
    {"v6 ESP fragment, later", "2001:db8:f::7", "2001:db8::1", ESP, "esp", 0x0100, 0, 0, "pub"},
    {"v6 ESP in UDP", "2001:db8:f::7", "2001:db8::1", UDP, "4500 esp", 0, 0, 0, "pub"},
    {"v6 ESP in UDP, options", "2001:db8:f::7", "2001:db8::1", UDP, "4500 esp", 0, 1, DSTOPTS,
     "pub"},
    {"v6 UDP fragment", "2001:db8:f::7", "2001:db8::1", UDP, "4500 esp", 0x0100, 0, 0, ""},
    {"v6 IKE on 4500", "2001:db8:2::7", "2001:db8::1", UDP, "4500 zero", 0, 0, 0, ""},
    {"v6 keepalive", "2001:db8:f::7", "2001:db8::1", UDP, "4500 ff", 0, 0, 0, "pub"},
    {"v6 ping to us", "2001:db8:f::7", "2001:db8::1", ICMP6, "echo6", 0, 0, 0, ""},
    {"v6 in the clear to us", "2001:db8:2::7", "2001:db8::1", ICMP6, "echo6", 0, 0, 0, "ub"},
    {"v6 neighbour discovery", "2001:db8:2::7", "2001:db8::1", ICMP6, "ns6", 0, 0, 0, ""},
    {"v6 ND to a link-local address", "2001:db8:2::7", "fe80::1", ICMP6, "ns6", 0, 0, 0, ""},
    {"v6 multicast", "2001:db8:2::7", "ff02::5", 89, "tcp", 0, 0, 0, ""},
    {"v6 to protect", "2001:db8:1::1", "2001:db8:2::1", TCP, "tcp", 0, 0, 0, "pb"},
    {"v6 to protect, fragment", "2001:db8:1::1", "2001:db8:2::1", UDP, "500", 0x0100, 0, 0, "pb"},
    {"v6 to protect, a forged ND", "2001:db8:1::1", "2001:db8:2::1", ICMP6, "ns6", 0, 0, 0, "pb"},
    {"v6 to a hole", "2001:db8:1::1", "2001:db8:2:9::1", TCP, "tcp", 0, 0, 0, ""},
    {"v6 in the clear", "2001:db8:2::1", "2001:db8:1::1", TCP, "tcp", 0, 0, 0, "ub"},
};

static void upper_layer(struct frame *f, const char *payload)
{
	static const uint8_t tcp[20] = {0, 22, 0, 22};
	unsigned int port = 0;
	char kind[8] = "";

	if (strcmp(payload, "esp") == 0)
		put(f, "\x00\x00\x10\x00\x00\x00\x00\x01 and its contents", 26);
	else if (strcmp(payload, "icmp") == 0)
		put(f, "\x08\x00\x00\x00\x00\x01\x00\x01", 8);
	else if (strcmp(payload, "echo6") == 0)
		put(f, "\x80\x00\x00\x00\x00\x01\x00\x01", 8);
	else if (strcmp(payload, "ns6") == 0)
		put(f, "\x87\x00\x00\x00\x00\x00\x00\x00", 8);
	else if (strcmp(payload, "cut") == 0)
		put(f, "\x11\x94\x11\x94", 4);
	else if (sscanf(payload, "%u %7s", &port, kind) >= 1) {
		size_t len = strcmp(kind, "ff") == 0 ? 1 : 12;

		put16(f, 4500);
		put16(f, (uint16_t)port);
		put16(f, (uint16_t)(8 + len));
		put16(f, 0);
		if (strcmp(kind, "ff") == 0)
			put(f, "\xff", 1);
		else
			put(f,
			    strcmp(kind, "zero") == 0 ? "\0\0\0\0initiate" : "\0\0\x10\0 sequence",
			    len);
	} else
		put(f, tcp, sizeof(tcp));
}

static void build_v4(struct frame *f, const struct row *r)
{
	struct ip_addr src = address(r->src), dst = address(r->dst);
	size_t ip = f->len;

	put(f, (uint8_t[]){0x45 + r->options, 0}, 2);
	put16(f, 0);
	put16(f, 1);
	put16(f, r->frag);
	put(f, (uint8_t[]){64, r->proto, 0, 0}, 4);
	put(f, src.bytes, 4);
	put(f, dst.bytes, 4);
	for (int i = 0; i < r->options; i++)
		put(f, "\x01\x01\x01\x01", 4);
	upper_layer(f, r->payload);
	f->bytes[ip + 2] = (uint8_t)((f->len - ip) >> 8);
	f->bytes[ip + 3] = (uint8_t)(f->len - ip);
}

static void build_v6(struct frame *f, const struct row *r)
{
	struct ip_addr src = address(r->src), dst = address(r->dst);
	uint8_t last = r->frag != 0 ? 44 : r->proto;
	size_t ip = f->len;

	put(f, "\x60\0\0\0", 4);
	put16(f, 0);
	put(f, (uint8_t[]){r->options > 0 ? r->extension : last, 255}, 2);
	put(f, src.bytes, 16);
	put(f, dst.bytes, 16);
	for (int i = 0; i < r->options; i++)
		put(f,
		    (uint8_t[]){i + 1 < r->options ? r->extension : last, i == 0, 1, 4, 0, 0, 0, 0,
				1, 6, 0, 0, 0, 0, 0, 0},
		    i == 0 ? 16 : 8);
	if (r->frag != 0) {
		put(f, (uint8_t[]){r->proto, 0}, 2);
		put16(f, r->frag);
		put(f, "\0\0\0\7", 4);
	}
	upper_layer(f, r->payload);
	f->bytes[ip + 4] = (uint8_t)((f->len - ip - 40) >> 8);
	f->bytes[ip + 5] = (uint8_t)(f->len - ip - 40);
}

static int run(const struct steer *s, int ifindex, const struct frame *f)
{
	struct frame out;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->bytes, .data_size_in = f->len,
		    .data_out = out.bytes, .data_size_out = sizeof(out.bytes), .repeat = 1);
	const struct steer_program *p = steer_program_find(s, ifindex);

	assert_non_null(p);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(p->bpf->progs.xsk_def_prog), &opts),
			 0);
	return (int)opts.retval;
}

static int devices[3]; /* ifindexes: protected, unprotected, both */

static struct steer *opened(void)
{
	struct fault fault = {0};
	struct steer *s = steer_open(&fault);

	if (s == NULL)
		print_error("%s\n", fault.what);
	assert_non_null(s);
	return s;
}

static void prefix(struct steer *s, const char *text, bool take)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), 0);
	assert_int_equal(steer_prefix_set(s, &p, take), 0);
}

static void fill(struct steer *s)
{
	struct ip_addr v4 = address("192.0.2.1"), v6 = address("2001:db8::1");

	prefix(s, "10.2.0.0/16", true);
	prefix(s, "10.2.9.0/24", false);
	prefix(s, "2001:db8:2::/48", true);
	prefix(s, "2001:db8:2:9::/64", false);
	assert_int_equal(steer_local_set(s, &v4, true), 0);
	assert_int_equal(steer_local_set(s, &v6, true), 0);
	assert_int_equal(steer_encap_port_set(s, 6000, true), 0);
}

static void attach(struct steer *s, int ifindex, unsigned int role)
{
	struct steer_attached out;
	struct fault fault = {0};

	if (steer_attach(s, ifindex, role, "auto", &out, &fault) != 0)
		fail_msg("%s: %s", fault.where, fault.what);
}

/* No datapath listens here, so what is taken is dropped: never XDP_PASS. */
static void verdicts(void **state)
{
	static const char roles[] = "pub";
	struct steer *s = opened();
	int wrong = 0;

	(void)state;
	fill(s);
	for (unsigned int role = 0; role < 3; role++)
		attach(s, devices[role], role + 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool v6 = strchr(rows[i].src, ':') != NULL;
		struct frame f;

		ethernet(&f, "us", v6 ? ETH_P_IPV6 : ETH_P_IP);
		(v6 ? build_v6 : build_v4)(&f, &rows[i]);
		for (int role = 0; role < 3; role++) {
			bool take = strchr(rows[i].take, roles[role]) != NULL;
			int action = run(s, devices[role], &f);

			if (action == (take ? XDP_DROP : XDP_PASS))
				continue;
			print_error("%s on role %c: action %d\n", rows[i].what, roles[role],
				    action);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
	for (int i = 0; i < 3; i++)
		steer_detach(s, devices[i]);
	steer_close(s);
}

static void not_ip(void **state)
{
	const struct row protect = rows[21];
	struct steer *s = opened();
	struct frame f;

	(void)state;
	fill(s);
	attach(s, devices[2], PORT_BOTH);
	assert_string_equal(protect.what, "to protect");

	ethernet(&f, "us", ETH_P_IP);
	build_v4(&f, &protect);
	assert_int_equal(run(s, devices[2], &f), XDP_DROP);
	/* Cut anywhere below a whole header, it is not IP any more. */
	for (f.len = 33; f.len >= 14; f.len--)
		assert_int_equal(run(s, devices[2], &f), XDP_PASS);

	ethernet(&f, "group", ETH_P_IP);
	build_v4(&f, &protect);
	assert_int_equal(run(s, devices[2], &f), XDP_PASS);
	ethernet(&f, "us", ETH_P_ARP);
	build_v4(&f, &protect);
	assert_int_equal(run(s, devices[2], &f), XDP_PASS);
	ethernet(&f, "us", ETH_P_8021Q);
	put16(&f, 7);
	put16(&f, ETH_P_IP);
	build_v4(&f, &protect);
	assert_int_equal(run(s, devices[2], &f), XDP_PASS);
	/* VLAN 0 is no VLAN: the kernel would take the frame as an untagged one. */
	ethernet(&f, "us", ETH_P_8021Q);
	put16(&f, 0xa000);
	put16(&f, ETH_P_IP);
	build_v4(&f, &protect);
	assert_int_equal(run(s, devices[2], &f), XDP_DROP);
	ethernet(&f, "us", ETH_P_8021Q);
	put16(&f, 0xa000);
	put16(&f, ETH_P_IPV6);
	build_v6(&f, &(const struct row){.src = "2001:db8:2::1",
					 .dst = "2001:db8:1::1",
					 .proto = TCP,
					 .payload = "tcp"});
	assert_int_equal(run(s, devices[2], &f), XDP_DROP);
	ethernet(&f, "us", ETH_P_8021Q);
	put16(&f, 0xa000);
	put16(&f, ETH_P_ARP);
	put16(&f, 1);
	assert_int_equal(run(s, devices[2], &f), XDP_PASS);
	steer_detach(s, devices[2]);
	steer_close(s);
}

static void counts_every_frame_once(void **state)
{
	struct steer *s = opened();
	uint64_t count[STEER_VERDICT_COUNT], sum = 0;
	struct frame f;

	(void)state;
	fill(s);
	attach(s, devices[2], PORT_BOTH);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool v6 = strchr(rows[i].src, ':') != NULL;

		ethernet(&f, "us", v6 ? ETH_P_IPV6 : ETH_P_IP);
		(v6 ? build_v6 : build_v4)(&f, &rows[i]);
		run(s, devices[2], &f);
	}
	assert_int_equal(steer_verdicts(s, devices[2], count), 0);
	for (size_t i = 0; i < STEER_VERDICT_COUNT; i++)
		sum += count[i];
	assert_int_equal(sum, sizeof(rows) / sizeof(rows[0]));
	assert_true(count[STEER_DROP_CLOSED] > 0);
	assert_int_equal(count[STEER_TAKE_ESP], 0);
	steer_detach(s, devices[2]);
	steer_close(s);
}

static int make_devices(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) != 0)
		return -1;
	for (int i = 0; i < 3; i++) {
		char command[128];

		snprintf(command, sizeof(command), "ip link add st%d type veth peer name sp%d", i,
			 i);
		if (system(command) != 0)
			return -1;
		snprintf(command, sizeof(command), "st%d", i);
		devices[i] = (int)if_nametoindex(command);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verdicts),
	    cmocka_unit_test(not_ip),
	    cmocka_unit_test(counts_every_frame_once),
	};

	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, make_devices, NULL);
}
