// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
/*
 * The XDP program of an AF_XDP port: decides by frame whether it goes to the
 * datapath or stays with the kernel. It fails closed: what belongs to the
 * datapath is dropped, never passed, while no datapath listens.
 */
#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "port/steer_map.h"

#define ROLE_PROTECTED 1
#define ROLE_UNPROTECTED 2

#define IKE_PORT 500
#define STEER_LOCAL_OTHER STEER_VERDICT_COUNT
#define EXTENSION_HEADERS_MAX 6

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* libxdp accepts a program that is attached beforehand by its name, its map and this. */
__uint(xsk_prog_version, 1) SEC("xdp_metadata");

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, STEER_QUEUES_MAX);
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct steer_port);
} steer_port SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STEER_VERDICT_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} steer_verdict SEC(".maps");

/* The four below are shared by all programs of one daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, STEER_PREFIXES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct steer_v4_key);
	__type(value, __u32);
} steer_v4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, STEER_PREFIXES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct steer_v6_key);
	__type(value, __u32);
} steer_v6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, STEER_LOCALS_MAX);
	__type(key, struct steer_addr);
	__type(value, __u32);
} steer_local SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, STEER_ENCAP_PORTS_MAX);
	__type(key, __u32);
	__type(value, __u32);
} steer_encap SEC(".maps");

/* One packet; what follows the IP header is set for local destinations only. */
struct view {
	void *data, *data_end;
	__u32 l3;      /* offset of the IP header */
	bool tagged;   /* behind a priority tag */
	__u32 l4;      /* offset of the upper-layer header */
	__u8 proto;    /* upper-layer protocol */
	bool fragment; /* any but a whole datagram */
};

static __always_inline int verdict(int action, __u32 reason)
{
	__u64 *count = bpf_map_lookup_elem(&steer_verdict, &reason);

	if (count)
		(*count)++;
	return action;
}

static __always_inline int take(struct xdp_md *ctx, const struct view *v, __u32 reason)
{
	if (v->tagged)
		return verdict(XDP_DROP, STEER_DROP_TAGGED);
	int action = bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_DROP);

	return verdict(action, action == XDP_REDIRECT ? reason : STEER_DROP_CLOSED);
}

static __always_inline bool covered_v4(__be32 addr)
{
	struct steer_v4_key key = {.prefixlen = 32};

	__builtin_memcpy(key.addr, &addr, sizeof(key.addr));
	__u32 *value = bpf_map_lookup_elem(&steer_v4, &key);
	return value && (*value & STEER_TAKE);
}

static __always_inline bool covered_v6(const struct in6_addr *addr)
{
	struct steer_v6_key key = {.prefixlen = 128};

	__builtin_memcpy(key.addr, addr, sizeof(key.addr));
	__u32 *value = bpf_map_lookup_elem(&steer_v6, &key);
	return value && (*value & STEER_TAKE);
}

/* RFC 3948 2.2: four zero bytes, the non-ESP marker, say that IKE follows. */
static __always_inline __u32 classify_udp(const struct view *v)
{
	struct udphdr *udp = v->data + v->l4;

	/* The kernel reassembles: IKE with certificates comes in fragments. */
	if (v->fragment)
		return STEER_PASS_LOCAL;
	if ((void *)(udp + 1) > v->data_end)
		return STEER_LOCAL_OTHER;
	if (udp->dest == bpf_htons(IKE_PORT))
		return STEER_PASS_LOCAL;

	__u32 port = bpf_ntohs(udp->dest);
	if (!bpf_map_lookup_elem(&steer_encap, &port))
		return STEER_LOCAL_OTHER;

	__u32 *marker = (void *)(udp + 1);
	if ((void *)(marker + 1) <= v->data_end && *marker == 0)
		return STEER_PASS_LOCAL;
	return STEER_TAKE_ESP_UDP;
}

/* To an address of this machine: a verdict, or STEER_LOCAL_OTHER where the source decides. */
static __always_inline __u32 classify_local(const struct view *v)
{
	if (v->proto == IPPROTO_ESP)
		return STEER_TAKE_ESP;
	if (v->proto == IPPROTO_UDP)
		return classify_udp(v);
	return STEER_LOCAL_OTHER;
}

static __always_inline int act_local(struct xdp_md *ctx, const struct view *v, __u32 decision,
				     bool from_covered)
{
	if (decision == STEER_PASS_LOCAL || (decision == STEER_LOCAL_OTHER && !from_covered))
		return verdict(XDP_PASS, STEER_PASS_LOCAL);
	return take(ctx, v, decision == STEER_LOCAL_OTHER ? STEER_TAKE_CLEAR : decision);
}

static __always_inline int act_forwarded(struct xdp_md *ctx, const struct view *v,
					 bool from_covered, bool to_covered)
{
	if (to_covered)
		return take(ctx, v, STEER_TAKE_PROTECT);
	if (from_covered)
		return take(ctx, v, STEER_TAKE_CLEAR);
	return verdict(XDP_PASS, STEER_PASS_FORWARD);
}

static __always_inline int steer_ipv4(struct xdp_md *ctx, struct view *v, __u32 role)
{
	struct iphdr *ip = v->data + v->l3;
	struct steer_addr local;

	if ((void *)(ip + 1) > v->data_end || ip->version != 4 || ip->ihl < 5)
		return verdict(XDP_PASS, STEER_PASS_OTHER);
	/* 224.0.0.0/3: multicast, reserved, broadcast. */
	if ((bpf_ntohl(ip->daddr) >> 29) == 7)
		return verdict(XDP_PASS, STEER_PASS_OTHER);

	__builtin_memset(&local, 0, sizeof(local));
	local.family = 4;
	__builtin_memcpy(local.addr, &ip->daddr, 4);
	if (bpf_map_lookup_elem(&steer_local, &local)) {
		v->proto = ip->protocol;
		v->fragment = (ip->frag_off & bpf_htons(0x3fff)) != 0;
		v->l4 = v->l3 + ip->ihl * 4;
		__u32 decision = classify_local(v);
		return act_local(ctx, v, decision,
				 decision == STEER_LOCAL_OTHER && (role & ROLE_UNPROTECTED) &&
				     covered_v4(ip->saddr));
	}
	return act_forwarded(ctx, v, (role & ROLE_UNPROTECTED) && covered_v4(ip->saddr),
			     (role & ROLE_PROTECTED) && covered_v4(ip->daddr));
}

/* Sets v->proto to what stands behind the extension headers, as far as it looks. */
static __always_inline void walk_extensions(struct view *v, __u8 next)
{
	__u32 at = v->l3 + sizeof(struct ipv6hdr);

#pragma unroll
	for (int i = 0; i < EXTENSION_HEADERS_MAX; i++) {
		__u8 *header = v->data + at;
		__u32 len;

		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS &&
		    next != IPPROTO_FRAGMENT)
			break;
		if ((void *)(header + 8) > v->data_end) {
			next = IPPROTO_NONE;
			break;
		}
		if (next == IPPROTO_FRAGMENT) {
			__be16 offset_flags = *(__be16 *)(header + 2);

			len = 8;
			/* RFC 6946: offset 0 and no more to come is a whole datagram. */
			if (offset_flags & bpf_htons(0xfff9))
				v->fragment = true;
			if (offset_flags & bpf_htons(0xfff8)) {
				next = header[0];
				break;
			}
		} else {
			len = (header[1] + 1) * 8;
		}
		next = header[0];
		at += len;
	}
	v->proto = next;
	v->l4 = at;
}

/* RFC 4861: messages 133 to 137, never forwarded (hop limit 255). */
static __always_inline bool is_neighbour_discovery(const struct view *v, const struct ipv6hdr *ip)
{
	__u8 *type = v->data + v->l3 + sizeof(struct ipv6hdr);

	return ip->nexthdr == IPPROTO_ICMPV6 && ip->hop_limit == 255 &&
	       (void *)(type + 1) <= v->data_end && *type >= 133 && *type <= 137;
}

static __always_inline int steer_ipv6(struct xdp_md *ctx, struct view *v, __u32 role)
{
	struct ipv6hdr *ip = v->data + v->l3;
	struct steer_addr local;

	if ((void *)(ip + 1) > v->data_end || ip->version != 6)
		return verdict(XDP_PASS, STEER_PASS_OTHER);
	/* Multicast; link-local, which no router forwards. */
	if (ip->daddr.s6_addr[0] == 0xff ||
	    (ip->daddr.s6_addr[0] == 0xfe && (ip->daddr.s6_addr[1] & 0xc0) == 0x80))
		return verdict(XDP_PASS, STEER_PASS_OTHER);

	local.family = 6;
	__builtin_memcpy(local.addr, &ip->daddr, 16);
	if (bpf_map_lookup_elem(&steer_local, &local)) {
		if (is_neighbour_discovery(v, ip))
			return verdict(XDP_PASS, STEER_PASS_LOCAL);
		walk_extensions(v, ip->nexthdr);
		__u32 decision = classify_local(v);
		return act_local(ctx, v, decision,
				 decision == STEER_LOCAL_OTHER && (role & ROLE_UNPROTECTED) &&
				     covered_v6(&ip->saddr));
	}
	return act_forwarded(ctx, v, (role & ROLE_UNPROTECTED) && covered_v6(&ip->saddr),
			     (role & ROLE_PROTECTED) && covered_v6(&ip->daddr));
}

struct tag {
	__be16 tci, proto;
};

/*
 * A tag with VLAN 0 carries a priority and nothing else: the kernel takes the
 * frame for this very device, so what belongs to the datapath must not slip by
 * it. Frames of real VLANs belong to other devices. Returns the type behind it.
 */
static __always_inline __be16 skip_priority_tag(struct view *v, __be16 type)
{
	struct tag *tag = v->data + v->l3;

	if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
		return type;
	if ((void *)(tag + 1) > v->data_end || (tag->tci & bpf_htons(0x0fff)) != 0)
		return 0;
	v->tagged = true;
	v->l3 += sizeof(*tag);
	return tag->proto;
}

SEC("xdp")
int xsk_def_prog(struct xdp_md *ctx)
{
	struct view v = {
	    .data = (void *)(long)ctx->data,
	    .data_end = (void *)(long)ctx->data_end,
	    .l3 = sizeof(struct ethhdr),
	};
	struct ethhdr *eth = v.data;
	__u32 zero = 0;

	/* The kernel forwards nothing that came by a group MAC address. */
	if ((void *)(eth + 1) > v.data_end || (eth->h_dest[0] & 1))
		return verdict(XDP_PASS, STEER_PASS_OTHER);

	struct steer_port *port = bpf_map_lookup_elem(&steer_port, &zero);
	if (!port)
		return XDP_DROP;

	__be16 type = skip_priority_tag(&v, eth->h_proto);
	if (type == bpf_htons(ETH_P_IP))
		return steer_ipv4(ctx, &v, port->role);
	if (type == bpf_htons(ETH_P_IPV6))
		return steer_ipv6(ctx, &v, port->role);
	return verdict(XDP_PASS, STEER_PASS_OTHER);
}
