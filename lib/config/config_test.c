/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"

#define PORT "ports: [{name: lan, device: eth1, role: protected}]\n"
#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
#define KEY_B "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60616263"
#define ENDS "local: 192.0.2.1, remote: 192.0.2.2"
#define TUNNEL(rest) PORT "tunnels: [{name: t, " rest "}]\n"
#define KEYED(in, out)                                                          \
	PORT "lab: yes\ntunnels: [{name: t, " ENDS ", in: {spi: 1000, key: " in \
	     "}, out: {spi: 1001, key: " out "}}]\n"
#define POLICY(rest) PORT "policies: [{name: p, " rest "}]\n"

/* A file with one mistake; where it is said to be; a word that the sentence must hold. */
static const struct wrong {
	const char *text, *where, *what, *and;
} wrongs[] = {
    /* Syntax: libyaml's line. */
    {PORT "memory: {buffers: [}\n", "line 2", "YAML syntax", ""},
    {"ports:\n\t- name: lan\n", "line 2", "YAML syntax", "token"},
    {PORT "control:\n  socket: \"/run\n", "line 4", "YAML syntax", "quoted"},
    {PORT "---\nlab: no\n", "line 2", "second YAML document", ""},
    {PORT "lab: *x\n", "line 2", "aliases", "*x"},
    {"- 1\n", "line 1", "the file must be a mapping", ""},
    {PORT "? [a, b]\n: c\n", "line 2", "key must be a plain word", ""},
    /* Keys that do not exist. */
    {PORT "port: []\n", "line 2", "unknown key \"port\"", "did you mean ports?"},
    {"ports:\n  - name: lan\n    rol: both\n", "line 3", "\"rol\"", "did you mean role?"},
    {PORT "limits:\n  colour: 1\n", "line 3", "\"colour\"", "sas, tunnels, routes, flows"},
    {TUNNEL(ENDS ", out: {key: " KEY_A ", esn: yes}"), "line 2", "\"esn\"", "spi, key"},
    /* Types. */
    {"ports: lan\n", "line 1", "ports must be a list", ""},
    {PORT "memory: 5\n", "line 2", "memory must be a mapping", ""},
    {PORT "control:\n  socket: [a]\n", "line 3", "socket must be a single value", ""},
    {"ports:\n  - lan\n", "line 2", "an entry of ports must be a mapping", ""},
    {PORT "memory: {buffers: 12a}\n", "line 2", "buffers is \"12a\"", "whole number"},
    {PORT "memory: {buffers: 010000}\n", "line 2", "buffers is \"010000\"", "whole number"},
    {PORT "memory: {buffers: 1e6}\n", "line 2", "\"1e6\"", "whole number"},
    {PORT "memory: {buffers: -1}\n", "line 2", "\"-1\"", "whole number"},
    {PORT "memory: {buffers: }\n", "line 2", "buffers is \"\"", "whole number"},
    {PORT "workers: {lcores: [1, two]}\n", "line 2", "lcores is \"two\"", "whole number"},
    {PORT "lab: yes\nlab: no\n", "line 2", "lab stands a second time", ""},
    /* Words. */
    {PORT "lab: flase\n", "line 2", "lab is \"flase\"", "yes or no"},
    {PORT "lab: 1\n", "line 2", "lab is \"1\"", "yes or no"},
    {"ports:\n  - name: a\n    role: inside\n", "line 3", "role is \"inside\"",
     "protected, unprotected or both"},
    {PORT "workers: {idle: nap}\n", "line 2", "\"nap\"", "spin or sleep"},
    {TUNNEL("df: keep"), "line 2", "\"keep\"", "copy, set or clear"},
    {POLICY("action: allow"), "line 2", "\"allow\"", "protect, bypass or discard"},
    /* The machine. */
    {PORT "workers: {lcores: [1, 2, 1]}\n", "workers.lcores[2]", "CPU 1 stands twice", ""},
    {PORT "workers: {lcores: [5000]}\n", "workers.lcores[0]", "5000", "0 to 1023"},
    {PORT "memory: {buffers: 100}\n", "memory.buffers", "100 is too small", "4096"},
    {PORT "memory: {buffer_size: 65536}\n", "memory.buffer_size", "65536 is too large", "16384"},
    {PORT "limits: {flows: 3000}\n", "limits.flows", "power of two", "4096"},
    {PORT "limits: {sas: 99999999}\n", "limits.sas", "too large", "4194304"},
    {PORT "eal: [\"\"]\n", "eal[0]", "empty", ""},
    {PORT "control: {socket: run.sock}\n", "control.socket", "must begin with /", ""},
    {PORT "control: {mode: \"0999\"}\n", "control.mode", "0999", "octal"},
    {PORT "control: {mode: \"0440\"}\n", "control.mode", "shuts out", "0660"},
    {PORT "log: {tunnels: tunnels.jsonl}\n", "log.tunnels", "must begin with /", "none"},
    {PORT "log: {size: 65}\n", "log.size", "65 is too large", "64"},
    {PORT "log: {keep: 100}\n", "log.keep", "100 is too large", "99"},
    {PORT "state_directory: var\n", "state_directory", "must begin with /", ""},
    {PORT "policy_device: a-name-that-is-too-long\n", "policy_device", "at most 15", ""},
    {PORT "policy_device: eth1\n", "policy_device", "ports[0]", ""},
    /* Ports. */
    {"", "ports", "0 ports", "1 to 32"},
    {"ports: []\n", "ports", "0 ports", "1 to 32"},
    {"ports: [{device: eth1, role: both}]\n", "ports[0].name", "missing", ""},
    {"ports: [{name: a, role: both}]\n", "ports[0].device", "missing", "netdev"},
    {"ports: [{name: a, device: eth1}]\n", "ports[0].role", "missing", "unprotected"},
    {"ports: [{name: a b, device: e, role: both}]\n", "ports[0].name", "\"a b\"", "letter"},
    {"ports: [{name: a2345678901234567, device: e, role: both}]\n", "ports[0].name", "17",
     "at most 15"},
    {PORT "  \n", NULL, NULL, NULL},
    {"ports: [{name: a, device: e, role: both}, {name: a, device: f, role: both}]\n",
     "ports[1].name", "\"a\" is taken", "index 0"},
    {"ports: [{name: a, device: e, role: both}, {name: b, device: e, role: both}]\n",
     "ports[1].device", "\"e\" is taken", "index 0"},
    {"ports: [{name: a, device: e, role: both, queues: 17}]\n", "ports[0].queues", "17", "1 to 16"},
    {"ports: [{name: a, device: e, role: both, mtu: 68000}]\n", "ports[0].mtu", "68000", "9600"},
    {"ports: [{name: a, device: e, role: both, mtu: 100}]\n", "ports[0].mtu", "100", "576"},
    {"ports: [{name: a, device: e, role: both, addresses: [10.0.0.1]}]\n", "ports[0].addresses[0]",
     "10.0.0.1", "192.0.2.1/24"},
    {"ports: [{name: a, device: e, role: both, addresses: [10.0.0.1/33]}]\n",
     "ports[0].addresses[0]", "10.0.0.1/33", ""},
    /* Routes and neighbours. */
    {PORT "routes: [{prefix: 10.0.0.1/8, port: lan}]\n", "routes[0].prefix", "10.0.0.1/8",
     "must be 0"},
    {PORT "routes: [{prefix: 10.0.0.0/8}]\n", "routes[0]", "neither", "port or the tunnel"},
    {PORT "routes: [{prefix: 10.0.0.0/8, port: lan, tunnel: t}]\n", "routes[0]", "both", ""},
    {PORT "routes: [{prefix: 10.0.0.0/8, port: wan}]\n", "routes[0].port", "\"wan\"",
     "not the name of a port"},
    {PORT "routes: [{prefix: 10.0.0.0/8, via: \"2001:db8::1\", port: lan}]\n", "routes[0].via",
     "family", "10.0.0.0/8"},
    {PORT "routes: [{prefix: 10.0.0.0/8, tunnel: t}]\n", "routes[0].tunnel", "\"t\"",
     "not the name of a tunnel"},
    {TUNNEL("device: none") "routes: [{prefix: 10.0.0.0/8, tunnel: t}]\n", "routes[0].tunnel",
     "policy-based", "device"},
    {TUNNEL(ENDS) "routes: [{prefix: 10.0.0.0/8, via: 10.0.0.1, tunnel: t}]\n", "routes[0].via",
     "not with tunnel", ""},
    {PORT "neighbours: [{port: lan, address: 10.0.0.1, mac: \"02:00\"}]\n", "neighbours[0].mac",
     "02:00", "Ethernet"},
    {PORT "neighbours: [{port: lan, address: 10.0.0.1, mac: \"03:00:00:00:00:01\"}]\n",
     "neighbours[0].mac", "group address", ""},
    /* Tunnels. */
    {TUNNEL("local: 192.0.2.300"), "tunnels[0].local", "192.0.2.300", "no IP address"},
    {TUNNEL("local: 224.0.0.1"), "tunnels[0].local", "224.0.0.1", "one host"},
    {TUNNEL("local: 192.0.2.1, remote: \"2001:db8::1\""), "tunnels[0].remote", "family", ""},
    {TUNNEL("local: 192.0.2.1, remote: 192.0.2.1"), "tunnels[0].remote", "local address", ""},
    {TUNNEL("local_port: 4500"), "tunnels[0].local_port", "encapsulation: udp", ""},
    {TUNNEL("encapsulation: udp, remote_port: 0"), "tunnels[0].remote_port", "too small", "1"},
    {TUNNEL("replay_window: 31"), "tunnels[0].replay_window", "31 is too small", "32 to 32768"},
    {TUNNEL("replay_window: 32769"), "tunnels[0].replay_window", "too large", "32768"},
    {TUNNEL("mtu: 300"), "tunnels[0].mtu", "too small", "576"},
    {TUNNEL("keepalive: 9999"), "tunnels[0].keepalive", "too large", "3600"},
    {TUNNEL("dscp: 64"), "tunnels[0].dscp", "\"64\"", "0 to 63"},
    {TUNNEL("dscp: ef"), "tunnels[0].dscp", "\"ef\"", "copy"},
    {PORT "tunnels: [{name: a-long-name-of-a-site}]\n", "tunnels[0].device",
     "a-long-name-of-a-site", "none"},
    {PORT "tunnels: [{name: a}, {name: b}, {name: a}]\n", "tunnels[2].name", "\"a\" is taken",
     "index 0"},
    {PORT "tunnels: [{name: a, device: x}, {name: b, device: x}]\n", "tunnels[1].device",
     "\"x\" is taken", ""},
    {PORT "tunnels: [{name: a, device: esp0}]\n", "tunnels[0].device", "policy_device", ""},
    {PORT "tunnels: [{name: lan}]\n", "tunnels[0].device", "ports[0]", ""},
    {PORT "limits: {tunnels: 1}\ntunnels: [{name: a}, {name: b}]\n", "tunnels", "2 tunnels",
     "limits.tunnels allows 1"},
    /* Selectors. */
    {TUNNEL("selectors: [{local: 10.0.0.0/8, remote: \"fd00::/8\"}]"),
     "tunnels[0].selectors[0].remote", "family", ""},
    {TUNNEL("selectors: [{}, {local: 10.0.0.9-10.0.0.1}]"), "tunnels[0].selectors[1].local",
     "10.0.0.9-10.0.0.1", "first-last"},
    {TUNNEL("selectors: [{protocol: 256}]"), "tunnels[0].selectors[0].protocol", "256", "tcp"},
    {TUNNEL("selectors: [{protocol: icmp, local_ports: 8}]"), "tunnels[0].selectors[0].local_ports",
     "protocol", "udplite"},
    {TUNNEL("selectors: [{protocol: tcp, remote_ports: 99-1}]"),
     "tunnels[0].selectors[0].remote_ports", "99-1", "65535"},
    {TUNNEL("selectors: [{protocol: tcp, remote_ports: 70000}]"),
     "tunnels[0].selectors[0].remote_ports", "70000", "65535"},
    /* Manual keys. None of the sentences may hold a digit of one. */
    {TUNNEL(ENDS ", in: {spi: 1000, key: " KEY_A "}, out: {spi: 1001, key: " KEY_B "}"),
     "tunnels[0].in", "lab: yes", ""},
    {PORT "lab: yes\ntunnels: [{name: t, " ENDS ", in: {spi: 1000, key: " KEY_A "}}]\n",
     "tunnels[0].out", "missing", "both directions"},
    {PORT "lab: yes\ntunnels: [{name: t, in: {spi: 1000, key: " KEY_A "}, out: {}}]\n",
     "tunnels[0].local", "missing", ""},
    {KEYED(KEY_A, KEY_A), "tunnels[0].out.key", "the same key", "tunnels[0].in"},
    {KEYED(KEY_A, "00" KEY_B), "tunnels[0].out.key", "74 characters", "72"},
    {KEYED("0x" KEY_A, KEY_B), "tunnels[0].in.key", "74 characters", "without 0x"},
    {KEYED("abcd", KEY_B), "tunnels[0].in.key", "4 characters", "40"},
    {KEYED("\"\"", KEY_B), "tunnels[0].in.key", "empty", ""},
    {PORT "lab: yes\ntunnels: [{name: t, " ENDS ", in: {spi: 255, key: " KEY_A
	  "}, out: {spi: 1001, key: " KEY_B "}}]\n",
     "tunnels[0].in.spi", "255 is too small", "256"},
    /* Policies. */
    {POLICY("local: any"), "policies[0].action", "missing", "bypass"},
    {POLICY("action: protect"), "policies[0].tunnel", "missing", "protect"},
    {POLICY("action: protect, tunnel: x"), "policies[0].tunnel", "\"x\"", "not the name"},
    {POLICY("action: bypass, tunnel: x"), "policies[0].tunnel", "protect only", ""},
    {POLICY("action: bypass, remote: 10.0.0.0/40"), "policies[0].remote", "10.0.0.0/40", ""},
    {PORT "policies: [{name: p, action: discard}, {name: q, action: discard}, "
	  "{name: p, action: discard}]\n",
     "policies[2].name", "\"p\" is taken", ""},
};

static void test_wrong(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		const struct wrong *w = &wrongs[i];
		struct config *config = NULL;
		struct fault fault = {0};
		int err = config_parse(w->text, strlen(w->text), &config, &fault);
		bool good;

		if (w->where == NULL)
			good = err == 0;
		else
			good = err == -EINVAL && fault.err == EINVAL && config == NULL &&
			       strcmp(fault.where, w->where) == 0 &&
			       strstr(fault.what, w->what) != NULL &&
			       strstr(fault.what, w->and) != NULL &&
			       strstr(fault.what, "0102030405") == NULL &&
			       strstr(fault.what, "4142434445") == NULL;
		if (!good) {
			print_error("%s\n  wanted %s: %s … %s\n  got %d %s: %s\n", w->text,
				    w->where, w->what, w->and, err, fault.where, fault.what);
			failures++;
		}
		config_free(config);
	}
	assert_int_equal(failures, 0);
}

static struct config *load_good(const char *text)
{
	struct config *config = NULL;
	struct fault fault = {0};

	if (config_parse(text, strlen(text), &config, &fault) != 0)
		fail_msg("%s: %s", fault.where, fault.what);
	return config;
}

static void test_defaults(void **state)
{
	struct config *c = load_good(PORT "tunnels: [{name: siteb}]\n");

	(void)state;
	assert_int_equal(c->lcores_count, 1);
	assert_int_equal(c->lcores[0], 1);
	assert_false(c->sleep);
	assert_int_equal(c->buffers, 0);
	assert_int_equal(c->buffer_size, 2048);
	assert_string_equal(c->hugepages, "auto");
	assert_int_equal(c->ports[0].queues, 1);
	assert_int_equal(c->ports[0].mtu, 0);
	assert_true(c->ports[0].mirror);
	assert_string_equal(c->ports[0].xdp_mode, "auto");
	assert_false(c->lab);
	assert_string_equal(c->socket, "/run/espalier/control.sock");
	assert_int_equal(c->socket_mode, 0660);
	assert_null(c->socket_group);
	assert_string_equal(c->tunnel_log, "/var/log/espalier/tunnels.jsonl");
	assert_int_equal(c->tunnel_log_size, 10 << 20);
	assert_int_equal(c->tunnel_log_keep, 5);
	assert_string_equal(c->tunnels[0].device, "siteb");
	assert_true(c->tunnels[0].esn);
	assert_int_equal(c->tunnels[0].replay_window, 1024);
	assert_int_equal(c->tunnels[0].dscp, -1);
	assert_false(c->tunnels[0].keys);
	config_free(c);
}

static void test_values(void **state)
{
	struct config *c = load_good(
	    PORT "lab: true\nworkers: {lcores: [3, 0x1], idle: sleep}\n"
		 "tunnels:\n"
		 "  - {name: a, " ENDS ", encapsulation: udp, remote_port: 20001, replay_window: 0,"
		 " dscp: 46, in: {spi: 0xc0000001, key: " KEY_A "},"
		 " out: {spi: 257, key: 00112233445566778899AABBCCDDEEFF01020304}}\n"
		 "  - {name: b, selectors: [{local: 10.0.0.0/8, remote: 10.1.0.1-10.1.0.9,"
		 " protocol: tcp, remote_ports: 80-90}, {}]}\n"
		 "routes: [{prefix: \"fd00::/8\", tunnel: a}]\n");
	const struct config_tunnel *a = &c->tunnels[0], *b = &c->tunnels[1];

	(void)state;
	assert_int_equal(c->lcores[0], 3);
	assert_int_equal(c->lcores[1], 1);
	assert_true(c->sleep);
	assert_true(a->udp);
	assert_int_equal(a->local_port, 4500);
	assert_int_equal(a->remote_port, 20001);
	assert_int_equal(a->replay_window, 0);
	assert_int_equal(a->dscp, 46);
	assert_true(a->keys);
	assert_int_equal(a->in.spi, 0xc0000001);
	assert_int_equal(a->in.key_len, 36);
	for (int i = 0; i < 32; i++)
		assert_int_equal(a->in.key[i], i);
	assert_int_equal(a->out.key_len, 20);
	assert_int_equal(a->out.key[15], 0xff);
	assert_int_equal(a->out.key[19], 0x04);
	/* The empty selector is any to any, of each family. */
	assert_string_equal(b->device, "");
	assert_int_equal(b->selectors_count, 3);
	assert_int_equal(b->selectors[0].proto, 6);
	assert_int_equal(b->selectors[0].remote_port_first, 80);
	assert_int_equal(b->selectors[0].remote_port_last, 90);
	assert_int_equal(b->selectors[0].local_port_last, 65535);
	assert_int_equal(b->selectors[0].remote_last.bytes[3], 9);
	assert_int_equal(b->selectors[1].local_first.family, 4);
	assert_int_equal(b->selectors[2].local_first.family, 6);
	assert_int_equal(c->routes[0].prefix.addr.family, 6);
	config_wipe_keys(c);
	for (size_t i = 0; i < sizeof(a->in.key); i++)
		assert_int_equal(a->in.key[i] | a->out.key[i], 0);
	config_free(c);
}

/* A file cut off anywhere is refused or accepted, without a crash or a leak. */
static void test_truncated(void **state)
{
	static const char text[] =
	    KEYED(KEY_A, KEY_B) "policies: [{name: p, action: protect, tunnel: t}]\n";

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		struct config *config = NULL;
		struct fault fault = {0};
		if (config_parse(text, len, &config, &fault) != 0)
			assert_true(fault.what[0] != '\0');
		config_free(config);
	}
}

static void test_no_file(void **state)
{
	struct config *config = NULL;
	struct fault fault = {0};

	(void)state;
	assert_int_equal(config_load("/nonexistent/espalier.yaml", &config, &fault), -ENOENT);
	assert_non_null(strstr(fault.what, "No such file"));
	assert_int_equal(config_load("/dev/null", &config, &fault), -EINVAL);
	assert_non_null(strstr(fault.what, "regular file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wrong),   cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_values),  cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
