/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "control/event_table.h"
#include "control/table.h"

/* clang-format off */
#define TUNNEL {"tunnel", MEMBER_NAME, .help = "the tunnel"}
#define DIRECTION {"direction", MEMBER_ENUM, .values = "in out", .help = "of the SA"}
#define SPI {"spi", MEMBER_INTEGER, .unit = UNIT_HEX, .help = "of the SA"}
#define OUTER                                                                  \
	{"local", MEMBER_ADDRESS, .help = "the SA's outer address here"},      \
	{"remote", MEMBER_ADDRESS, .help = "the SA's outer address of the peer"}
#define WHICH_SA TUNNEL, DIRECTION, SPI, OUTER
#define LIMIT                                                                                   \
	{"limit", MEMBER_ENUM, .values = "bytes packets sequence add_time use_time",            \
	 .help = "which lifetime it was"}
#define REASON {"reason", MEMBER_STRING, .help = "why, a short phrase"}
#define ACTOR                                                                                   \
	{"actor", MEMBER_STRING,                                                                \
	 .help = "who asked, such as \"charon (pid 812, uid 0)\"; absent: the gateway itself"}

const struct member event_common[] = {
	{"event", MEMBER_ENUM, .values = EVENT_WORDS, .help = "its name"},
	{"seq", MEMBER_INTEGER, .help = "counts the events of this subscription, from 1"},
	{"time", MEMBER_STRING, .help = "UTC, such as \"2026-11-21T03:04:05.678Z\""},
	END_OF_MEMBERS
};

const struct member event_sa_soft_members[] = {WHICH_SA, LIMIT, END_OF_MEMBERS};
const struct member event_sa_hard_members[] = {WHICH_SA, LIMIT, END_OF_MEMBERS};
const struct member event_sa_exhausted_members[] = {WHICH_SA, END_OF_MEMBERS};
const struct member event_sa_mapping_members[] = {
	TUNNEL,
	SPI,
	OUTER,
	{"new_remote", MEMBER_ADDRESS, .help = "where the packet came from"},
	{"udp", MEMBER_BOOLEAN, .help = "it came in UDP (RFC 3948)"},
	{"new_port", MEMBER_INTEGER, .help = "its source port; only with udp"},
	END_OF_MEMBERS
};
const struct member event_sa_failures_members[] = {
	TUNNEL,
	DIRECTION,
	SPI,
	{"reason", MEMBER_STRING, .help = "why the last of them was dropped, as in drops.get"},
	{"count", MEMBER_INTEGER, .help = "packets so far within the second"},
	END_OF_MEMBERS
};

static const struct member packet_members[] = {
	{"local", MEMBER_ADDRESS, .help = "address on our side"},
	{"remote", MEMBER_ADDRESS, .help = "address on the peer's side"},
	{"protocol", MEMBER_INTEGER, .help = "upper-layer protocol"},
	{"local_port", MEMBER_INTEGER, .help = "absent where the packet shows none"},
	{"remote_port", MEMBER_INTEGER, .help = "absent where the packet shows none"},
	END_OF_MEMBERS
};
const struct member event_acquire_members[] = {
	TUNNEL,
	{"policy", MEMBER_NAME, .help = "the policy it met; absent where a route led to the tunnel"},
	{"packet", MEMBER_OBJECT, .members = packet_members, .help = "the packet that asks"},
	END_OF_MEMBERS
};

#define STATES "up half down"
const struct member event_tunnel_state_members[] = {
	TUNNEL,
	{"state", MEMBER_ENUM, .values = STATES, .help = "from now on"},
	{"was", MEMBER_ENUM, .values = STATES, .help = "before"},
	REASON,
	ACTOR,
	END_OF_MEMBERS
};
const struct member event_tunnel_rekey_members[] = {TUNNEL, SPI, END_OF_MEMBERS};
const struct member event_tunnel_reset_members[] = {TUNNEL, REASON, ACTOR, END_OF_MEMBERS};
const struct member event_tunnel_delete_members[] = {TUNNEL, REASON, ACTOR, END_OF_MEMBERS};
const struct member event_port_link_members[] = {
	{"port", MEMBER_NAME, .help = "its name"},
	{"up", MEMBER_BOOLEAN, .help = "the link"},
	END_OF_MEMBERS
};

const struct event_type event_table[EVENT_COUNT] = {
#define X(id, name, summary) [EVENT_ID_##id] = {name, summary, event_##id##_members},
	EVENTS(X)
#undef X
};
/* clang-format on */

int event_find(const char *name)
{
	for (int i = 0; i < EVENT_COUNT; i++)
		if (strcmp(event_table[i].name, name) == 0)
			return i;
	return -1;
}
