/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/table.h"

/* clang-format off */
const struct member port_list_params[] = {END_OF_MEMBERS};
static const struct member port_item_members[] = {
	{"name", MEMBER_NAME, .column = "NAME", .help = "its name"},
	{"index", MEMBER_INTEGER, .help = "its number"},
	{"up", MEMBER_BOOLEAN, .column = "UP", .help = "link"},
	{"role", MEMBER_ENUM, .values = "protected unprotected both", .column = "ROLE",
	 .help = "the side of the gateway that it is on"},
	{"device", MEMBER_STRING, .help = "kernel netdev, PCI address or vdev string"},
	{"kind", MEMBER_ENUM, .values = "af_xdp dpdk", .column = "KIND",
	 .help = "how frames come and go"},
	{"xdp_mode", MEMBER_ENUM, .values = "native generic", .column = "XDP",
	 .help = "on AF_XDP; native: in the driver"},
	{"mac", MEMBER_STRING, .column = "MAC", .help = "MAC address"},
	{"mtu", MEMBER_INTEGER, .column = "MTU", .help = "largest IP packet"},
	{"queues", MEMBER_INTEGER, .column = "QUEUES", .help = "receive queues, as many to transmit"},
	{"chains", MEMBER_BOOLEAN, .help = "transmits chained buffers"},
	{"ifindex", MEMBER_INTEGER, .help = "of the netdev or the mirror tap; absent without one"},
	{"rx_packets", MEMBER_INTEGER, .column = "RX", .help = "frames received by the device"},
	{"rx_bytes", MEMBER_INTEGER, .unit = UNIT_BYTES, .column = "RX-BYTES", .help = "their bytes"},
	{"rx_missed", MEMBER_INTEGER, .column = "MISSED",
	 .help = "lost in the device because no worker took them in time"},
	{"rx_errors", MEMBER_INTEGER, .help = "received with errors"},
	{"tx_packets", MEMBER_INTEGER, .column = "TX", .help = "frames transmitted by the device"},
	{"tx_bytes", MEMBER_INTEGER, .unit = UNIT_BYTES, .column = "TX-BYTES", .help = "their bytes"},
	{"tx_errors", MEMBER_INTEGER, .help = "not transmitted"},
	END_OF_MEMBERS
};
const struct member port_list_result[] = {
	{"items", MEMBER_ARRAY, .members = port_item_members, .help = "the ports"},
	END_OF_MEMBERS
};

#define FLOW_COUNTERS                                                                              \
	{"in", MEMBER_INTEGER, .column = "IN",                                                     \
	 .help = "packets taken: rx + from_kernel + from_workers + made"},                         \
	{"out", MEMBER_INTEGER, .column = "OUT",                                                   \
	 .help = "packets passed on: tx + to_kernel + to_workers"},                                \
	{"drops", MEMBER_INTEGER, .column = "DROPS", .help = "packets dropped; drops.get says why"}, \
	{"held", MEMBER_INTEGER, .column = "HELD", .help = "packets that wait for a next hop"},    \
	{"difference", MEMBER_INTEGER, .column = "DIFF",                                           \
	 .help = "in - out - drops - held: packets being worked on; 0 at rest"},                   \
	{"rx", MEMBER_INTEGER, .column = "RX", .help = "frames received from ports"},              \
	{"tx", MEMBER_INTEGER, .column = "TX", .help = "frames transmitted to ports"},             \
	{"from_kernel", MEMBER_INTEGER, .column = "FROM-KERNEL",                                   \
	 .help = "packets of this machine's own"},                                                 \
	{"to_kernel", MEMBER_INTEGER, .column = "TO-KERNEL", .help = "packets to this machine"},   \
	{"from_workers", MEMBER_INTEGER, .column = "FROM-WORKERS",                                 \
	 .help = "taken over from other workers"},                                                 \
	{"to_workers", MEMBER_INTEGER, .column = "TO-WORKERS", .help = "handed to other workers"}, \
	{"made", MEMBER_INTEGER, .column = "MADE",                                                 \
	 .help = "packets that the datapath itself made: ICMP, keepalives, dummies"}

static const struct member worker_members[] = {
	{"worker", MEMBER_INTEGER, .column = "WORKER", .help = "its number"},
	FLOW_COUNTERS,
	{"rounds", MEMBER_INTEGER, .help = "of the poll loop"},
	{"idle_rounds", MEMBER_INTEGER, .help = "rounds that found nothing to do"},
	{"vectors", MEMBER_INTEGER, .help = "non-empty receive bursts"},
	{"busy_cycles", MEMBER_INTEGER, .unit = UNIT_CYCLES, .help = "TSC cycles in other rounds"},
	END_OF_MEMBERS
};
static const struct member port_worker_members[] = {
	{"port", MEMBER_NAME, .column = "PORT", .help = "its name"},
	{"rx", MEMBER_INTEGER, .column = "RX", .help = "frames that workers received from it"},
	{"tx", MEMBER_INTEGER, .column = "TX", .help = "frames that workers handed to it"},
	END_OF_MEMBERS
};
static const struct member host_members[] = {
	{"to_kernel", MEMBER_INTEGER, .help = "packets written to the kernel"},
	{"from_kernel", MEMBER_INTEGER, .help = "packets read from the kernel"},
	{"refused", MEMBER_INTEGER, .help = "the kernel did not take them"},
	{"no_buffer", MEMBER_INTEGER, .help = "read, but no buffer was free"},
	{"undelivered", MEMBER_INTEGER, .help = "read, but the worker's inbox was full"},
	END_OF_MEMBERS
};
static const struct member total_members[] = {FLOW_COUNTERS, END_OF_MEMBERS};
const struct member counters_get_params[] = {END_OF_MEMBERS};
const struct member counters_get_result[] = {
	{"total", MEMBER_OBJECT, .members = total_members, .help = "sums over all workers"},
	{"workers", MEMBER_ARRAY, .members = worker_members, .help = "each worker"},
	{"ports", MEMBER_ARRAY, .members = port_worker_members, .help = "each port, all workers"},
	{"host", MEMBER_OBJECT, .members = host_members,
	 .help = "the thread between the workers and the kernel; absent without one"},
	END_OF_MEMBERS
};

static const struct member drop_members[] = {
	{"reason", MEMBER_STRING, .column = "REASON", .help = "its name"},
	{"count", MEMBER_INTEGER, .column = "PACKETS", .help = "packets"},
	{"kind", MEMBER_ENUM, .values = "loss end", .column = "KIND",
	 .help = "end: its way ends here by rule, and nothing is lost"},
	{"text", MEMBER_STRING, .column = "MEANING", .help = "what it means"},
	{"workers", MEMBER_ARRAY, .help = "with workers: packets by worker, as numbers"},
	END_OF_MEMBERS
};
const struct member drops_get_params[] = {
	{"zeros", MEMBER_BOOLEAN, .initial = "true", .help = "also reasons with no packet"},
	{"workers", MEMBER_BOOLEAN, .initial = "false", .help = "also by worker"},
	END_OF_MEMBERS
};
const struct member drops_get_result[] = {
	{"items", MEMBER_ARRAY, .members = drop_members,
	 .help = "the reasons; refused, no_buffer and undelivered of the thread between the "
		 "workers and the kernel count as kernel_refused, no_buffer and handoff_full"},
	{"losses", MEMBER_INTEGER, .help = "sum of kind loss"},
	{"ends", MEMBER_INTEGER, .help = "sum of kind end"},
	END_OF_MEMBERS
};

static const struct member hop_members[] = {
	{"state", MEMBER_ENUM,
	 .values = "none blackhole local tunnel reachable resolving connected kernel",
	 .help = "where the route leads: reachable: its MAC address is known; resolving: asked for; "
		 "connected: on the link, not asked for yet; kernel: a device that is no port"},
	{"port", MEMBER_NAME, .help = "the port that it leaves by"},
	{"gateway", MEMBER_ADDRESS, .help = "the next hop; absent where it is the destination itself"},
	END_OF_MEMBERS
};
static const struct member explain_sa_members[] = {
	{"spi", MEMBER_INTEGER, .unit = UNIT_HEX, .help = "its SPI"},
	{"local", MEMBER_ADDRESS, .help = "outer address here"},
	{"remote", MEMBER_ADDRESS, .help = "outer address of the peer"},
	{"udp", MEMBER_BOOLEAN, .help = "sends ESP in UDP"},
	END_OF_MEMBERS
};
const struct member explain_params[] = {
	{"source", MEMBER_ADDRESS, .required = true, .help = "of the packet"},
	{"destination", MEMBER_ADDRESS, .required = true, .help = "of the packet"},
	{"protocol", MEMBER_PROTOCOL, .initial = "any",
	 .help = "its protocol: a name such as \"tcp\" or a number; \"any\": one that no selector "
		 "names"},
	{"source_port", MEMBER_INTEGER, .max = 65535,
	 .help = "where only destination_port is given, 49152; unknown without both, as in a later "
		 "fragment"},
	{"destination_port", MEMBER_INTEGER, .max = 65535,
	 .help = "where only source_port is given, 49152"},
	{"length", MEMBER_INTEGER, .max = 65535, .initial = "0", .unit = UNIT_BYTES,
	 .help = "of the IP packet; 0: one that fits"},
	END_OF_MEMBERS
};
const struct member explain_result[] = {
	{"fate", MEMBER_ENUM, .values = "protect clear kernel held drop",
	 .help = "leaves through a tunnel; forwarded in the clear; for this machine; waits for an SA "
		 "or a next hop; dropped"},
	{"drop", MEMBER_STRING, .help = "with drop: the reason, as in drops.get"},
	{"why", MEMBER_STRING, .help = "a sentence"},
	{"policy", MEMBER_NAME, .help = "the policy that matches; absent where none does"},
	{"tunnel", MEMBER_NAME, .help = "the tunnel that takes it"},
	{"by_route", MEMBER_BOOLEAN, .help = "a route led into the tunnel"},
	{"sa", MEMBER_OBJECT, .members = explain_sa_members, .help = "the SA that would send"},
	{"route", MEMBER_OBJECT, .members = hop_members,
	 .help = "of the packet itself, where no tunnel takes it"},
	{"outer", MEMBER_OBJECT, .members = hop_members, .help = "of the ESP packet to the peer"},
	{"mtu", MEMBER_INTEGER, .help = "largest packet that passes; absent where not known"},
	END_OF_MEMBERS
};

#define LEVELS "error warning notice info debug"
const struct member log_level_params[] = {
	{"level", MEMBER_ENUM, .values = LEVELS,
	 .help = "the least important lines to be written, until the gateway ends"},
	END_OF_MEMBERS
};
const struct member log_level_result[] = {
	{"level", MEMBER_ENUM, .values = LEVELS, .help = "from now on"},
	END_OF_MEMBERS
};

const struct member gateway_reset_params[] = {
	REASON_GIVEN(NULL),
	END_OF_MEMBERS
};
const struct member gateway_reset_result[] = {
	{"tunnels", MEMBER_INTEGER, .help = "how many were reset"},
	END_OF_MEMBERS
};

static const struct member limit_members[] = {
	{"sas", MEMBER_INTEGER, .help = "SAs of each direction"},
	{"tunnels", MEMBER_INTEGER, .help = "tunnels"},
	{"clients", MEMBER_INTEGER, .help = "connected to the control socket"},
	{"line", MEMBER_INTEGER, .unit = UNIT_BYTES, .help = "bytes of one request line"},
	{"batch", MEMBER_INTEGER, .help = "requests in one batch"},
	{"rows", MEMBER_INTEGER, .help = "SAs in one sa.add_many"},
	{"nesting", MEMBER_INTEGER, .help = "depth of a request's JSON"},
	{"values", MEMBER_INTEGER, .help = "members and elements in one line"},
	{"string", MEMBER_INTEGER, .unit = UNIT_BYTES, .help = "bytes of one string"},
	{"answers", MEMBER_INTEGER, .unit = UNIT_BYTES, .help = "bytes of the answers to one line"},
	{"in_flight", MEMBER_INTEGER, .unit = UNIT_BYTES,
	 .help = "bytes of requests that are read from a client before those before them are served"},
	{"unread", MEMBER_INTEGER, .unit = UNIT_BYTES,
	 .help = "bytes that a client may leave unread and still be served"},
	{"stall", MEMBER_INTEGER, .unit = UNIT_SECONDS,
	 .help = "seconds without reading a byte after which a client is cut off"},
	{"events", MEMBER_INTEGER, .help = "events that a client may leave unread for a second"},
	{"event_bytes", MEMBER_INTEGER, .unit = UNIT_BYTES, .help = "and their bytes"},
	{"sessions", MEMBER_INTEGER, .help = "sessions, those of vanished clients included"},
	END_OF_MEMBERS
};
const struct member gateway_info_params[] = {END_OF_MEMBERS};
const struct member gateway_info_result[] = {
	{"version", MEMBER_STRING, .help = "of espalier"},
	{"dpdk", MEMBER_STRING, .help = "version of DPDK"},
	{"pid", MEMBER_INTEGER, .help = "process id"},
	{"uptime", MEMBER_INTEGER, .unit = UNIT_SECONDS, .help = "seconds since the socket opened"},
	{"config", MEMBER_STRING, .help = "configuration file; absent without one"},
	{"lab", MEMBER_BOOLEAN, .help = "manual keys are allowed"},
	{"workers", MEMBER_INTEGER, .help = "worker threads"},
	{"idle", MEMBER_ENUM, .values = "spin sleep", .help = "what workers do without traffic"},
	{"isa", MEMBER_STRING, .help = "instruction set that the cipher uses"},
	{"tsc_hz", MEMBER_INTEGER, .help = "cycles a second, for busy_cycles"},
	{"hugepages", MEMBER_BOOLEAN, .help = "memory is on huge pages"},
	{"ports", MEMBER_INTEGER, .help = "ports"},
	{"tunnels", MEMBER_INTEGER, .help = "tunnels"},
	{"sas_in", MEMBER_INTEGER, .help = "inbound SAs"},
	{"sas_out", MEMBER_INTEGER, .help = "outbound SAs"},
	{"policies", MEMBER_INTEGER, .help = "policies"},
	{"clients", MEMBER_INTEGER, .help = "connected to the control socket now"},
	{"limits", MEMBER_OBJECT, .members = limit_members, .help = "what this gateway allows"},
	END_OF_MEMBERS
};

const struct member rpc_discover_params[] = {END_OF_MEMBERS};
const struct member rpc_discover_result[] = {
	{"openrpc", MEMBER_STRING, .help = "version of OpenRPC; the rest is as its specification says"},
	END_OF_MEMBERS
};
/* clang-format on */
