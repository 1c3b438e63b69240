/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <rte_cycles.h>

#include "control/outbox.h"

#define PARTS 3 /* of a line: head, number, tail; an answer is all head */
#define LINES_AT_ONCE 64

struct out_line {
	STAILQ_ENTRY(out_line) link;
	char *answer;            /* NULL: an event */
	struct event_text *text; /* of an event */
	size_t len, sent;
	uint8_t digits;
	char number[20];
};

struct event_text *event_text_create(const char *head, const char *tail)
{
	size_t before = strlen(head), behind = strlen(tail);
	struct event_text *t = malloc(sizeof(*t) + before + behind);

	if (t == NULL)
		return NULL;
	*t = (struct event_text){.users = 1, .head = before, .len = before + behind};
	memcpy(t->text, head, before);
	memcpy(t->text + before, tail, behind);
	return t;
}

void event_text_release(struct event_text *t)
{
	if (--t->users == 0)
		free(t);
}

void outbox_init(struct outbox *o, uint32_t *all)
{
	*o = (struct outbox){.all = all};
	STAILQ_INIT(&o->lines);
}

static void append(struct outbox *o, struct out_line *line)
{
	if (STAILQ_EMPTY(&o->lines))
		o->taken = rte_rdtsc();
	STAILQ_INSERT_TAIL(&o->lines, line, link);
	o->bytes += line->len;
	if (line->text != NULL) {
		o->events++;
		(*o->all)++;
		o->event_bytes += line->len;
	}
}

bool outbox_add(struct outbox *o, char *text, size_t len)
{
	struct out_line *line = malloc(sizeof(*line));

	if (line == NULL) {
		free(text);
		return false;
	}
	*line = (struct out_line){.answer = text, .len = len};
	append(o, line);
	return true;
}

bool outbox_add_event(struct outbox *o, struct event_text *t, uint64_t number)
{
	char digits[sizeof("18446744073709551615")];
	struct out_line *line = malloc(sizeof(*line));

	if (line == NULL)
		return false;
	*line = (struct out_line){.text = t};
	line->digits = (uint8_t)snprintf(digits, sizeof(digits), "%" PRIu64, number);
	memcpy(line->number, digits, line->digits);
	line->len = t->len + line->digits;
	t->users++;
	append(o, line);
	return true;
}

static void remove_line(struct outbox *o, struct out_line *line)
{
	o->bytes -= line->len - line->sent;
	if (line->text != NULL) {
		o->events--;
		(*o->all)--;
		o->event_bytes -= line->len;
		event_text_release(line->text);
	}
	free(line->answer);
	free(line);
}

/* What is left of a line, in at most PARTS pieces. */
static int pieces(struct out_line *line, struct iovec *vec)
{
	struct event_text *t = line->text;
	struct iovec part[PARTS];
	size_t skip = line->sent;
	int n = 0, all = 1;

	if (t == NULL) {
		part[0] = (struct iovec){line->answer, line->len};
	} else {
		part[0] = (struct iovec){t->text, t->head};
		part[1] = (struct iovec){line->number, line->digits};
		part[2] = (struct iovec){t->text + t->head, t->len - t->head};
		all = PARTS;
	}
	for (int i = 0; i < all; i++) {
		if (skip < part[i].iov_len)
			vec[n++] =
			    (struct iovec){(char *)part[i].iov_base + skip, part[i].iov_len - skip};
		skip -= skip < part[i].iov_len ? skip : part[i].iov_len;
	}
	return n;
}

static void took(struct outbox *o, size_t sent)
{
	o->taken = rte_rdtsc();
	while (sent > 0) {
		struct out_line *line = STAILQ_FIRST(&o->lines);
		size_t left = line->len - line->sent;
		if (sent < left) {
			line->sent += sent;
			o->bytes -= sent;
			return;
		}
		sent -= left;
		STAILQ_REMOVE_HEAD(&o->lines, link);
		remove_line(o, line);
	}
}

enum outbox_result outbox_send(struct outbox *o, int fd)
{
	while (!STAILQ_EMPTY(&o->lines)) {
		struct iovec vec[LINES_AT_ONCE * PARTS];
		struct out_line *line;
		int n = 0, lines = 0;

		STAILQ_FOREACH (line, &o->lines, link) {
			if (lines++ == LINES_AT_ONCE)
				break;
			n += pieces(line, vec + n);
		}
		struct msghdr msg = {.msg_iov = vec, .msg_iovlen = (size_t)n};
		ssize_t sent = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent >= 0)
			took(o, (size_t)sent);
		else if (errno == EAGAIN)
			return OUTBOX_FULL;
		else if (errno != EINTR)
			return OUTBOX_ERROR;
	}
	return OUTBOX_SENT;
}

uint32_t outbox_drop(struct outbox *o)
{
	struct out_line *begun = STAILQ_FIRST(&o->lines), *line;
	uint32_t dropped = 0;

	if (begun != NULL && begun->sent > 0)
		STAILQ_REMOVE_HEAD(&o->lines, link);
	else
		begun = NULL;
	while ((line = STAILQ_FIRST(&o->lines)) != NULL) {
		STAILQ_REMOVE_HEAD(&o->lines, link);
		remove_line(o, line);
		dropped++;
	}
	if (begun != NULL)
		STAILQ_INSERT_HEAD(&o->lines, begun, link);
	return dropped;
}

void outbox_free(struct outbox *o)
{
	struct out_line *line;

	while ((line = STAILQ_FIRST(&o->lines)) != NULL) {
		STAILQ_REMOVE_HEAD(&o->lines, link);
		remove_line(o, line);
	}
}
