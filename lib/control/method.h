/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_METHOD_H
#define ESPALIER_CONTROL_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/class.h"
#include "control/methods_session.h"

/*
 * The methods of the control socket, each declared once. From METHODS and the
 * arrays of members that it names come dispatch, validation, rpc.discover,
 * docs/control.md and espctl's commands and help. A new method is one line here,
 * its two arrays, and a function call_ID (call.h).
 *
 * METHODS(id, name, class, summary, parameters of an example as JSON)
 */
#define METHODS_SA(X)                                                                             \
	X(spi_alloc, "spi.alloc", CONTROL_CHANGE,                                                 \
	  "Reserve a free inbound SPI until sa.add uses it or spi.release gives it back.", "{}")  \
	X(spi_release, "spi.release", CONTROL_CHANGE, "Give back an SPI that no SA has used.",    \
	  "{\"spi\":4096}")                                                                       \
	X(sa_add, "sa.add", CONTROL_KEYS,                                                         \
	  "Install one SA. The newest outbound SA of a tunnel is the one that sends.",            \
	  "{\"direction\":\"in\",\"spi\":4096,\"tunnel\":\"paris\",\"key\":"                      \
	  "\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223\"}")        \
	X(sa_add_many, "sa.add_many", CONTROL_KEYS,                                               \
	  "Install many SAs, all or none: what they have alike once, the rest in rows.",          \
	  "{\"template\":{\"tunnel\":\"paris\",\"hard_add_time\":3600},"                          \
	  "\"columns\":[\"direction\",\"spi\",\"key\"],\"rows\":["                                \
	  "[\"in\",8192,"                                                                         \
	  "\"202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40414243\"],"        \
	  "[\"out\",8193,"                                                                        \
	  "\"606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f80818283\"]]}")      \
	X(sa_update, "sa.update", CONTROL_CHANGE,                                                 \
	  "Give an SA new outer addresses, ports or encapsulation; key and numbers stay.",        \
	  "{\"direction\":\"out\",\"spi\":4097,\"tunnel\":\"paris\","                             \
	  "\"new_remote\":\"192.0.2.9\",\"udp\":true}")                                           \
	X(sa_query, "sa.query", CONTROL_READ,                                                     \
	  "What an SA has carried and when it was last used, in short.",                          \
	  "{\"direction\":\"in\",\"spi\":4096}")                                                  \
	X(sa_delete, "sa.delete", CONTROL_CHANGE,                                                 \
	  "Delete one SA; its counters stay in the tunnel's totals.",                             \
	  "{\"direction\":\"in\",\"spi\":4096}")                                                  \
	X(sa_get, "sa.get", CONTROL_READ, "One SA with its counters, without its key.",           \
	  "{\"direction\":\"in\",\"spi\":4096}")                                                  \
	X(sa_list, "sa.list", CONTROL_READ, "SAs with their counters, page by page.",             \
	  "{\"tunnel\":\"paris\"}")                                                               \
	X(sa_flush, "sa.flush", CONTROL_CHANGE,                                                   \
	  "Delete all SAs, or all of a tunnel. Other requests are served in between where there " \
	  "are more than some ten thousand.",                                                     \
	  "{\"tunnel\":\"paris\"}")

#define METHODS_TUNNEL(X)                                                                          \
	X(tunnel_add, "tunnel.add", CONTROL_CHANGE,                                                \
	  "Make a tunnel, and its tun device where it is route-based.",                            \
	  "{\"name\":\"paris\",\"local\":\"198.51.100.1\",\"remote\":\"192.0.2.1\"}")              \
	X(tunnel_update, "tunnel.update", CONTROL_CHANGE, "Change settings of a tunnel.",          \
	  "{\"name\":\"paris\",\"mtu\":1400}")                                                     \
	X(tunnel_delete, "tunnel.delete", CONTROL_CHANGE,                                          \
	  "Delete a tunnel and its SAs; refused while a policy names it.", "{\"name\":\"paris\"}") \
	X(tunnel_reset, "tunnel.reset", CONTROL_CHANGE,                                            \
	  "Delete the SAs of a tunnel and ask for new ones, by the event tunnel.reset.",           \
	  "{\"name\":\"paris\",\"reason\":\"wedged\"}")                                            \
	X(tunnel_get, "tunnel.get", CONTROL_READ, "One tunnel with state, SPIs and totals.",       \
	  "{\"name\":\"paris\"}")                                                                  \
	X(tunnel_list, "tunnel.list", CONTROL_READ, "Tunnels with state and totals.", "{}")        \
	X(tunnel_log, "tunnel.log", CONTROL_READ,                                                  \
	  "What happened to tunnels, from the log of their lives.",                                \
	  "{\"name\":\"paris\",\"limit\":20}")                                                     \
	X(tunnel_send_dummy, "tunnel.send_dummy", CONTROL_CHANGE,                                  \
	  "Send dummy packets, which the peer discards (RFC 4303 2.6).",                           \
	  "{\"name\":\"paris\",\"count\":3}")

#define METHODS_POLICY(X)                                                                      \
	X(policy_add, "policy.add", CONTROL_CHANGE, "Add a policy, valid in both directions.", \
	  "{\"name\":\"branch\",\"action\":\"protect\",\"tunnel\":\"paris\",\"selector\":"     \
	  "{\"local\":\"10.1.0.0/16\",\"remote\":\"10.2.0.0/16\"}}")                           \
	X(policy_delete, "policy.delete", CONTROL_CHANGE, "Delete one policy.",                \
	  "{\"name\":\"branch\"}")                                                             \
	X(policy_get, "policy.get", CONTROL_READ, "One policy with its hits.",                 \
	  "{\"name\":\"branch\"}")                                                             \
	X(policy_list, "policy.list", CONTROL_READ,                                            \
	  "Policies with their hits, in the order in which they are asked.", "{}")             \
	X(policy_flush, "policy.flush", CONTROL_CHANGE,                                        \
	  "Delete all policies, or all of a tunnel.", "{\"tunnel\":\"paris\"}")

#define METHODS_GATEWAY(X)                                                                       \
	X(port_list, "port.list", CONTROL_READ, "Ports with link state and counters.", "{}")     \
	X(counters_get, "counters.get", CONTROL_READ,                                            \
	  "Packets by worker, and their sums: what came in, what went out, what was dropped.",   \
	  "{}")                                                                                  \
	X(drops_get, "drops.get", CONTROL_READ, "Dropped packets by reason.", "{}")              \
	X(explain, "explain", CONTROL_READ,                                                      \
	  "Which policy, tunnel, SA, route and MTU a packet would meet, and what would drop "    \
	  "it. Nothing is sent.",                                                                \
	  "{\"source\":\"10.1.0.5\",\"destination\":\"10.2.0.9\",\"protocol\":\"tcp\","          \
	  "\"destination_port\":443}")                                                           \
	X(log_level, "log.level", CONTROL_CHANGE,                                                \
	  "How much the gateway writes into its log: change it, or only ask.",                   \
	  "{\"level\":\"debug\"}")                                                               \
	X(gateway_reset, "gateway.reset", CONTROL_CHANGE,                                        \
	  "Reset every tunnel, except those with manual keys.", "{\"reason\":\"maintenance\"}")  \
	X(gateway_info, "gateway.info", CONTROL_READ, "What runs here and what its limits are.", \
	  "{}")                                                                                  \
	X(rpc_discover, "rpc.discover", CONTROL_READ, "This interface as an OpenRPC document.",  \
	  "{}")

#define METHODS(X) \
	METHODS_SA(X) METHODS_TUNNEL(X) METHODS_POLICY(X) METHODS_GATEWAY(X) METHODS_SESSION(X)

enum member_type {
	MEMBER_BOOLEAN,
	MEMBER_INTEGER, /* min … max */
	MEMBER_STRING,  /* at most max bytes of UTF-8 without control characters */
	MEMBER_NAME, /* 1 … max bytes: letters, digits and . _ - : @ +, a letter or digit first */
	MEMBER_ENUM, /* one of the words in `values` */
	MEMBER_ADDRESS,  /* IPv4 or IPv6 */
	MEMBER_RANGE,    /* of addresses: "any", address, prefix, "first-last" */
	MEMBER_PORTS,    /* "any", a port, "first-last" */
	MEMBER_PROTOCOL, /* "any", a name such as "tcp", a number 1 … 255 */
	MEMBER_KEY,      /* key and salt in hexadecimal, 40 or 72 digits */
	MEMBER_OBJECT,   /* of `members` */
	MEMBER_ARRAY,    /* at most max objects of `members` */
	MEMBER_WORDS,    /* an array of at most max of the words in `values` */
	MEMBER_ROWS,     /* an array of at most max arrays, which the method checks further */
};

#define CONTROL_ROWS_MAX 4096 /* SAs of one sa.add_many: some 20 ms of the control thread */

/* How espctl prints a number. */
enum member_unit { UNIT_NONE, UNIT_HEX, UNIT_BYTES, UNIT_SECONDS, UNIT_CYCLES };

/* One parameter, or one member of a result. Arrays end with a NULL name. */
struct member {
	const char *name;
	enum member_type type;
	bool required; /* of a parameter */
	enum member_unit unit;
	int64_t min, max;
	const char *values;  /* ENUM, WORDS: words separated by spaces */
	const char *initial; /* the default of a parameter that may be left out; NULL: none */
	const char *help;
	const char *column; /* heading in espctl's lists; NULL: shown only for one object */
	const struct member *members;
};

struct method {
	const char *name;
	enum control_class class;
	const char *summary;
	const char *example;
	const struct member *params, *result;
};

enum method_id {
#define X(id, name, class, summary, example) METHOD_##id,
	METHODS(X)
#undef X
	    METHOD_COUNT
};

extern const struct method method_table[METHOD_COUNT];

#define X(id, name, class, summary, example) \
	extern const struct member id##_params[], id##_result[];
METHODS(X)
#undef X

/* NULL if there is none. */
const struct method *method_find(const char *name);
const struct member *member_find(const struct member *members, const char *name);

/* "read", "change", "keys". */
const char *class_name(enum control_class class);

#endif
