/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "control/intake.h"
#include "control/wipe.h"

#define ROOM_FIRST 4096
#define READ_MAX 65536

void intake_free(struct intake *in, size_t *budget)
{
	if (in->data != NULL) {
		wipe_free(in->data);
		*budget += in->room;
	}
	*in = (struct intake){0};
}

/* Unserved bytes to the front, and nothing of them left behind. */
static void compact(struct intake *in)
{
	size_t size = in->end - in->start;

	if (in->start == 0)
		return;
	memmove(in->data, in->data + in->start, size);
	explicit_bzero(in->data + size, in->end - size);
	in->scanned -= in->start;
	in->start = 0;
	in->end = size;
}

static bool grow(struct intake *in, size_t *budget)
{
	size_t room = in->room == 0 ? ROOM_FIRST : 2 * in->room;

	if (room - in->room > *budget)
		return false;
	char *data = wipe_malloc(room);
	if (data == NULL)
		return false;
	if (in->end > 0)
		memcpy(data, in->data, in->end);
	wipe_free(in->data);
	*budget -= room - in->room;
	in->data = data;
	in->room = room;
	return true;
}

enum intake_result intake_read(struct intake *in, int fd, size_t *budget)
{
	if (in->end == in->room)
		compact(in);
	if (in->end == in->room && !grow(in, budget))
		return INTAKE_NO_ROOM;
	size_t room = in->room - in->end;
	ssize_t n = recv(fd, in->data + in->end, room < READ_MAX ? room : READ_MAX, MSG_DONTWAIT);
	if (n > 0) {
		in->end += (size_t)n;
		return INTAKE_MORE;
	}
	if (n == 0)
		return INTAKE_END;
	return errno == EAGAIN || errno == EINTR ? INTAKE_EMPTY : INTAKE_ERROR;
}

bool intake_line(struct intake *in, bool rest, const char **text, size_t *len)
{
	if (in->start == in->end)
		return false;
	const char *newline = NULL;
	if (in->scanned < in->end)
		newline = memchr(in->data + in->scanned, '\n', in->end - in->scanned);
	if (newline == NULL)
		in->scanned = in->end;
	if (newline == NULL && !rest)
		return false;
	*text = in->data + in->start;
	*len = newline != NULL ? (size_t)(newline - *text) : in->end - in->start;
	in->line = *len + (newline != NULL);
	return true;
}

void intake_done(struct intake *in)
{
	explicit_bzero(in->data + in->start, in->line);
	in->start += in->line;
	in->line = 0;
	in->scanned = in->start;
	if (in->start == in->end)
		in->start = in->end = in->scanned = 0;
}

bool intake_overlong(struct intake *in, size_t max)
{
	const char *text;
	size_t len;

	return intake_size(in) > max && (!intake_line(in, false, &text, &len) || len > max);
}

size_t intake_size(const struct intake *in)
{
	return in->end - in->start;
}
