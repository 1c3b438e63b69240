/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/table.h"

/* clang-format off */
#define NAME {"name", MEMBER_NAME, .required = true, .max = 63, .help = "the tunnel's name"}
#define MTU_HELP "largest inner packet, 576 to 65535; 0: computed from the outer MTU"
#define TRAP_HELP                                                                                  \
	"what finds no SA waits for one for a moment, and the event acquire asks for it, instead " \
	"of being dropped at once"
#define KEEPALIVE_HELP "seconds of silence before a NAT keepalive is sent (RFC 3948 4); 0: never"

const struct member tunnel_add_params[] = {
	NAME,
	{"device", MEMBER_STRING, .max = 15,
	 .help = "its tun device; the default is its name, and \"\" makes it policy-based, without "
		 "a device of its own"},
	{"local", MEMBER_ADDRESS, .help = "outer address here, the default of its SAs"},
	{"remote", MEMBER_ADDRESS, .help = "outer address of the peer, the default of its SAs"},
	{"mtu", MEMBER_INTEGER, .max = 65535, .initial = "0", .help = MTU_HELP},
	{"keepalive", MEMBER_INTEGER, .max = 3600, .initial = "20", .help = KEEPALIVE_HELP},
	{"trap", MEMBER_BOOLEAN, .initial = "false", .help = TRAP_HELP},
	EXIST_OK("tunnel, with these settings,"),
	END_OF_MEMBERS
};

static const struct member totals_members[] = {
	{"packets_in", MEMBER_INTEGER, .column = "PKTS-IN", .help = "inner packets received"},
	{"bytes_in", MEMBER_INTEGER, .unit = UNIT_BYTES, .column = "BYTES-IN", .help = "their bytes"},
	{"packets_out", MEMBER_INTEGER, .column = "PKTS-OUT", .help = "inner packets sent"},
	{"bytes_out", MEMBER_INTEGER, .unit = UNIT_BYTES, .column = "BYTES-OUT",
	 .help = "their bytes"},
	{"drops_in", MEMBER_INTEGER, .column = "DROPS-IN", .help = "dropped by its inbound SAs"},
	{"drops_out", MEMBER_INTEGER, .column = "DROPS-OUT", .help = "dropped by its outbound SAs"},
	END_OF_MEMBERS
};

#define TUNNEL_VIEW                                                                                \
	{"name", MEMBER_NAME, .column = "NAME", .help = "its name"},                               \
	{"state", MEMBER_ENUM, .values = "up half down", .column = "STATE",                        \
	 .help = "up: both directions have an SA; half: one; down: none"},                         \
	{"since", MEMBER_INTEGER, .unit = UNIT_SECONDS, .column = "SINCE",                         \
	 .help = "seconds since it last came up or went down"},                                    \
	{"reason", MEMBER_STRING,                                                                  \
	 .help = "why, a short phrase"},                   \
	{"local", MEMBER_ADDRESS,                                                                  \
	 .help = "outer address here; absent where not set"},                                      \
	{"remote", MEMBER_ADDRESS, .column = "REMOTE",                                             \
	 .help = "outer address of the peer; absent where not set"},                               \
	{"device", MEMBER_STRING, .help = "tun device; \"\" for a policy-based tunnel"},           \
	{"ifindex", MEMBER_INTEGER, .help = "of the device; absent without one"},                  \
	{"mtu", MEMBER_INTEGER, .help = "largest inner packet as set; 0: computed"},               \
	{"keepalive", MEMBER_INTEGER, .unit = UNIT_SECONDS, .help = "as set"},                     \
	{"trap", MEMBER_BOOLEAN, .help = "as set; a policy may want it too"},                      \
	{"spi_in", MEMBER_INTEGER, .unit = UNIT_HEX, .column = "SPI-IN",                           \
	 .help = "of the newest inbound SA; absent without one"},                                  \
	{"spi_out", MEMBER_INTEGER, .unit = UNIT_HEX, .column = "SPI-OUT",                         \
	 .help = "of the SA that sends; absent without one"},                                      \
	{"sas_in", MEMBER_INTEGER, .help = "inbound SAs"},                                         \
	{"sas_out", MEMBER_INTEGER, .help = "outbound SAs"},                                       \
	SESSION_NAME,                                                                              \
	{"totals", MEMBER_OBJECT, .members = totals_members,                                       \
	 .help = "of all its SAs, past ones included"}

const struct member tunnel_add_result[] = {
	{"created", MEMBER_BOOLEAN, .help = "false where it was there already (exist_ok)"},
	{"name", MEMBER_NAME, .help = "as asked"},
	{"device", MEMBER_STRING, .help = "tun device; \"\" for a policy-based tunnel"},
	END_OF_MEMBERS
};

const struct member tunnel_update_params[] = {
	NAME,
	{"mtu", MEMBER_INTEGER, .max = 65535, .help = MTU_HELP},
	{"keepalive", MEMBER_INTEGER, .max = 3600, .help = KEEPALIVE_HELP},
	{"trap", MEMBER_BOOLEAN, .help = TRAP_HELP},
	END_OF_MEMBERS
};
const struct member tunnel_update_result[] = {TUNNEL_VIEW, END_OF_MEMBERS};

const struct member tunnel_delete_params[] = {NAME, MISSING_OK, END_OF_MEMBERS};
const struct member tunnel_delete_result[] = {DELETED, END_OF_MEMBERS};

const struct member tunnel_reset_params[] = {
	NAME,
	REASON_GIVEN(NULL),
	END_OF_MEMBERS
};
const struct member tunnel_reset_result[] = {
	{"deleted", MEMBER_INTEGER, .help = "how many SAs it had"},
	END_OF_MEMBERS
};

const struct member tunnel_get_params[] = {NAME, END_OF_MEMBERS};
const struct member tunnel_get_result[] = {TUNNEL_VIEW, END_OF_MEMBERS};

static const struct member tunnel_item_members[] = {TUNNEL_VIEW, END_OF_MEMBERS};
const struct member tunnel_list_params[] = {PAGE, END_OF_MEMBERS};
const struct member tunnel_list_result[] = {
	PAGE_RESULT(tunnel_item_members, "the tunnels"),
	END_OF_MEMBERS
};

static const struct member log_members[] = {
	{"time", MEMBER_STRING, .column = "TIME", .help = "UTC, such as \"2026-11-21T03:04:05.678Z\""},
	{"event", MEMBER_STRING, .column = "EVENT",
	 .help = "TunnelConnected, TunnelDisconnected, TunnelRekeyed, TunnelReset, TunnelAcquire "
		 "(traffic asks for SAs), TunnelDeleted, GatewayStarted or GatewayStopped"},
	{"tunnel", MEMBER_NAME, .column = "TUNNEL", .help = "the tunnel"},
	{"reason", MEMBER_STRING, .column = "REASON", .help = "why"},
	{"actor", MEMBER_STRING, .column = "ACTOR",
	 .help = "who asked; absent where the gateway itself acted"},
	{"local", MEMBER_ADDRESS, .help = "outer address here"},
	{"remote", MEMBER_ADDRESS, .help = "outer address of the peer"},
	{"spi_in", MEMBER_INTEGER, .unit = UNIT_HEX, .help = "of the newest inbound SA"},
	{"spi_out", MEMBER_INTEGER, .unit = UNIT_HEX, .help = "of the SA that sends"},
	{"packets_in", MEMBER_INTEGER, .help = "totals of a tunnel that went down: packets received"},
	{"bytes_in", MEMBER_INTEGER, .unit = UNIT_BYTES, .help = "their bytes"},
	{"packets_out", MEMBER_INTEGER, .help = "packets sent"},
	{"bytes_out", MEMBER_INTEGER, .unit = UNIT_BYTES, .help = "their bytes"},
	{"version", MEMBER_STRING, .help = "of espalier, where the gateway has started"},
	{"pid", MEMBER_INTEGER, .help = "of the gateway that has started or stopped"},
	END_OF_MEMBERS
};
const struct member tunnel_log_params[] = {
	{"name", MEMBER_NAME, .max = 63, .help = "only of the tunnel with this name, there or not"},
	{"limit", MEMBER_INTEGER, .min = 1, .max = 1000, .initial = "100",
	 .help = "the most to return: the newest"},
	END_OF_MEMBERS
};
const struct member tunnel_log_result[] = {
	{"items", MEMBER_ARRAY, .members = log_members, .help = "oldest first"},
	END_OF_MEMBERS
};

const struct member tunnel_send_dummy_params[] = {
	NAME,
	{"count", MEMBER_INTEGER, .min = 1, .max = 1000, .initial = "1",
	 .help = "how many; where the worker has no room for all (EAGAIN), some have been sent"},
	{"length", MEMBER_INTEGER, .max = 1400, .initial = "64", .help = "payload bytes of each"},
	END_OF_MEMBERS
};
const struct member tunnel_send_dummy_result[] = {
	{"sent", MEMBER_INTEGER, .help = "packets handed to the tunnel's worker"},
	END_OF_MEMBERS
};
/* clang-format on */
