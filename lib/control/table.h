/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_TABLE_H
#define ESPALIER_CONTROL_TABLE_H

#include <stdbool.h>

#include "control/method.h"

/* Members that several methods of the table have alike; only for table_*.c. */
extern const struct member selector_members[];

#define END_OF_MEMBERS       \
	{                    \
		.name = NULL \
	}

#define EXIST_OK(what)                                                                             \
	{                                                                                          \
		"exist_ok", MEMBER_BOOLEAN,                                                        \
		    .initial = "false", .help = "succeed where the same " what " is there already" \
	}

#define MISSING_OK                                                                  \
	{                                                                           \
		"missing_ok", MEMBER_BOOLEAN, .initial = "false",                   \
					      .help = "succeed where there is none" \
	}

#define DELETED                                                                              \
	{                                                                                    \
		"deleted", MEMBER_BOOLEAN, .help = "false where there was none (missing_ok)" \
	}

#define DELETED_COUNT                                                    \
	{                                                                \
		"deleted", MEMBER_INTEGER, .help = "how many there were" \
	}

#define SESSION_NAME                                                                     \
	{                                                                                \
		"session", MEMBER_NAME,                                                  \
		    .help = "the session that installed it; absent where it is nobody's" \
	}

/* Of the tunnel's last change: tunnel.get, events and the log of tunnels show it. */
#define REASON_GIVEN(otherwise)                                                               \
	{                                                                                     \
		"reason", MEMBER_STRING, .max = 120, .initial = otherwise,                    \
					 .help = "why, a short phrase: shown by tunnel.get, " \
						 "in events and in the log of tunnels"        \
	}

#define PAGE                                                                                   \
	{"limit",     MEMBER_INTEGER,   .min = 1,                                              \
	 .max = 1000, .initial = "100", .help = "the most to return at once"},                 \
	{                                                                                      \
		"after", MEMBER_STRING,                                                        \
		    .max = 64, .help = "continue behind this place: `next` of the page before" \
	}

#define PAGE_RESULT(item, what)                                                                    \
	{"items", MEMBER_ARRAY, .members = item, .help = what},                                    \
	{                                                                                          \
		"next", MEMBER_STRING, .help = "`after` for the next page; absent on the last one" \
	}

#endif
