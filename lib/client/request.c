/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "client/clock.h"
#include "client/fail.h"
#include "client/state.h"

void request_print(struct wiped *t, uint64_t id, const char *method, const json_t *params,
		   const struct secret *secret)
{
	wiped_print(t, "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":", (unsigned long long)id);
	json_t *name = json_string(method);
	if (name == NULL)
		t->failed = true;
	else
		wiped_json(t, name);
	json_decref(name);
	if (params != NULL) {
		wiped_add(t, ",\"params\":", 10);
		wiped_json(t, params);
	}
	if (secret != NULL && t->len > 0) {
		wiped_cut(t, t->len - 1);
		wiped_add(t, ",\"key\":\"", 8);
		wiped_hex(t, secret->key, secret->len);
		wiped_add(t, "\"}", 2);
	}
	wiped_add(t, "}", 1);
}

static int take_result(json_t *answer, json_t **result, struct espalier_error *error)
{
	json_t *value = json_object_get(answer, "result");

	if (value == NULL)
		return fail_as(error, json_object_get(answer, "error"));
	if (result != NULL)
		*result = json_incref(value);
	return 0;
}

int request_call(struct espalier *e, const char *method, const json_t *params,
		 const struct secret *secret, int timeout_ms, json_t **result,
		 struct espalier_error *error)
{
	int64_t deadline = deadline_in(timeout_ms);
	struct espalier_error unwanted;
	json_t *answer = NULL;
	struct waiter w = {.count = 1, .answer = &answer, .line = line_create()};
	int rc;

	w.error = error != NULL ? error : &unwanted;
	*w.error = (struct espalier_error){0};
	if (result != NULL)
		*result = NULL;
	if (w.line == NULL)
		return fail_memory(w.error);
	w.first = atomic_fetch_add(&e->next_id, 1);
	request_print(&w.line->text, w.first, method, params, secret);
	wiped_add(&w.line->text, "\n", 1);
	if (w.line->text.failed) {
		rc = fail(w.error, ESPALIER_NO_MEMORY,
			  "no memory for the request, or a text in it is no UTF-8");
		line_free(w.line);
	} else if (w.line->text.len > REQUEST_LINE_MAX) {
		rc = fail(w.error, GATEWAY_TOO_LARGE,
			  "the request has %zu bytes, and a gateway takes %u", w.line->text.len,
			  REQUEST_LINE_MAX);
		line_free(w.line);
	} else {
		rc = share_call(e, &w, deadline);
	}
	if (rc == 0)
		rc = take_result(answer, result, w.error);
	json_decref(answer);
	return rc;
}

int espalier_call(struct espalier *e, const char *method, const json_t *params, int timeout_ms,
		  json_t **result, struct espalier_error *error)
{
	return request_call(e, method, params, NULL, timeout_ms, result, error);
}
