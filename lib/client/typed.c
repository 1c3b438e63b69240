/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/typed.h"

#include "client/fail.h"

int typed_call(struct espalier *e, const char *method, struct typed *t, const struct secret *secret,
	       int timeout_ms, json_t **result, struct espalier_error *error)
{
	int rc;

	if (t->failed)
		rc = fail(error, ESPALIER_NO_MEMORY,
			  "no memory for the request, or a text in it is no UTF-8");
	else
		rc = request_call(e, method, t->params, secret, timeout_ms, result, error);
	json_decref(t->params);
	return rc;
}

struct typed typed_begin(void)
{
	struct typed t = {.params = json_object()};

	t.failed = t.params == NULL;
	return t;
}

static void set(struct typed *t, const char *name, json_t *value)
{
	if (json_object_set_new(t->params, name, value) != 0)
		t->failed = true;
}

void typed_text(struct typed *t, const char *name, const char *value)
{
	if (value != NULL)
		set(t, name, json_string(value));
}

void typed_number(struct typed *t, const char *name, uint64_t value)
{
	if (value > INT64_MAX) /* no JSON number for the gateway: as good as no limit */
		value = INT64_MAX;
	set(t, name, json_integer((json_int_t)value));
}

void typed_limit(struct typed *t, const char *name, uint64_t value)
{
	if (value != 0)
		typed_number(t, name, value);
}

void typed_bool(struct typed *t, const char *name, bool value)
{
	set(t, name, json_boolean(value));
}

void typed_flag(struct typed *t, const char *name, bool value)
{
	if (value)
		typed_bool(t, name, true);
}

void typed_json(struct typed *t, const char *name, const json_t *value)
{
	if (value != NULL)
		set(t, name, json_incref((json_t *)(uintptr_t)value));
}
