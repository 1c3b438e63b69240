/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "client/clock.h"
#include "client/fail.h"
#include "client/state.h"

/* A gateway's limits for one line (docs/control.md, limits of gateway.info). */
#define BATCH_MAX 1024
#define VALUES_MAX 32000

struct batch {
	uint64_t first;
	size_t from, count; /* elements of params */
	unsigned int values;
	json_t *answer[BATCH_MAX];
};

/* Rather too many than too few: what stands in strings counts as well. */
static unsigned int count_values(const char *text, size_t len)
{
	unsigned int n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == ',' || text[i] == '{' || text[i] == '[';
	return n;
}

/* As many requests from b->from on as one line takes. */
static void fill_line(struct wiped *t, struct batch *b, const char *method, const json_t *params)
{
	size_t n = json_array_size(params);

	b->count = b->values = 0;
	wiped_add(t, "[", 1);
	while (b->count < BATCH_MAX && b->from + b->count < n && !t->failed) {
		size_t before = t->len;
		if (b->count > 0)
			wiped_add(t, ",", 1);
		request_print(t, b->first + b->count, method,
			      json_array_get(params, b->from + b->count), NULL);
		if (t->failed)
			return;
		b->values += count_values(t->at + before, t->len - before);
		if (t->len + 2 > REQUEST_LINE_MAX || (b->values > VALUES_MAX && b->count > 0)) {
			wiped_cut(t, before);
			break;
		}
		b->count++;
	}
	wiped_add(t, "]\n", 2);
}

/* {"result": …} or {"error": …}; null where there is no answer. */
static int add_answer(json_t *results, json_t *answer)
{
	const char *member = json_object_get(answer, "result") != NULL ? "result" : "error";
	json_t *value = json_object_get(answer, member);

	if (value == NULL)
		return json_array_append_new(results, json_null());
	return json_array_append_new(results, json_pack("{s:O}", member, value));
}

static int add_too_large(json_t *results)
{
	return json_array_append_new(results,
				     json_pack("{s:{s:i, s:s}}", "error", "code", GATEWAY_TOO_LARGE,
					       "message", "the request is too long for one line"));
}

/* One line and its answers. */
static int run_batch(struct espalier *e, struct batch *b, const char *method, const json_t *params,
		     int64_t deadline, json_t *results, struct espalier_error *error)
{
	struct waiter w = {.answer = b->answer, .line = line_create(), .error = error};
	int lost = 0;

	if (w.line == NULL)
		return fail_memory(error);
	b->first = w.first = atomic_fetch_add(&e->next_id, BATCH_MAX);
	fill_line(&w.line->text, b, method, params);
	if (w.line->text.failed) {
		line_free(w.line);
		return fail(error, ESPALIER_NO_MEMORY,
			    "no memory for the requests, or a text in them is no UTF-8");
	}
	if (b->count == 0) {
		line_free(w.line);
		b->count = 1;
		return add_too_large(results) != 0 ? fail_memory(error) : 0;
	}
	w.count = b->count;
	int rc = share_call(e, &w, deadline);
	for (size_t i = 0; i < b->count; i++) {
		lost |= add_answer(results, b->answer[i]);
		json_decref(b->answer[i]);
		b->answer[i] = NULL;
	}
	return rc == 0 && lost != 0 ? fail_memory(error) : rc;
}

int espalier_call_many(struct espalier *e, const char *method, const json_t *params, int timeout_ms,
		       json_t **results, struct espalier_error *error)
{
	int64_t deadline = deadline_in(timeout_ms);
	struct espalier_error unwanted;
	struct batch *b = calloc(1, sizeof(*b));
	size_t n = json_array_size(params);
	int rc = 0;

	if (error == NULL)
		error = &unwanted;
	*error = (struct espalier_error){0};
	*results = json_array();
	if (b == NULL || *results == NULL) {
		free(b);
		return fail_memory(error);
	}
	while (rc == 0 && b->from < n) {
		rc = run_batch(e, b, method, params, deadline, *results, error);
		b->from += b->count;
	}
	while (json_array_size(*results) < n && json_array_append_new(*results, json_null()) == 0)
		;
	free(b);
	return rc;
}
