/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/table.h"

/* clang-format off */
const struct member selector_members[] = {
	{"local", MEMBER_RANGE, .initial = "any", .column = "LOCAL",
	 .help = "local addresses: \"any\", an address, a prefix or \"first-last\""},
	{"remote", MEMBER_RANGE, .initial = "any", .column = "REMOTE",
	 .help = "remote addresses"},
	{"family", MEMBER_ENUM, .values = "ipv4 ipv6",
	 .help = "needed where both sides are \"any\""},
	{"protocol", MEMBER_PROTOCOL, .initial = "any", .column = "PROTO",
	 .help = "upper-layer protocol: \"any\", a name such as \"tcp\", or a number from 1 to 255"},
	{"local_ports", MEMBER_PORTS, .initial = "any", .column = "LPORTS",
	 .help = "local ports: \"any\", a port or \"first-last\"; others than \"any\" never match a "
		 "packet whose ports are unknown"},
	{"remote_ports", MEMBER_PORTS, .initial = "any", .column = "RPORTS",
	 .help = "remote ports"},
	END_OF_MEMBERS
};

static const struct member selector_list_members[] = {
	{"local", MEMBER_RANGE, .initial = "any",
	 .help = "local addresses: \"any\", an address, a prefix or \"first-last\""},
	{"remote", MEMBER_RANGE, .initial = "any", .help = "remote addresses"},
	{"family", MEMBER_ENUM, .values = "ipv4 ipv6",
	 .help = "needed where both sides are \"any\""},
	{"protocol", MEMBER_PROTOCOL, .initial = "any", .help = "upper-layer protocol"},
	{"local_ports", MEMBER_PORTS, .initial = "any", .help = "local ports"},
	{"remote_ports", MEMBER_PORTS, .initial = "any", .help = "remote ports"},
	END_OF_MEMBERS
};

#define DIRECTION                                                                                  \
	{"direction", MEMBER_ENUM, .required = true, .values = "in out",                           \
	 .help = "which of the SA databases: what we receive or what we send"}
#define SPI                                                                                        \
	{"spi", MEMBER_INTEGER, .required = true, .min = 256, .max = UINT32_MAX, .unit = UNIT_HEX, \
	 .help = "Security Parameters Index (RFC 4303 2.1)"}
#define WHICH_REMOTE                                                                               \
	{"remote", MEMBER_ADDRESS,                                                                 \
	 .help = "the peer's address; an outbound SA needs this or the tunnel, since its SPI "     \
		 "alone is not unique here"}
#define WHICH_TUNNEL                                                                               \
	{"tunnel", MEMBER_NAME, .max = 63, .help = "the tunnel that the SA serves"}

const struct member spi_alloc_params[] = {END_OF_MEMBERS};
const struct member spi_alloc_result[] = {
	{"spi", MEMBER_INTEGER, .unit = UNIT_HEX, .help = "the SPI, reserved"},
	END_OF_MEMBERS
};

const struct member spi_release_params[] = {
	SPI,
	MISSING_OK,
	END_OF_MEMBERS
};
const struct member spi_release_result[] = {
	{"released", MEMBER_BOOLEAN, .help = "false where it was not reserved (missing_ok)"},
	END_OF_MEMBERS
};

#define TIME(member, text) \
	{member, MEMBER_INTEGER, .max = UINT32_MAX, .initial = "0", .unit = UNIT_SECONDS, .help = text}
#define COUNT(member, text) \
	{member, MEMBER_INTEGER, .max = INT64_MAX, .initial = "0", .help = text}

/* What one SA may be given. `need`: the members that must be there are required here. */
#define SA_PARAMS(need)                                                                            \
	{"direction", MEMBER_ENUM, .required = need, .values = "in out",                           \
	 .help = "which of the SA databases: what we receive or what we send"},                    \
	{"spi", MEMBER_INTEGER, .required = need, .min = 256, .max = UINT32_MAX, .unit = UNIT_HEX, \
	 .help = "Security Parameters Index (RFC 4303 2.1)"},                                      \
	{"tunnel", MEMBER_NAME, .required = need, .max = 63, .help = "the tunnel that it serves"}, \
	{"key", MEMBER_KEY, .required = need,                                                      \
	 .help = "key, then the 4-byte salt, in hexadecimal: 72 digits for aes256gcm16, 40 for "   \
		 "aes128gcm16. Never shown again"},                                                \
	{"algorithm", MEMBER_ENUM, .values = "aes256gcm16 aes128gcm16", .initial = "aes256gcm16",  \
	 .help = "cipher, named as in an IKE proposal (RFC 4106)"},                                \
	{"esn", MEMBER_BOOLEAN, .initial = "true",                                                 \
	 .help = "64-bit extended sequence numbers (RFC 4303 2.2.1)"},                             \
	{"udp", MEMBER_BOOLEAN, .initial = "false",                                                \
	 .help = "send ESP in UDP (RFC 3948); both forms are accepted inbound"},                   \
	{"local_port", MEMBER_INTEGER, .min = 1, .max = 65535, .initial = "4500",                  \
	 .help = "UDP port here, with udp"},                                                       \
	{"remote_port", MEMBER_INTEGER, .min = 1, .max = 65535, .initial = "4500",                 \
	 .help = "UDP port of the peer, with udp"},                                                \
	{"local", MEMBER_ADDRESS, .help = "outer address here; the default is the tunnel's"},      \
	{"remote", MEMBER_ADDRESS,                                                                 \
	 .help = "outer address of the peer; the default is the tunnel's"},                        \
	{"replay_window", MEMBER_INTEGER, .max = 32768, .initial = "1024",                         \
	 .help = "inbound: packets that may arrive late (RFC 4303 3.4.3), 0 for no check, else "   \
		 "32 to 32768"},                                                                   \
	{"seq_first", MEMBER_INTEGER, .min = 1, .max = INT64_MAX, .initial = "1",                  \
	 .help = "outbound: first sequence number to send"},                                       \
	{"seq_limit", MEMBER_INTEGER, .max = INT64_MAX, .initial = "0",                            \
	 .help = "outbound: last sequence number allowed; 0: the end of the sequence space"},      \
	{"df", MEMBER_ENUM, .values = "copy set clear", .initial = "copy",                         \
	 .help = "outbound: don't-fragment bit of an IPv4 outer header"},                          \
	{"dscp", MEMBER_INTEGER, .max = 63,                                                        \
	 .help = "outbound: DSCP of the outer header; copied from the inner one where left out"},  \
	{"ttl", MEMBER_INTEGER, .min = 1, .max = 255, .initial = "64",                             \
	 .help = "outbound: TTL or hop limit of the outer header"},                                \
	{"selectors", MEMBER_ARRAY, .max = 32, .members = selector_list_members,                   \
	 .help = "inbound: what the inner packet must match (RFC 4301 5.2); none: anything"},      \
	COUNT("soft_bytes", "bytes of inner packets after which the event sa.soft is raised; 0, "  \
			    "here and below: no limit"),                                           \
	COUNT("hard_bytes", "bytes after which the SA stops, with the event sa.hard"),             \
	COUNT("soft_packets", "packets until sa.soft"),                                            \
	COUNT("hard_packets", "packets until the SA stops"),                                       \
	TIME("soft_add_time", "seconds since it was added until sa.soft"),                         \
	TIME("hard_add_time", "seconds since it was added until the SA stops"),                    \
	TIME("soft_use_time", "seconds since its first packet until sa.soft"),                     \
	TIME("hard_use_time", "seconds since its first packet until the SA stops"),                \
	COUNT("soft_seq", "outbound: sequence number at which sa.soft is raised; 0: when seven "   \
			  "eighths of the sequence space are used")

const struct member sa_add_params[] = {
	SA_PARAMS(true),
	EXIST_OK("SA, with this key, tunnel and algorithm,"),
	END_OF_MEMBERS
};
const struct member sa_add_result[] = {
	{"created", MEMBER_BOOLEAN, .help = "false where it was there already (exist_ok)"},
	{"direction", MEMBER_ENUM, .values = "in out", .help = "as asked"},
	{"spi", MEMBER_INTEGER, .unit = UNIT_HEX, .help = "as asked"},
	{"worker", MEMBER_INTEGER, .help = "the worker that owns it"},
	END_OF_MEMBERS
};

static const struct member sa_template_members[] = {SA_PARAMS(false), END_OF_MEMBERS};
#define SA_COLUMNS                                                                                 \
	"direction spi tunnel key algorithm esn udp local_port remote_port local remote "          \
	"replay_window seq_first seq_limit df dscp ttl soft_bytes hard_bytes soft_packets "        \
	"hard_packets soft_add_time hard_add_time soft_use_time hard_use_time soft_seq"

const struct member sa_add_many_params[] = {
	{"columns", MEMBER_WORDS, .required = true, .max = 32, .values = SA_COLUMNS,
	 .help = "the parameters of sa.add that the values of a row are, in this order"},
	{"rows", MEMBER_ROWS, .required = true, .max = CONTROL_ROWS_MAX,
	 .help = "one array of values for each SA"},
	{"template", MEMBER_OBJECT, .members = sa_template_members,
	 .help = "what all of the SAs have alike, as for sa.add"},
	EXIST_OK("SAs, with their keys, tunnels and algorithms,"),
	END_OF_MEMBERS
};
const struct member sa_add_many_result[] = {
	{"created", MEMBER_INTEGER, .help = "how many were added"},
	{"existed", MEMBER_INTEGER, .help = "how many were there already (exist_ok)"},
	END_OF_MEMBERS
};

const struct member sa_update_params[] = {
	DIRECTION,
	SPI,
	WHICH_REMOTE,
	WHICH_TUNNEL,
	{"new_local", MEMBER_ADDRESS, .help = "outer address here"},
	{"new_remote", MEMBER_ADDRESS, .help = "outer address of the peer"},
	{"udp", MEMBER_BOOLEAN, .help = "send ESP in UDP or not"},
	{"local_port", MEMBER_INTEGER, .min = 1, .max = 65535, .help = "UDP port here"},
	{"remote_port", MEMBER_INTEGER, .min = 1, .max = 65535, .help = "UDP port of the peer"},
	END_OF_MEMBERS
};

static const struct member sa_counter_members[] = {
	{"packets", MEMBER_INTEGER, .column = "PACKETS", .help = "sent, or received and accepted"},
	{"bytes", MEMBER_INTEGER, .unit = UNIT_BYTES, .column = "BYTES",
	 .help = "of their inner IP packets"},
	{"last_used", MEMBER_INTEGER, .unit = UNIT_SECONDS,
	 .help = "seconds since the last one; absent where there was none"},
	{"seq", MEMBER_INTEGER, .column = "SEQ",
	 .help = "last sequence number sent, or the top of the window"},
	{"drops", MEMBER_INTEGER, .column = "DROPS", .help = "sum of the following"},
	{"replay", MEMBER_INTEGER, .help = "sequence number already received"},
	{"window", MEMBER_INTEGER, .help = "sequence number below the window"},
	{"icv", MEMBER_INTEGER, .help = "ICV wrong"},
	{"malformed", MEMBER_INTEGER, .help = "bad padding, next header or inner packet"},
	{"selector", MEMBER_INTEGER, .help = "inner packet outside the selectors"},
	{"ecn", MEMBER_INTEGER, .help = "inner Not-ECT under outer CE"},
	{"too_big", MEMBER_INTEGER, .help = "larger than the tunnel's MTU"},
	{"exhausted", MEMBER_INTEGER, .help = "the sequence space has ended"},
	{"expired", MEMBER_INTEGER, .help = "a hard lifetime has ended"},
	END_OF_MEMBERS
};

#define LIFETIME(name, text) {name, MEMBER_INTEGER, .help = text "; absent: no limit"}
static const struct member lifetime_members[] = {
	LIFETIME("soft_bytes", "as set"),
	LIFETIME("hard_bytes", "as set"),
	LIFETIME("soft_packets", "as set"),
	LIFETIME("hard_packets", "as set"),
	LIFETIME("soft_add_time", "seconds since it was added"),
	LIFETIME("hard_add_time", "seconds since it was added"),
	LIFETIME("soft_use_time", "seconds since its first packet"),
	LIFETIME("hard_use_time", "seconds since its first packet"),
	{"soft_seq", MEMBER_INTEGER, .help = "as set; absent: seven eighths of the sequence space"},
	END_OF_MEMBERS
};

#define SA_VIEW                                                                                    \
	{"direction", MEMBER_ENUM, .values = "in out", .column = "DIR",                            \
	 .help = "in: what we receive; out: what we send"},                                        \
	{"spi", MEMBER_INTEGER, .unit = UNIT_HEX, .column = "SPI", .help = "its SPI"},             \
	{"tunnel", MEMBER_NAME, .column = "TUNNEL", .help = "the tunnel that it serves"},          \
	{"state", MEMBER_ENUM, .values = "live soft expired", .column = "STATE",                   \
	 .help = "soft: a soft lifetime has ended; expired: a hard one, and no packet passes"},    \
	{"local", MEMBER_ADDRESS, .column = "LOCAL", .help = "outer address here"},                \
	{"remote", MEMBER_ADDRESS, .column = "REMOTE", .help = "outer address of the peer"},       \
	{"udp", MEMBER_BOOLEAN, .column = "UDP", .help = "sends ESP in UDP"},                      \
	{"local_port", MEMBER_INTEGER, .help = "UDP port here; with udp"},                         \
	{"remote_port", MEMBER_INTEGER, .help = "UDP port of the peer; with udp"},                 \
	{"algorithm", MEMBER_ENUM, .values = "aes256gcm16 aes128gcm16", .help = "cipher"},         \
	{"esn", MEMBER_BOOLEAN, .help = "extended sequence numbers"},                              \
	{"replay_window", MEMBER_INTEGER, .help = "inbound: packets; 0: no check"},                \
	{"seq_first", MEMBER_INTEGER, .help = "outbound: first number to send"},                   \
	{"seq_limit", MEMBER_INTEGER, .help = "outbound: last number allowed; 0: end of the space"}, \
	{"df", MEMBER_ENUM, .values = "copy set clear", .help = "don't-fragment bit, outbound"},   \
	{"dscp", MEMBER_INTEGER, .help = "DSCP set, outbound; absent: copied"},                    \
	{"ttl", MEMBER_INTEGER, .help = "outer TTL, outbound"},                                    \
	{"selectors", MEMBER_ARRAY, .members = selector_list_members,                              \
	 .help = "inbound: what inner packets must match; empty: anything"},                       \
	{"worker", MEMBER_INTEGER, .help = "the worker that owns it"},                             \
	SESSION_NAME,                                                                              \
	{"age", MEMBER_INTEGER, .unit = UNIT_SECONDS, .column = "AGE",                             \
	 .help = "seconds since it was added"},                                                    \
	{"lifetime", MEMBER_OBJECT, .members = lifetime_members, .help = "its limits"},            \
	{"counters", MEMBER_OBJECT, .members = sa_counter_members, .help = "what it carried"}

const struct member sa_update_result[] = {SA_VIEW, END_OF_MEMBERS};

const struct member sa_query_params[] = {DIRECTION, SPI, WHICH_REMOTE, WHICH_TUNNEL, END_OF_MEMBERS};
const struct member sa_query_result[] = {
	{"packets", MEMBER_INTEGER, .help = "sent, or received and accepted"},
	{"bytes", MEMBER_INTEGER, .unit = UNIT_BYTES, .help = "of their inner IP packets"},
	{"last_used_ms", MEMBER_INTEGER,
	 .help = "when the last of them passed, in milliseconds of CLOCK_MONOTONIC of the "
		 "gateway's machine; absent where there was none"},
	END_OF_MEMBERS
};

const struct member sa_delete_params[] = {
	DIRECTION,
	SPI,
	WHICH_REMOTE,
	WHICH_TUNNEL,
	REASON_GIVEN("SA deleted"),
	MISSING_OK,
	END_OF_MEMBERS
};
const struct member sa_delete_result[] = {DELETED, END_OF_MEMBERS};

const struct member sa_get_params[] = {DIRECTION, SPI, WHICH_REMOTE, WHICH_TUNNEL, END_OF_MEMBERS};
const struct member sa_get_result[] = {SA_VIEW, END_OF_MEMBERS};

static const struct member sa_item_members[] = {SA_VIEW, END_OF_MEMBERS};
const struct member sa_list_params[] = {
	{"direction", MEMBER_ENUM, .values = "in out", .help = "only these"},
	{"tunnel", MEMBER_NAME, .max = 63, .help = "only those of this tunnel"},
	PAGE,
	END_OF_MEMBERS
};
const struct member sa_list_result[] = {PAGE_RESULT(sa_item_members, "the SAs"), END_OF_MEMBERS};

const struct member sa_flush_params[] = {
	{"direction", MEMBER_ENUM, .values = "in out", .help = "only these"},
	{"tunnel", MEMBER_NAME, .max = 63, .help = "only those of this tunnel"},
	REASON_GIVEN("SAs flushed"),
	END_OF_MEMBERS
};
const struct member sa_flush_result[] = {DELETED_COUNT, END_OF_MEMBERS};
/* clang-format on */
