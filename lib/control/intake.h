/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_INTAKE_H
#define ESPALIER_CONTROL_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * What a client has sent and the gateway has not served yet: bytes in, lines
 * out. Keys pass through here, so a byte is wiped as soon as its line is done,
 * and memory before it is given back.
 */
struct intake {
	char *data;
	size_t start, end, room; /* unserved bytes are data[start … end-1] */
	size_t scanned;          /* no newline before this offset */
	size_t line;             /* length of the line that intake_line() showed, with newline */
};

enum intake_result {
	INTAKE_MORE,  /* bytes came */
	INTAKE_EMPTY, /* none are there now */
	INTAKE_END,   /* the client will send no more */
	INTAKE_ERROR,
	INTAKE_NO_ROOM, /* `budget` does not allow more */
};

/* Read once. *budget is the memory that all clients together may still take. */
enum intake_result intake_read(struct intake *in, int fd, size_t *budget);

/*
 * The first complete line, without its newline; with `rest` also what stands at
 * the end without one. False where there is none. Valid until intake_done().
 */
bool intake_line(struct intake *in, bool rest, const char **text, size_t *len);
/* Wipe the line that was shown. */
void intake_done(struct intake *in);

/* More than `max` bytes without a newline. */
bool intake_overlong(struct intake *in, size_t max);
size_t intake_size(const struct intake *in);
void intake_free(struct intake *in, size_t *budget);

#endif
