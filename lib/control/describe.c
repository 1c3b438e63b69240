/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/describe.h"

static void describe_words(const char *words, char *buf, size_t size)
{
	size_t at = 0;

	for (const char *w = words; *w != '\0' && at < size;) {
		size_t len = strcspn(w, " ");
		const char *next = w + len + (w[len] == ' ');
		const char *between = w == words ? "" : *next != '\0' ? ", " : " or ";
		at += (size_t)snprintf(buf + at, size - at, "%s\"%.*s\"", between, (int)len, w);
		w = next;
	}
}

const char *member_describe(const struct member *m, char *buf, size_t size)
{
	char words[DESCRIBE_MAX];

	switch (m->type) {
	case MEMBER_BOOLEAN:
		snprintf(buf, size, "true or false");
		break;
	case MEMBER_INTEGER:
		if (m->min >= m->max)
			snprintf(buf, size, "integer");
		else if (m->max == INT64_MAX)
			snprintf(buf, size, "integer, %" PRId64 " or more", m->min);
		else
			snprintf(buf, size, "integer, %" PRId64 " to %" PRId64, m->min, m->max);
		break;
	case MEMBER_STRING:
		if (m->max > 0)
			snprintf(buf, size, "string of at most %" PRId64 " bytes", m->max);
		else
			snprintf(buf, size, "string");
		break;
	case MEMBER_NAME:
		if (m->max > 0)
			snprintf(buf, size,
				 "name: 1 to %" PRId64 " letters, digits or . _ - : @ +, a letter "
				 "or digit first",
				 m->max);
		else
			snprintf(buf, size, "name");
		break;
	case MEMBER_ENUM:
		describe_words(m->values, buf, size);
		break;
	case MEMBER_ADDRESS:
		snprintf(buf, size, "IPv4 or IPv6 address");
		break;
	case MEMBER_RANGE:
		snprintf(buf, size,
			 "\"any\", address, prefix without host bits, or \"first-last\"");
		break;
	case MEMBER_PORTS:
		snprintf(buf, size, "\"any\", port or \"first-last\", 0 to 65535");
		break;
	case MEMBER_PROTOCOL:
		snprintf(buf, size, "\"any\", protocol name, or number 1 to 255");
		break;
	case MEMBER_KEY:
		snprintf(buf, size, "string of 40 or 72 hexadecimal digits");
		break;
	case MEMBER_OBJECT:
		snprintf(buf, size, "object");
		break;
	case MEMBER_ARRAY:
		if (m->max > 0)
			snprintf(buf, size, "array of at most %" PRId64 " objects", m->max);
		else
			snprintf(buf, size, "array of %s",
				 m->members != NULL ? "objects" : "integers");
		break;
	case MEMBER_WORDS:
		describe_words(m->values, words, sizeof(words));
		snprintf(buf, size, "array of %s", words);
		break;
	case MEMBER_ROWS:
		snprintf(buf, size, "array of at most %" PRId64 " arrays of values", m->max);
		break;
	}
	return buf;
}
