/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/event_table.h"
#include "control/table.h"

/* clang-format off */
const struct member events_subscribe_params[] = {
	{"events", MEMBER_WORDS, .values = EVENT_WORDS, .max = 64,
	 .help = "only these; every event where left out"},
	{"tunnel", MEMBER_NAME, .max = 63,
	 .help = "only of the tunnel with this name, which need not be there yet"},
	END_OF_MEMBERS
};
const struct member events_subscribe_result[] = {
	{"events", MEMBER_WORDS, .values = EVENT_WORDS, .help = "what will be delivered"},
	END_OF_MEMBERS
};

const struct member events_unsubscribe_params[] = {END_OF_MEMBERS};
const struct member events_unsubscribe_result[] = {
	{"subscribed", MEMBER_BOOLEAN, .help = "whether there was a subscription"},
	END_OF_MEMBERS
};

static const struct member count_members[] = {
	{"policies", MEMBER_INTEGER, .help = "policies"},
	{"sas", MEMBER_INTEGER, .help = "SAs of both directions"},
	{"tunnels", MEMBER_INTEGER, .help = "tunnels"},
	{"spis", MEMBER_INTEGER, .help = "SPIs reserved by spi.alloc and not used yet"},
	END_OF_MEMBERS
};

const struct member session_open_params[] = {
	{"name", MEMBER_NAME, .required = true, .max = 63, .help = "of the client, always the same"},
	{"grace", MEMBER_INTEGER, .max = UINT32_MAX, .initial = "0", .unit = UNIT_SECONDS,
	 .help = "seconds that it may be away before all that it installed is deleted; 0: for ever"},
	END_OF_MEMBERS
};
const struct member session_open_result[] = {
	{"session", MEMBER_INTEGER, .help = "its number"},
	{"resumed", MEMBER_BOOLEAN,
	 .help = "it had vanished; what it installed before is marked until it is confirmed, by "
		 "adding it again with exist_ok or by sa.update"},
	{"marked", MEMBER_OBJECT, .members = count_members, .help = "how much is marked"},
	END_OF_MEMBERS
};

#define SESSION                                                                                   \
	{"name", MEMBER_NAME, .column = "NAME", .help = "its name"},                              \
	{"session", MEMBER_INTEGER, .help = "its number"},                                        \
	{"uid", MEMBER_INTEGER, .column = "UID", .help = "the user who opened it"},               \
	{"connections", MEMBER_INTEGER, .column = "CONNECTIONS",                                  \
	 .help = "connections that belong to it; 0: it has vanished"},                            \
	{"since", MEMBER_INTEGER, .unit = UNIT_SECONDS, .column = "SINCE",                        \
	 .help = "seconds since it connected or vanished"},                                       \
	{"grace", MEMBER_INTEGER, .unit = UNIT_SECONDS, .column = "GRACE",                        \
	 .help = "seconds that it may be away; 0: for ever"}

const struct member session_list_params[] = {END_OF_MEMBERS};
static const struct member session_item_members[] = {SESSION, END_OF_MEMBERS};
const struct member session_list_result[] = {
	{"items", MEMBER_ARRAY, .members = session_item_members, .help = "the sessions"},
	END_OF_MEMBERS
};

#define WHICH_SESSION                                                                             \
	{"name", MEMBER_NAME, .max = 63, .help = "of the session; this connection's where left out"}

const struct member session_get_params[] = {WHICH_SESSION, END_OF_MEMBERS};
const struct member session_get_result[] = {
	SESSION,
	{"installed", MEMBER_OBJECT, .members = count_members, .help = "what belongs to it"},
	END_OF_MEMBERS
};

const struct member session_sweep_params[] = {WHICH_SESSION, END_OF_MEMBERS};
const struct member session_sweep_result[] = {
	{"deleted", MEMBER_OBJECT, .members = count_members,
	 .help = "how much that was; a tunnel stays while SAs or policies need it"},
	END_OF_MEMBERS
};

const struct member session_close_params[] = {
	{"delete", MEMBER_BOOLEAN, .initial = "false", .help = "delete all that it installed"},
	END_OF_MEMBERS
};
const struct member session_close_result[] = {
	{"deleted", MEMBER_OBJECT, .members = count_members, .help = "how much that was"},
	END_OF_MEMBERS
};
/* clang-format on */
