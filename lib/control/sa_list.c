/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/sa_find.h"
#include "control/view.h"

struct listing {
	struct page page;
	const struct control *control;
	const struct gateway *g;
	const struct tunnel *tunnel; /* NULL: of all */
	enum sa_direction direction;
	uint64_t from; /* first slot */
};

/* False where the page is full. */
static bool list_one(struct listing *l, const struct sa *sa)
{
	if (l->tunnel != NULL && sa->tunnel != l->tunnel->index)
		return true;
	if (!page_room(&l->page))
		return false;
	page_add(&l->page, sa_view(l->control, sa), "%s:%u",
		 l->direction == SA_INBOUND ? "in" : "out", sa->slot);
	return true;
}

static void list_slots(struct listing *l)
{
	uint64_t end = sa_slots(l->g->sadb, l->direction);

	for (uint64_t slot = l->from; slot < end; slot++) {
		const struct sa *sa = sa_at(l->g->sadb, l->direction, (uint32_t)slot);
		if (sa != NULL && !list_one(l, sa))
			return;
	}
}

static const struct sa *sas_of(const struct tunnel *t, enum sa_direction direction)
{
	return direction == SA_INBOUND ? t->in : t->out;
}

/*
 * To read all `n` SAs of a tunnel is worth while where a page of them lies behind
 * more than n slots.
 */
static bool has_few(const struct listing *l)
{
	uint64_t worth = l->page.limit * (uint64_t)sa_slots(l->g->sadb, l->direction), n = 0;

	for (const struct sa *sa = sas_of(l->tunnel, l->direction); sa != NULL && n * n <= worth;
	     sa = sa->tunnel_next)
		n++;
	return n * n <= worth;
}

static int by_slot(const void *a, const void *b)
{
	const struct sa *x = *(const struct sa *const *)a, *y = *(const struct sa *const *)b;

	return (x->slot > y->slot) - (x->slot < y->slot);
}

/* The SAs of the tunnel from l->from on, in the order of their slots. False without memory. */
static bool list_tunnel(struct listing *l)
{
	const struct sa **list = NULL;
	size_t count = 0, room = 0;

	for (const struct sa *sa = sas_of(l->tunnel, l->direction); sa != NULL;
	     sa = sa->tunnel_next) {
		if (sa->slot < l->from)
			continue;
		if (count == room) {
			room = 2 * room + 64;
			const struct sa **larger = realloc(list, room * sizeof(*list));
			if (larger == NULL) {
				free(list);
				return false;
			}
			list = larger;
		}
		list[count++] = sa;
	}
	if (count > 0)
		qsort(list, count, sizeof(*list), by_slot);
	for (size_t i = 0; i < count && list_one(l, list[i]); i++)
		;
	free(list);
	return true;
}

static void list_direction(struct listing *l)
{
	if (l->page.more)
		return;
	if (l->tunnel == NULL || !has_few(l) || !list_tunnel(l))
		list_slots(l);
}

/* "in:17" is where a page ended. */
static int read_place(struct call *call, enum sa_direction *direction, uint64_t *from)
{
	const char *after = call_text(call, "after");
	uint32_t slot;

	*direction = SA_INBOUND;
	*from = 0;
	if (after == NULL)
		return 0;
	if (strncmp(after, "out:", 4) == 0)
		*direction = SA_OUTBOUND;
	else if (strncmp(after, "in:", 3) != 0)
		return page_wrong_place(call);
	after = strchr(after, ':') + 1;
	if (!page_place(&after, '\0', &slot))
		return page_wrong_place(call);
	*from = (uint64_t)slot + 1;
	return 0;
}

int call_sa_list(struct call *call)
{
	enum sa_direction only = call_direction(call);
	struct listing l = {.control = call->control, .g = call->g};
	int rc = read_place(call, &l.direction, &l.from);

	if (rc != 0)
		return rc;
	if (call_has(call, "tunnel") && (l.tunnel = call_tunnel(call, "tunnel")) == NULL)
		return -ENOENT;
	page_begin(&l.page, call);
	if (l.direction == SA_INBOUND) {
		if (only != SA_OUTBOUND)
			list_direction(&l);
		l.direction = SA_OUTBOUND;
		l.from = 0;
	}
	if (only != SA_INBOUND)
		list_direction(&l);
	call->result = page_end(&l.page);
	return 0;
}
