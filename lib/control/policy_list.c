/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "control/state.h"
#include "control/view.h"
#include "gateway/provision.h"

static bool is_of(const struct policy *p, const struct tunnel *t)
{
	return t == NULL || (p->action == POLICY_PROTECT && p->tunnel == t->index);
}

struct listing {
	struct page page;
	const struct control *control;
	const struct tunnel *tunnel; /* NULL: all */
	bool from_start;
	uint32_t priority, id; /* else only what is asked behind these */
};

static bool is_behind(const struct policy *p, const struct listing *l)
{
	return l->from_start || p->priority > l->priority ||
	       (p->priority == l->priority && p->id > l->id);
}

static bool list_one(void *arg, const struct policy *p)
{
	struct listing *l = arg;

	if (!is_behind(p, l) || !is_of(p, l->tunnel))
		return true;
	if (!page_room(&l->page))
		return false;
	page_add(&l->page, policy_view(l->control, p), "%u:%u", p->priority, p->id);
	return true;
}

/* "1000:17" is the priority and the number of the last policy of a page. */
static int read_place(struct call *call, struct listing *l)
{
	const char *after = call_text(call, "after");

	l->from_start = after == NULL;
	if (after != NULL &&
	    (!page_place(&after, ':', &l->priority) || !page_place(&after, '\0', &l->id)))
		return page_wrong_place(call);
	return 0;
}

int call_policy_list(struct call *call)
{
	struct listing l = {.control = call->control};
	int rc = read_place(call, &l);

	if (rc != 0)
		return rc;
	if (call_has(call, "tunnel") && (l.tunnel = call_tunnel(call, "tunnel")) == NULL)
		return -ENOENT;
	page_begin(&l.page, call);
	policy_each(call->g->spd, list_one, &l);
	call->result = page_end(&l.page);
	return 0;
}

struct gathering {
	const struct tunnel *tunnel;
	struct policy *list;
	uint32_t count, room;
};

static bool gather_one(void *arg, const struct policy *p)
{
	struct gathering *all = arg;

	if (is_of(p, all->tunnel) && all->count < all->room)
		all->list[all->count++] = *p;
	return true;
}

int call_policy_flush(struct call *call)
{
	struct gathering all = {.room = policy_count(call->g->spd)};
	struct changes *changes = &call->control->changes;
	size_t mark = changes->count;
	int rc;

	if (call_has(call, "tunnel") && (all.tunnel = call_tunnel(call, "tunnel")) == NULL)
		return -ENOENT;
	all.list = calloc(all.room + 1, sizeof(*all.list));
	if (all.list == NULL)
		return call_fault(call, ENOMEM, "", "no memory to gather %u policies", all.room);
	policy_each(call->g->spd, gather_one, &all);
	rc = changes_reserve(changes, all.count, &call->error.fault);
	for (uint32_t i = 0; i < all.count && rc == 0; i++) {
		rc = gateway_policy_delete(call->g, all.list[i].id, &call->error.fault);
		if (rc == 0)
			changes_note(changes, false, &all.list[i]);
	}
	free(all.list);
	if (rc != 0) {
		changes_undo(changes, call->g, mark);
		return rc;
	}
	call->result = json_pack("{s:I}", "deleted", (json_int_t)all.count);
	return 0;
}
