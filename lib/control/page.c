/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/view.h"

void page_begin(struct page *page, const struct call *call)
{
	*page = (struct page){.items = json_array(), .limit = (size_t)call_integer(call, "limit")};
}

bool page_room(struct page *page)
{
	if (json_array_size(page->items) < page->limit)
		return true;
	page->more = true;
	return false;
}

void page_add(struct page *page, json_t *item, const char *place_fmt, ...)
{
	va_list ap;

	va_start(ap, place_fmt);
	vsnprintf(page->last, sizeof(page->last), place_fmt, ap);
	va_end(ap);
	json_array_append_new(page->items, item);
}

json_t *page_end(struct page *page)
{
	json_t *result = json_pack("{s:o}", "items", page->items);

	if (page->more)
		json_object_set_new(result, "next", json_string(page->last));
	return result;
}

bool page_place(const char **text, char end, uint32_t *number)
{
	unsigned long n;
	char *stop;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	n = strtoul(*text, &stop, 10);
	if (errno != 0 || n > UINT32_MAX || *stop != end)
		return false;
	*number = (uint32_t)n;
	*text = stop + (end != '\0');
	return true;
}

int page_wrong_place(struct call *call)
{
	return call_fault(call, EINVAL, "after", "this is no `next` of an earlier page");
}

int page_after(struct call *call, int64_t *after)
{
	const char *text = call_text(call, "after");
	uint32_t number;

	*after = -1;
	if (text == NULL)
		return 0;
	if (!page_place(&text, '\0', &number))
		return page_wrong_place(call);
	*after = number;
	return 0;
}
