/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESP_ESP_H
#define ESPALIER_ESP_ESP_H

#include <stdint.h>

#include "aead/aead.h"
#include "packet/packet.h"
#include "sa/notice.h"
#include "sa/sa_hot.h"

/*
 * ESP (RFC 4303) in tunnel mode with AES-GCM (RFC 4106), plain or in UDP (RFC
 * 3948), as steps over a vector; each file is one step. A worker calls them in
 * the order in which they stand here, for SAs that it owns. Packets that fail
 * leave the vector through drop(); survivors stay in order.
 */

/* A worker's scratch space for the AEAD calls of one vector. */
struct esp_ops {
	struct aead_op op[VECTOR_MAX];
	uint8_t icv[VECTOR_MAX][AEAD_ICV_SIZE]; /* as computed */
};

/* What a step has to tell the control thread goes here. */
struct esp_watch {
	struct notices *notices;
	uint64_t now, hz; /* TSC, and its rate */
};

/* ---- Outbound: p->ip is the inner packet, p->out its SA. ---- */

/*
 * Make room for the outer headers and the trailer; a chained buffer may grow by
 * one. The mbuf's data is cut to the inner packet. Drops NO_ROOM, NO_BUFFER.
 */
void esp_make_room(struct vector *v, struct drops *d);

/*
 * 3.3.3: the next number of its SA for each packet. Drops SEQ_EXHAUSTED,
 * SEQ_UNRESERVED, SA_EXPIRED.
 */
void esp_number(struct vector *v, struct drops *d, const struct esp_watch *watch);

/*
 * 3.3.2, RFC 4301 5.1.2: prebuilt outer headers, ESP header, IV, padding; DSCP,
 * ECN (RFC 6040) and DF as the SA says. Prepares all AEAD operations. p->ip and
 * the mbuf's data are the outer packet afterwards. Drops nothing. Returns the flags
 * of all these SAs together.
 */
uint8_t esp_encapsulate(struct vector *v, struct esp_ops *ops, uint64_t now);

/*
 * RFC 4301 4.4.2.1: lifetimes in bytes and packets of what was encapsulated, for
 * vectors with SA_OUT_LIMITED. Drops nothing.
 */
void esp_watch_sending(const struct vector *v, const struct esp_watch *watch);

/* Encrypt and write the ICVs; then the UDP checksum where IPv6 wants one. Drops nothing. */
void esp_seal(struct vector *v, struct esp_ops *ops, struct aead *aead);

/* ---- Inbound: p->ip is the outer packet, p->esp_off its ESP header, 16 bytes of it contiguous.
 * ---- */

/* 3.4.2: the SA by SPI alone. Drops ESP_SPI_RESERVED, ESP_NO_SA. */
void esp_find_sa(struct vector *v, struct drops *d, const struct sad *sad);

/*
 * 3.4.3: infer the sequence number and check it; changes nothing. Drops ESP_REPLAY,
 * ESP_WINDOW; SA_EXPIRED.
 */
void esp_check_replay(struct vector *v, struct drops *d, const struct esp_watch *watch);

/* 3.4.4: decrypt and compare the ICVs. Drops ESP_SHORT, ESP_ICV. */
void esp_open(struct vector *v, struct drops *d, struct esp_ops *ops, struct aead *aead,
	      const struct esp_watch *watch);

/*
 * 3.4.3: authenticated now, so move the windows. And RFC 7296 2.23: did the newest
 * packet of an SA come from another address or port (watch_source.c)? Drops
 * ESP_REPLAY, ESP_WINDOW.
 */
void esp_advance_replay(struct vector *v, struct drops *d, const struct esp_watch *watch);

/*
 * 3.4.4.1: padding, next header, TFC padding; parse the inner packet and bring
 * the ECN marks of the outer one in (RFC 6040). p->ip and the mbuf's data are
 * the inner packet afterwards. Drops ESP_PADDING, ESP_DUMMY, ESP_NEXT_HEADER,
 * ESP_INNER, ESP_ECN.
 */
void esp_strip(struct vector *v, struct drops *d);

/*
 * RFC 4301 5.2: the inner packet must match the SA's selectors. Drops ESP_SELECTOR.
 * Returns the flags of all SAs of the survivors together.
 */
uint8_t esp_check_selectors(struct vector *v, struct drops *d);

/* RFC 4301 4.4.2.1, as esp_watch_sending(), for vectors with SA_IN_LIMITED. */
void esp_watch_receiving(const struct vector *v, const struct esp_watch *watch);

#endif
