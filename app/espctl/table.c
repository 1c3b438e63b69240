/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "show.h"
#include "table.h"

#define COLUMNS_MAX 32
#define CELL_MAX 160

struct column {
	const struct member *outer; /* the inner object that holds it; NULL: the item itself */
	const struct member *member;
	int width;
};

static size_t gather(const struct member *members, const struct member *outer,
		     struct column *columns, size_t n)
{
	for (const struct member *m = members; m->name != NULL && n < COLUMNS_MAX; m++) {
		if (m->column != NULL)
			columns[n++] = (struct column){outer, m, (int)strlen(m->column)};
		else if (m->type == MEMBER_OBJECT && outer == NULL)
			n = gather(m->members, m, columns, n);
	}
	return n;
}

/* Columns of the terminal, counting a UTF-8 character as one. */
static int width_of(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static const char *cell(const struct column *c, const json_t *item, char *buf, size_t size)
{
	if (c->outer != NULL)
		item = json_object_get(item, c->outer->name);
	return show_value(c->member, json_object_get(item, c->member->name), buf, size);
}

static bool is_right(const struct column *c)
{
	return c->member->type == MEMBER_INTEGER && c->member->unit != UNIT_HEX;
}

static void print_cell(FILE *out, const struct column *c, const char *text, bool last)
{
	int pad = c->width - width_of(text);
	char coloured[CELL_MAX + 16];

	text = show_coloured(c->member->name, text, coloured, sizeof(coloured));
	if (is_right(c))
		fprintf(out, "%*s%s", pad, "", text);
	else if (last)
		fputs(text, out);
	else
		fprintf(out, "%s%*s", text, pad, "");
	fputs(last ? "\n" : "  ", out);
}

void table_show(FILE *out, const struct member *members, const json_t *array, int indent)
{
	struct column columns[COLUMNS_MAX];
	size_t n = gather(members, NULL, columns, 0), i;
	char text[CELL_MAX];
	json_t *item;

	json_array_foreach (array, i, item) {
		for (size_t c = 0; c < n; c++) {
			int width = width_of(cell(&columns[c], item, text, sizeof(text)));
			if (width > columns[c].width)
				columns[c].width = width;
		}
	}
	fprintf(out, "%*s", indent, "");
	for (size_t c = 0; c < n; c++)
		print_cell(out, &columns[c], columns[c].member->column, c + 1 == n);
	json_array_foreach (array, i, item) {
		fprintf(out, "%*s", indent, "");
		for (size_t c = 0; c < n; c++)
			print_cell(out, &columns[c], cell(&columns[c], item, text, sizeof(text)),
				   c + 1 == n);
	}
}
