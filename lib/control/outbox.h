/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_OUTBOX_H
#define ESPALIER_CONTROL_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/*
 * What a client is to be sent and has not taken yet: whole lines in order, so that
 * an event never stands inside an answer. Only the first of them may be begun.
 */
struct out_line;

struct outbox {
	STAILQ_HEAD(, out_line) lines;
	size_t bytes;       /* unsent */
	uint32_t events;    /* lines that are events */
	size_t event_bytes; /* of their text */
	uint64_t taken;     /* TSC when bytes were last taken, or there were none */
	uint32_t *all;      /* events in all outboxes */
};

/* The text of an event, one for all who get it: between the halves stands its number. */
struct event_text {
	uint32_t users;
	size_t head, len; /* bytes before the number, and altogether */
	char text[];
};

struct event_text *event_text_create(const char *head, const char *tail);
/* Give back one use. */
void event_text_release(struct event_text *t);

/* `all` is counted up and down with each event. */
void outbox_init(struct outbox *o, uint32_t *all);
/* Takes `text`, from malloc(). False without memory; text is freed. */
bool outbox_add(struct outbox *o, char *text, size_t len);
bool outbox_add_event(struct outbox *o, struct event_text *t, uint64_t number);

enum outbox_result {
	OUTBOX_SENT, /* nothing is left */
	OUTBOX_FULL, /* the client has to read first */
	OUTBOX_ERROR,
};

enum outbox_result outbox_send(struct outbox *o, int fd);
/* Forget every line but one that is begun. Returns how many. */
uint32_t outbox_drop(struct outbox *o);
void outbox_free(struct outbox *o);

#endif
