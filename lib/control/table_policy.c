/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/table.h"

/* clang-format off */
#define WHICH                                                                                      \
	{"name", MEMBER_NAME, .max = 63, .help = "its name; this or the id is needed"},            \
	{"id", MEMBER_INTEGER, .min = 1, .max = UINT32_MAX, .help = "its number"}

const struct member policy_add_params[] = {
	{"name", MEMBER_NAME, .required = true, .max = 63, .help = "its name, not in use yet"},
	{"action", MEMBER_ENUM, .required = true, .values = "protect bypass discard",
	 .help = "send through a tunnel, forward in the clear, or drop (RFC 4301 4.4.1)"},
	{"selector", MEMBER_OBJECT, .required = true, .members = selector_members,
	 .help = "which packets it is about"},
	{"tunnel", MEMBER_NAME, .max = 63, .help = "with protect: the tunnel"},
	{"priority", MEMBER_INTEGER, .max = UINT32_MAX, .initial = "1000",
	 .help = "the lowest number is asked first; among equals the older one"},
	{"trap", MEMBER_BOOLEAN, .initial = "false",
	 .help = "with protect: what finds no SA waits for one for a moment, and the event acquire "
		 "asks for it, instead of being dropped at once"},
	EXIST_OK("policy, with these settings,"),
	END_OF_MEMBERS
};
const struct member policy_add_result[] = {
	{"created", MEMBER_BOOLEAN, .help = "false where it was there already (exist_ok)"},
	{"id", MEMBER_INTEGER, .help = "its number, never used for another one"},
	{"name", MEMBER_NAME, .help = "as asked"},
	END_OF_MEMBERS
};

const struct member policy_delete_params[] = {WHICH, MISSING_OK, END_OF_MEMBERS};
const struct member policy_delete_result[] = {DELETED, END_OF_MEMBERS};

#define POLICY_VIEW                                                                                \
	{"priority", MEMBER_INTEGER, .column = "PRIO", .help = "the lowest is asked first"},       \
	{"id", MEMBER_INTEGER, .help = "its number"},                                              \
	{"name", MEMBER_NAME, .column = "NAME", .help = "its name"},                               \
	{"action", MEMBER_ENUM, .values = "protect bypass discard", .column = "ACTION",            \
	 .help = "what happens to the packets"},                                                   \
	{"tunnel", MEMBER_NAME, .column = "TUNNEL", .help = "with protect: the tunnel"},           \
	{"trap", MEMBER_BOOLEAN, .help = "with protect: as set"},                                  \
	{"selector", MEMBER_OBJECT, .members = selector_members, .help = "which packets"},         \
	SESSION_NAME,                                                                              \
	{"packets", MEMBER_INTEGER, .column = "PACKETS", .help = "that met it outbound"},          \
	{"bytes", MEMBER_INTEGER, .unit = UNIT_BYTES, .column = "BYTES", .help = "their bytes"}

const struct member policy_get_params[] = {WHICH, END_OF_MEMBERS};
const struct member policy_get_result[] = {POLICY_VIEW, END_OF_MEMBERS};

static const struct member policy_item_members[] = {POLICY_VIEW, END_OF_MEMBERS};
const struct member policy_list_params[] = {
	{"tunnel", MEMBER_NAME, .max = 63, .help = "only those of this tunnel"},
	PAGE,
	END_OF_MEMBERS
};
const struct member policy_list_result[] = {
	PAGE_RESULT(policy_item_members, "the policies"),
	END_OF_MEMBERS
};

const struct member policy_flush_params[] = {
	{"tunnel", MEMBER_NAME, .max = 63, .help = "only those of this tunnel"},
	END_OF_MEMBERS
};
const struct member policy_flush_result[] = {DELETED_COUNT, END_OF_MEMBERS};
/* clang-format on */
