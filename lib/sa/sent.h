/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SA_SENT_H
#define ESPALIER_SA_SENT_H

#include <stdint.h>

/*
 * Which key and salt pairs are in use or were used for sending, and up to which
 * sequence number: with GCM a number used twice under one key gives both the
 * plaintext and the authentication key away (RFC 4106 3.1, 10). Digests only,
 * never forgotten while the process lives (32 bytes each).
 */
#define SENT_DIGEST 16

enum sent_use {
	SENT_IDLE,      /* not in use now; `last` numbers were sent */
	SENT_SENDING,   /* a live outbound SA */
	SENT_RECEIVING, /* a live inbound SA: the peer sends with it */
	SENT_RECEIVED,  /* not in use now; the peer has sent with it */
};

struct sent_entry {
	uint8_t digest[SENT_DIGEST];
	uint64_t last; /* highest number that may have been sent; 0: none */
	uint32_t use;
	uint32_t used; /* the entry is taken */
};

struct sent;

struct sent *sent_create(void);
void sent_destroy(struct sent *s);

/* NULL if this key was never seen. Valid until the next sent_put(). */
struct sent_entry *sent_find(struct sent *s, const uint8_t digest[SENT_DIGEST]);
/* Find or add; NULL without memory. */
struct sent_entry *sent_put(struct sent *s, const uint8_t digest[SENT_DIGEST]);

#endif
