/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "control/method.h"

const struct method method_table[METHOD_COUNT] = {
#define X(id, name, class, summary, example) \
	[METHOD_##id] = {name, class, summary, example, id##_params, id##_result},
    METHODS(X)
#undef X
};

const struct method *method_find(const char *name)
{
	for (size_t i = 0; i < METHOD_COUNT; i++)
		if (strcmp(method_table[i].name, name) == 0)
			return &method_table[i];
	return NULL;
}

const struct member *member_find(const struct member *members, const char *name)
{
	for (const struct member *m = members; m->name != NULL; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

const char *class_name(enum control_class class)
{
	switch (class) {
	case CONTROL_READ:
		return "read";
	case CONTROL_CHANGE:
		return "change";
	default:
		return "keys";
	}
}
