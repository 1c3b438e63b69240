/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_PACKET_DROP_H
#define ESPALIER_PACKET_DROP_H

#include <stdint.h>

/*
 * Every packet that is not sent ends with exactly one of these reasons.
 * DROP_LIST(enum suffix, name on the wire, kind, sentence). Kind LOSS is a lost
 * packet, END one whose way ends here by rule (a keepalive, a dummy).
 */
#define DROP_LIST(X)                                                                               \
	X(BAD_FRAME, bad_frame, LOSS, "Ethernet frame too short for its type")                     \
	X(OTHER_STATION, other_station, LOSS, "frame addressed to another station's MAC")          \
	X(BAD_IP, bad_ip, LOSS, "IP header malformed, truncated or with a wrong checksum")         \
	X(TTL_EXPIRED, ttl_expired, LOSS, "TTL or hop limit ended while forwarding")               \
	X(NO_POLICY, no_policy, LOSS, "no policy and no tunnel route matches (RFC 4301 5.1)")      \
	X(POLICY_DISCARD, policy_discard, LOSS, "a policy says discard")                           \
	X(PLAINTEXT, plaintext, LOSS,                                                              \
	  "arrived in the clear though policy says protect (RFC 4301 5.2)")                        \
	X(TUNNEL_NO_SA, tunnel_no_sa, LOSS, "the tunnel has no outbound SA")                       \
	X(ACQUIRE_QUEUE, acquire_queue, LOSS,                                                      \
	  "the tunnel waits for an SA, and as many packets with it as may")                        \
	X(ACQUIRE_TIMEOUT, acquire_timeout, LOSS, "the tunnel waited for an SA, and none came")    \
	X(SA_EXPIRED, sa_expired, LOSS, "the SA has reached a hard lifetime (RFC 4301 4.4.2.1)")   \
	X(SEQ_EXHAUSTED, seq_exhausted, LOSS,                                                      \
	  "the SA's sequence space has ended (RFC 4303 3.3.3)")                                    \
	X(SEQ_UNRESERVED, seq_unreserved, LOSS, "the next block of numbers is not on disk yet")    \
	X(TOO_BIG, too_big, LOSS, "larger than the tunnel's MTU; the sender was told by ICMP")     \
	X(NO_ROOM, no_room, LOSS, "the buffer has no room for headers or trailer")                 \
	X(ESP_FRAGMENT, esp_fragment, LOSS, "ESP in an IP fragment (RFC 4303 3.4.1)")              \
	X(ESP_SHORT, esp_short, LOSS, "ESP shorter than its fixed parts, or not 4-byte aligned")   \
	X(ESP_SPI_RESERVED, esp_spi_reserved, LOSS, "SPI 0 to 255 (RFC 4303 2.1)")                 \
	X(ESP_NO_SA, esp_no_sa, LOSS, "no inbound SA has this SPI (RFC 4303 3.4.2)")               \
	X(ESP_REPLAY, esp_replay, LOSS, "sequence number already received (RFC 4303 3.4.3)")       \
	X(ESP_WINDOW, esp_window, LOSS, "sequence number below the window (RFC 4303 3.4.3)")       \
	X(ESP_ICV, esp_icv, LOSS, "ICV wrong: forged, damaged or another key (RFC 4303 3.4.4)")    \
	X(ESP_PADDING, esp_padding, LOSS, "padding is not 1, 2, 3 … (RFC 4303 2.4)")               \
	X(ESP_NEXT_HEADER, esp_next_header, LOSS, "next header is neither IPv4, IPv6 nor dummy")   \
	X(ESP_INNER, esp_inner, LOSS, "the inner IP packet is malformed or truncated")             \
	X(ESP_ECN, esp_ecn, LOSS, "inner Not-ECT under outer CE (RFC 6040 4.2)")                   \
	X(ESP_SELECTOR, esp_selector, LOSS,                                                        \
	  "the inner packet is outside the SA's selectors (RFC 4301 5.2)")                         \
	X(ESP_DUMMY, esp_dummy, END, "dummy packet, next header 59 (RFC 4303 2.6)")                \
	X(NAT_KEEPALIVE, nat_keepalive, END, "NAT keepalive (RFC 3948 2.3)")                       \
	X(NO_ROUTE, no_route, LOSS, "no route to the destination")                                 \
	X(BLACKHOLE, blackhole, LOSS, "the route says blackhole, unreachable or prohibit")         \
	X(NEIGH_UNRESOLVED, neigh_unresolved, LOSS, "the next hop did not answer in time")         \
	X(NEIGH_QUEUE, neigh_queue, LOSS, "too many packets wait for next hops")                   \
	X(LOOP, loop, LOSS, "a packet to be sent in the clear has a route into a tunnel")          \
	X(HANDOFF_FULL, handoff_full, LOSS, "the ring to another worker is full")                  \
	X(KERNEL_FULL, kernel_full, LOSS, "the ring to the kernel is full")                        \
	X(KERNEL_REFUSED, kernel_refused, LOSS, "the kernel did not take the packet")              \
	X(TX_CHAIN, tx_chain, LOSS, "the port takes no chained buffers and the packet needs them") \
	X(TX_MTU, tx_mtu, LOSS, "larger than the port's MTU")                                      \
	X(TX_FULL, tx_full, LOSS, "the port's transmit queue is full")                             \
	X(PORT_DOWN, port_down, LOSS, "the port has no link")                                      \
	X(NO_BUFFER, no_buffer, LOSS, "no free packet buffer")

enum drop_reason {
#define X(id, name, kind, text) DROP_##id,
	DROP_LIST (X)
#undef X
	    DROP_REASONS
};

enum drop_kind { DROP_LOSS, DROP_END };

/* "esp_replay"; stable: counters, events and metrics use it. */
const char *drop_name(enum drop_reason reason);
const char *drop_text(enum drop_reason reason);
enum drop_kind drop_kind(enum drop_reason reason);

#endif
