/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/keys.h"

#include <stdlib.h>
#include <string.h>

#define SECTION(path, meaning)                       \
	{                                            \
		path, KEY_SECTION, 0, 0, "", meaning \
	}
#define LIST(path, fallback, meaning)                   \
	{                                               \
		path, KEY_LIST, 0, 0, fallback, meaning \
	}
#define NUMBERS(path, min, max, fallback, meaning)          \
	{                                                   \
		path, KEY_LIST, min, max, fallback, meaning \
	}
#define TEXT(path, fallback, meaning)                   \
	{                                               \
		path, KEY_TEXT, 0, 0, fallback, meaning \
	}
#define NUMBER(path, min, max, fallback, meaning)             \
	{                                                     \
		path, KEY_NUMBER, min, max, fallback, meaning \
	}
#define WORD(path, fallback, meaning)                   \
	{                                               \
		path, KEY_WORD, 0, 0, fallback, meaning \
	}

const struct config_key config_keys[] = {
    LIST("eal", "[]",
	 "Further arguments for DPDK's EAL, put behind those that espalierd makes itself."),
    SECTION("workers", "The cores that carry packets."),
    NUMBERS("workers.lcores", 0, 1023, "[1]",
	    "CPUs to run workers on, one worker each, none twice."),
    WORD("workers.idle", "spin",
	 "What a worker without packets does: spin takes the whole CPU and reacts at once; "
	 "sleep leaves the CPU to others, for labs."),
    SECTION("memory", "Packet buffers."),
    NUMBER("memory.buffers", 4096, 16777216, "computed",
	   "Number of packet buffers; computed: 6,144 for each queue, which is what AF_XDP may "
	   "hold, and 16,384 more."),
    NUMBER("memory.buffer_size", 2048, 16384, "2048",
	   "Bytes of a frame that one buffer holds. AF_XDP ports take no larger frame, and no "
	   "more than 3,456; other ports chain buffers."),
    WORD("memory.hugepages", "auto",
	 "auto takes 2 MB pages where enough are free and ordinary memory otherwise, and says "
	 "which in the log."),
    LIST("ports", NULL, "Where packets come from and go to; at least one, at most 32."),
    TEXT("ports[].name", NULL,
	 "Name of the port, unique: up to 15 letters, digits, dots, dashes and underscores."),
    TEXT("ports[].device", NULL,
	 "Kernel netdev (used through AF_XDP), PCI address, or DPDK vdev string such as "
	 "net_memif0,role=client."),
    WORD("ports[].role", NULL,
	 "protected: the side of the plaintext; unprotected: the side of ESP; both: one-armed."),
    NUMBER("ports[].queues", 1, 16, "1",
	   "Receive queues. Queue q of port p belongs to worker (p + q) mod workers."),
    NUMBER("ports[].mtu", 576, 9600, "the device's", "Largest IP packet of the port."),
    WORD("ports[].xdp", "auto",
	 "How the XDP program is attached: native in the driver, generic in the kernel; auto "
	 "tries native first."),
    WORD("ports[].mirror", "yes",
	 "Give a port without a kernel netdev a tap device of its name, through which the kernel "
	 "gets what is not for the datapath."),
    LIST("ports[].addresses", "[]", "Addresses (192.0.2.1/24) of a port without a kernel netdev."),
    LIST("routes", "[]",
	 "Static routes: through ports without a kernel netdev, and into tunnels. All others come "
	 "from the kernel."),
    TEXT("routes[].prefix", NULL, "Destination, such as 192.0.2.0/24."),
    TEXT("routes[].via", "on-link", "Next hop, of the prefix's family; only with port."),
    TEXT("routes[].port", "none", "Name of the port to leave by; this or tunnel."),
    TEXT("routes[].tunnel", "none", "Name of the tunnel to enter, which needs a device."),
    LIST("neighbours", "[]", "Static neighbours on ports without a kernel netdev."),
    TEXT("neighbours[].port", NULL, "Name of the port."),
    TEXT("neighbours[].address", NULL, "Its IP address."),
    TEXT("neighbours[].mac", NULL, "Its Ethernet address, 02:00:00:00:00:01."),
    WORD("lab", "no",
	 "Allow manual keys. They have no forward secrecy, no rekeying, and a restart forgets "
	 "which packets were received, so that old ones can be replayed: for laboratories only."),
    TEXT("state_directory", "/var/lib/espalier",
	 "Where the sequence numbers reserved for manual keys are kept. Losing it while the keys "
	 "stay in use repeats nonces, which breaks AES-GCM: make new keys then."),
    TEXT("policy_device", "esp0",
	 "Name of the tun device that policy-based tunnels share for the gateway's own traffic."),
    SECTION("limits", "Sizes of tables, fixed while the daemon runs."),
    NUMBER("limits.sas", 16, 4194304, "65536", "SAs of each direction."),
    NUMBER("limits.tunnels", 1, 1048575, "4096", "Tunnels."),
    NUMBER("limits.routes", 256, 1000000, "65536",
	   "Routes of each IP family, neighbours included."),
    NUMBER("limits.flows", 1024, 4194304, "16384",
	   "Flows that each worker remembers the policy of, a power of two."),
    LIST("tunnels", "[]",
	 "Tunnels known from the start. Others come over the control socket, SAs too unless they "
	 "have manual keys."),
    TEXT("tunnels[].name", NULL,
	 "Name of the tunnel, unique: up to 48 letters, digits, dots, dashes, underscores and "
	 "colons."),
    TEXT("tunnels[].device", "the name",
	 "Name of the tunnel's tun device: a route to it sends a prefix into the tunnel. none: no "
	 "device, policies choose the tunnel; so by default where the tunnel has selectors."),
    TEXT("tunnels[].local", "any", "Our outer address; needed with manual keys."),
    TEXT("tunnels[].remote", "any", "The peer's outer address; needed with manual keys."),
    WORD("tunnels[].encapsulation", "esp",
	 "What SAs of manual keys send: esp is IP protocol 50, udp is ESP in UDP through NAT (RFC "
	 "3948). Both are accepted always."),
    NUMBER("tunnels[].local_port", 1, 65535, "4500", "Our UDP port; only with udp."),
    NUMBER("tunnels[].remote_port", 1, 65535, "4500", "The peer's UDP port; only with udp."),
    NUMBER("tunnels[].mtu", 576, 9600, "computed",
	   "Largest inner packet; computed from the MTU of the unprotected ports and the "
	   "encapsulation."),
    NUMBER("tunnels[].keepalive", 0, 3600, "20",
	   "Seconds of silence before a NAT keepalive is sent (RFC 3948); 0 never. Without UDP "
	   "none is sent."),
    WORD("tunnels[].esn", "yes", "64-bit sequence numbers (RFC 4303 2.2.1); both ends must agree."),
    NUMBER("tunnels[].replay_window", 32, 32768, "1024",
	   "Packets of the anti-replay window, rounded up to 64; or 0, which accepts replays."),
    WORD("tunnels[].df", "copy", "The DF bit of the outer IPv4 header."),
    TEXT("tunnels[].dscp", "copy", "DSCP of the outer header: copy, or a number from 0 to 63."),
    LIST("tunnels[].selectors", "[]",
	 "What the tunnel protects, at most 32; checked again on every received packet (RFC 4301 "
	 "5.2). Without any: everything that is routed into it."),
    TEXT("tunnels[].selectors[].local", "any",
	 "Our side: a prefix, an address, first-last, or any."),
    TEXT("tunnels[].selectors[].remote", "any", "The peer's side, likewise."),
    TEXT("tunnels[].selectors[].protocol", "any",
	 "any, a number from 1 to 255, tcp, udp, icmp, icmpv6, sctp, dccp, udplite, gre or ospf."),
    TEXT("tunnels[].selectors[].local_ports", "any",
	 "A port or first-last on our side, for tcp, udp, sctp, dccp and udplite."),
    TEXT("tunnels[].selectors[].remote_ports", "any", "Likewise on the peer's side."),
    NUMBER("tunnels[].priority", 0, 4294967295, "1000",
	   "Of the policies made from the selectors: lower is asked first."),
    SECTION("tunnels[].in", "Manual key of what the peer sends; needs lab: yes and out."),
    NUMBER("tunnels[].in.spi", 256, 4294967295, NULL, "SPI, unique among all in."),
    TEXT("tunnels[].in.key", NULL,
	 "AES-GCM key, then 4 bytes of salt, as 40 (AES-128) or 72 (AES-256) hexadecimal digits. "
	 "No key may stand twice in the file."),
    SECTION("tunnels[].out", "Manual key of what we send; needs lab: yes and in."),
    NUMBER("tunnels[].out.spi", 256, 4294967295, NULL, "SPI, the peer's choice."),
    TEXT("tunnels[].out.key", NULL, "As in."),
    LIST("policies", "[]", "Further policies, each valid in both directions (RFC 4301 4.4.1)."),
    TEXT("policies[].name", NULL, "Name of the policy, unique, made like a tunnel's."),
    NUMBER("policies[].priority", 0, 4294967295, "1000",
	   "Lower is asked first; equal ones in the order of the file, tunnels before policies."),
    WORD("policies[].action", NULL,
	 "protect: only through the tunnel; bypass: in the clear; discard: not at all."),
    TEXT("policies[].tunnel", "none", "Name of the tunnel; with protect, and only then."),
    TEXT("policies[].local", "any", "As in tunnels[].selectors[]."),
    TEXT("policies[].remote", "any", "As in tunnels[].selectors[]."),
    TEXT("policies[].protocol", "any", "As in tunnels[].selectors[]."),
    TEXT("policies[].local_ports", "any", "As in tunnels[].selectors[]."),
    TEXT("policies[].remote_ports", "any", "As in tunnels[].selectors[]."),
    SECTION("control", "The control socket."),
    TEXT("control.socket", "/run/espalier/control.sock",
	 "Path of the Unix socket, at most 107 bytes; --socket wins over it."),
    TEXT("control.mode", "\"0660\"", "Its permissions, octal, in quotes."),
    TEXT("control.group", "the daemon's", "Its group, by name."),
    SECTION("log", "What is written besides the daemon's own log, which goes to standard error."),
    TEXT("log.tunnels", "/var/log/espalier/tunnels.jsonl",
	 "File in which the life of tunnels is kept, a JSON line for each time one came up, went "
	 "down, was rekeyed or reset; each gateway needs its own. none: no such file."),
    NUMBER("log.size", 1, 64, "10", "Megabytes of that file before it is renamed to FILE.1."),
    NUMBER("log.keep", 0, 99, "5", "Renamed files that are kept."),
};
const size_t config_keys_count = sizeof(config_keys) / sizeof(config_keys[0]);

const struct config_key *config_key_find(const char *path)
{
	for (size_t i = 0; i < config_keys_count; i++)
		if (strcmp(config_keys[i].path, path) == 0)
			return &config_keys[i];
	abort();
}
