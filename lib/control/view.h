/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_VIEW_H
#define ESPALIER_CONTROL_VIEW_H

#include "control/call.h"

/* Objects of the gateway as JSON, in the order of the table of methods. New references. */
json_t *sa_view(const struct control *c, const struct sa *sa);
json_t *tunnel_view(const struct control *c, const struct tunnel *t);
json_t *policy_view(const struct control *c, const struct policy *p);
/* The member `session`: the name of that number's, where there is one. */
void put_session(json_t *view, const struct control *c, uint32_t number);

/* Text of an address. */
json_t *address_view(const struct ip_addr *a);

/* A page of a list under construction: `limit` items, then the place to continue from. */
struct page {
	json_t *items;
	size_t limit;
	bool more;
	char last[64]; /* place of the last item taken */
};

void page_begin(struct page *page, const struct call *call);
/* False where the page is full: there is more. */
bool page_room(struct page *page);
/* Takes `item`; the place is what `after` will say of it. */
void page_add(struct page *page, json_t *item, const char *place_fmt, ...)
    __attribute__((format(printf, 3, 4)));
json_t *page_end(struct page *page);

/* A number of a place, up to `end`, behind which *text then stands. */
bool page_place(const char **text, char end, uint32_t *number);
/* The fault of an `after` that cannot be read; returns -EINVAL. */
int page_wrong_place(struct call *call);
/* Parameter `after` of a list whose places are numbers; -1 where it was left out. */
int page_after(struct call *call, int64_t *after);

#endif
