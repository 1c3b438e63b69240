/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_GATEWAY_RESERVE_H
#define ESPALIER_GATEWAY_RESERVE_H

#include <stddef.h>
#include <stdint.h>

#include "report/fault.h"

/*
 * Sequence numbers of manual keys, reserved on disk in blocks before they are
 * used, so that no restart, crash or power cut repeats a nonce (RFC 4106 3.1).
 * One small file a key in the state directory holds the next number that nobody
 * has reserved; its name is derived from the key by SHA-256 and does not reveal
 * it. A file that cannot be read or is not exactly as it was written is an error,
 * never a new beginning. Control thread.
 */
#define RESERVE_BLOCK (UINT64_C(1) << 24)

struct reserve;
struct reserve_block;

/*
 * Open the state directory, made where its parent exists, and lock it: EBUSY
 * where another process has it. NULL with *fault on failure.
 */
struct reserve *reserve_open(const char *directory, struct fault *fault);
/* Every block must have been freed. */
void reserve_close(struct reserve *r);

/*
 * Reserve the next RESERVE_BLOCK numbers of `key` (with salt), none above `end`:
 * *first to *limit. They are on disk when this returns 0. ENOSPC: the key has no
 * number left. EEXIST: this process has it already.
 */
int reserve_take(struct reserve *r, const uint8_t *key, size_t len, uint64_t end, uint64_t *first,
		 uint64_t *limit, struct reserve_block **out, struct fault *fault);
/* Reserve `count` numbers behind *limit, which grows, up to `end`. */
int reserve_more(struct reserve_block *b, uint64_t count, uint64_t *limit, struct fault *fault);
/* May be NULL. The numbers stay used up. */
void reserve_block_free(struct reserve_block *b);

#endif
