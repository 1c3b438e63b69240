/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/wiped.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/espalier.h"

#define ROOM_FIRST 512

static bool make_room(struct wiped *t, size_t more)
{
	size_t room = t->room == 0 ? ROOM_FIRST : t->room;

	if (t->failed || more > SIZE_MAX / 4 - t->len) {
		t->failed = true;
		return false;
	}
	while (room < t->len + more)
		room *= 2;
	if (room == t->room)
		return true;
	char *at = malloc(room);
	if (at == NULL) {
		t->failed = true;
		return false;
	}
	if (t->len > 0) {
		memcpy(at, t->at, t->len);
		explicit_bzero(t->at, t->len);
	}
	free(t->at);
	t->at = at;
	t->room = room;
	return true;
}

void wiped_add(struct wiped *t, const void *bytes, size_t len)
{
	if (!make_room(t, len))
		return;
	memcpy(t->at + t->len, bytes, len);
	t->len += len;
}

void wiped_print(struct wiped *t, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(text))
		t->failed = true;
	else
		wiped_add(t, text, (size_t)n);
}

void wiped_hex(struct wiped *t, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	if (!make_room(t, 2 * len))
		return;
	for (size_t i = 0; i < len; i++) {
		t->at[t->len++] = digits[bytes[i] >> 4];
		t->at[t->len++] = digits[bytes[i] & 15];
	}
}

static int add_piece(const char *piece, size_t len, void *t)
{
	wiped_add(t, piece, len);
	return 0;
}

void wiped_json(struct wiped *t, const json_t *value)
{
	if (json_dump_callback(value, add_piece, t, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		t->failed = true;
}

void wiped_cut(struct wiped *t, size_t len)
{
	explicit_bzero(t->at + len, t->len - len);
	t->len = len;
}

void wiped_free(struct wiped *t)
{
	if (t->len > 0)
		explicit_bzero(t->at, t->len);
	free(t->at);
	*t = (struct wiped){0};
}

static void wipe_and_free(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void espalier_wipe_json(void)
{
	json_set_alloc_funcs(malloc, wipe_and_free);
}
