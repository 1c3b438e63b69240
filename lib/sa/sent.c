/* SPDX-License-Identifier: BSD-3-Clause */
#include "sa/sent.h"

#include <stdlib.h>
#include <string.h>

struct sent {
	struct sent_entry *entry;
	uint32_t mask, count;
};

struct sent *sent_create(void)
{
	struct sent *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->mask = 255;
	s->entry = calloc(s->mask + 1, sizeof(*s->entry));
	if (s->entry == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

void sent_destroy(struct sent *s)
{
	if (s == NULL)
		return;
	free(s->entry);
	free(s);
}

/* The entry of this digest, or the free one where it would stand. */
static struct sent_entry *probe(struct sent_entry *entry, uint32_t mask, const uint8_t *digest)
{
	uint32_t at;

	memcpy(&at, digest, sizeof(at)); /* a digest is as good as random */
	for (;; at++) {
		struct sent_entry *e = &entry[at & mask];
		if (!e->used || memcmp(e->digest, digest, SENT_DIGEST) == 0)
			return e;
	}
}

struct sent_entry *sent_find(struct sent *s, const uint8_t digest[SENT_DIGEST])
{
	struct sent_entry *e = probe(s->entry, s->mask, digest);

	return e->used ? e : NULL;
}

static int grow(struct sent *s)
{
	uint32_t mask = s->mask * 2 + 1;
	struct sent_entry *larger = calloc((size_t)mask + 1, sizeof(*larger));

	if (larger == NULL)
		return -1;
	for (uint32_t i = 0; i <= s->mask; i++) {
		if (s->entry[i].used)
			*probe(larger, mask, s->entry[i].digest) = s->entry[i];
	}
	free(s->entry);
	s->entry = larger;
	s->mask = mask;
	return 0;
}

struct sent_entry *sent_put(struct sent *s, const uint8_t digest[SENT_DIGEST])
{
	struct sent_entry *e = probe(s->entry, s->mask, digest);

	if (e->used)
		return e;
	if (s->count * 2 > s->mask) {
		if (grow(s) != 0)
			return NULL;
		e = probe(s->entry, s->mask, digest);
	}
	memcpy(e->digest, digest, SENT_DIGEST);
	e->used = 1;
	s->count++;
	return e;
}
