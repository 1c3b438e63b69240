/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

int page_after(struct call *call, int64_t *after)
{
	const char *text = call_text(call, "after");
	unsigned int number;
	int end = 0;

	*after = -1;
	if (text == NULL)
		return 0;
	if (strspn(text, "0123456789") == 0 || sscanf(text, "%u%n", &number, &end) != 1 ||
	    text[end] != '\0')
		return call_fault(call, EINVAL, "after", "this is no `next` of an earlier page");
	*after = number;
	return 0;
}
