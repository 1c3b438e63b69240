/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/control.h"
#include "control/shape.h"

#define WORD_MAX 64 /* of a number, true, false or null */

static int too_large(struct rpc_error *error, const char *what, unsigned int limit,
		     const char *unit)
{
	error->code = RPC_TOO_LARGE;
	snprintf(error->limit, sizeof(error->limit), "%u %s", limit, unit);
	return fault_set(&error->fault, E2BIG, "", "%s", what);
}

/* Behind the closing quote of the string that begins at `i`; or the end. */
static size_t skip_string(const char *text, size_t len, size_t i)
{
	for (i++; i < len && text[i] != '"'; i++)
		if (text[i] == '\\')
			i++;
	return i < len ? i + 1 : len;
}

static bool is_word(char c)
{
	switch (c) {
	case '[':
	case ']':
	case '{':
	case '}':
	case ',':
	case ':':
	case '"':
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		return false;
	default:
		return true;
	}
}

int shape_check(const char *text, size_t len, struct rpc_error *error)
{
	unsigned int depth = 0, values = 0;

	for (size_t i = 0; i < len;) {
		size_t begin = i;
		if (text[i] == '"') {
			i = skip_string(text, len, i);
			if (i - begin > CONTROL_STRING_MAX + 2)
				return too_large(error, "a string is too long", CONTROL_STRING_MAX,
						 "bytes");
			continue;
		}
		while (i < len && i - begin <= WORD_MAX && is_word(text[i]))
			i++;
		if (i - begin > WORD_MAX) {
			error->code = RPC_PARSE_ERROR;
			return fault_set(&error->fault, EBADMSG, "", "not valid JSON, at byte %zu",
					 begin);
		}
		if (i > begin)
			continue;
		if (text[i] == '[' || text[i] == '{') {
			values++;
			if (++depth > CONTROL_NESTING_MAX)
				return too_large(error, "nested too deep", CONTROL_NESTING_MAX,
						 "levels");
		} else if (text[i] == ']' || text[i] == '}') {
			depth -= depth > 0;
		} else if (text[i] == ',') {
			values++;
		}
		if (values > CONTROL_VALUES_MAX)
			return too_large(error, "too many values in one line", CONTROL_VALUES_MAX,
					 "values");
		i++;
	}
	return 0;
}
