/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
#ifndef ESPALIER_PORT_STEER_MAP_H
#define ESPALIER_PORT_STEER_MAP_H

/*
 * What the XDP program and the daemon say to each other through maps. Includes
 * nothing but fixed-size types of <linux/types.h>, so that both can read it.
 */

/* "espalier" and the layout below; a program of another layout is foreign. */
#define STEER_MAGIC 0x6573706c00000001ULL

#define STEER_PREFIXES_MAX (1U << 20)
#define STEER_LOCALS_MAX 4096U
#define STEER_ENCAP_PORTS_MAX 1024U
#define STEER_QUEUES_MAX 1024U

/* The one entry of steer_port: whose program this is and what it does. */
struct steer_port {
	__u64 magic;
	__u64 owner_start; /* start time of the owner, field 22 of /proc/PID/stat */
	__u32 owner_pid;
	__u32 role; /* enum port_role */
};

/* Keys of the tries; prefixlen comes first and is in host order. */
struct steer_v4_key {
	__u32 prefixlen;
	__u8 addr[4];
};

struct steer_v6_key {
	__u32 prefixlen;
	__u8 addr[16];
};

/* Key of steer_local; an IPv4 address fills the first 4 bytes. */
struct steer_addr {
	__u32 family; /* 4 or 6 */
	__u8 addr[16];
};

/* Values of all four shared maps. */
enum {
	STEER_TAKE = 1 << 0,  /* in a trie: to the datapath; without it: a hole */
	STEER_STALE = 1 << 1, /* taken over from a program that nobody owns any more */
};

/* STEER_VERDICT(enum suffix, name); counted per CPU in steer_verdict. */
#define STEER_VERDICTS(X)                                                                        \
	X(PASS_OTHER, pass_other)     /* not unicast IP, or malformed */                         \
	X(PASS_LOCAL, pass_local)     /* for this machine, not for the datapath */               \
	X(PASS_FORWARD, pass_forward) /* for others, and no prefix matches */                    \
	X(TAKE_ESP, take_esp)         /* protocol 50 to a local address */                       \
	X(TAKE_ESP_UDP, take_esp_udp) /* ESP in UDP to a local address */                        \
	X(TAKE_CLEAR, take_clear)     /* in the clear from a source that a prefix covers */      \
	X(TAKE_PROTECT, take_protect) /* to a destination that a prefix covers */                \
	X(DROP_CLOSED, drop_closed)   /* would be taken, but no datapath listens on the queue */ \
	X(DROP_TAGGED, drop_tagged)   /* would be taken, but has a priority tag */

enum steer_verdict {
#define X(id, name) STEER_##id,
	STEER_VERDICTS(X)
#undef X
	    STEER_VERDICT_COUNT
};

#endif
