/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_cycles.h>

#include "control/dispatch.h"
#include "control/rpc.h"
#include "control/shape.h"
#include "control/state.h"
#include "control/wipe.h"
#include "report/log.h"

/* The answer to one request, kept until the policy changes of the line are committed. */
struct served {
	char *text; /* from jansson; NULL: none is due */
	size_t len;
	json_t *id;   /* NULL: a notification */
	bool changed; /* policies, and they are not committed yet */
};

struct rpc_line {
	struct control *c;
	struct caller *caller;
	json_t *root;
	bool batch;
	size_t count, next; /* requests; the one to be served next */
	bool again;         /* that one has begun */
	struct served *served;
	size_t first_unsettled;
	size_t answered; /* bytes so far */
};

static void set_answer(struct rpc_line *line, struct served *s, json_t *answer)
{
	line->answered -= s->len;
	wipe_free(s->text);
	s->text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;
	s->len = s->text != NULL ? strlen(s->text) : 0;
	line->answered += s->len;
	json_decref(answer);
}

static void fail(struct rpc_error *error, enum rpc_code code, int err, const char *what)
{
	error->code = code;
	fault_set(&error->fault, err, "", "%s", what);
}

/* jansson's own text quotes the request, in which a key may stand. */
static const char *parse_error_text(const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_invalid_utf8:
		return "not valid UTF-8";
	case json_error_premature_end_of_input:
		return "the line ends too early";
	case json_error_end_of_input_expected:
		return "something follows the JSON text";
	case json_error_duplicate_key:
		return "a member is given twice";
	case json_error_numeric_overflow:
		return "a number is too large";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "a string has a NUL byte";
	case json_error_out_of_memory:
		return "no memory";
	default:
		return "not valid JSON";
	}
}

static json_t *parse(const char *text, size_t len, struct rpc_error *error)
{
	json_error_t wrong;

	if (shape_check(text, len, error) != 0)
		return NULL;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &wrong);
	if (root == NULL) {
		error->code = RPC_PARSE_ERROR;
		fault_set(&error->fault, EBADMSG, "", "%s, at byte %d", parse_error_text(&wrong),
			  wrong.position);
	}
	/* The error text may quote a key. */
	explicit_bzero(&wrong, sizeof(wrong));
	return root;
}

struct rpc_line *rpc_begin(struct control *c, struct caller *caller, const char *text, size_t len)
{
	struct rpc_line *line = calloc(1, sizeof(*line));
	struct rpc_error error = {0};

	if (line == NULL)
		return NULL;
	line->c = c;
	line->caller = caller;
	line->root = parse(text, len, &error);
	line->batch = json_is_array(line->root);
	line->count = line->batch ? json_array_size(line->root) : 1;
	if (line->batch && line->count == 0)
		fail(&error, RPC_INVALID_REQUEST, EINVAL, "the batch is empty");
	if (line->count > CONTROL_BATCH_MAX) {
		fail(&error, RPC_TOO_LARGE, E2BIG, "too many requests in one batch");
		snprintf(error.limit, sizeof(error.limit), "%d requests", CONTROL_BATCH_MAX);
	}
	if (error.code != 0)
		line->count = 1;
	line->served = calloc(line->count, sizeof(*line->served));
	if (line->served == NULL) {
		json_decref(line->root);
		free(line);
		return NULL;
	}
	if (error.code != 0) {
		line->batch = false;
		line->next = line->count;
		set_answer(line, &line->served[0], rpc_error_answer(NULL, &error));
	}
	return line;
}

/* Make the policy changes visible; where that fails, so do the requests that made them. */
static void settle(struct rpc_line *line)
{
	struct rpc_error error = {0};
	int rc = changes_commit(&line->c->changes, line->c->g, &error.fault);

	for (size_t i = line->first_unsettled; i < line->next; i++) {
		struct served *s = &line->served[i];
		if (rc != 0 && s->changed && s->id != NULL) {
			struct rpc_error copy = error;
			copy.code = rpc_code_of(-rc);
			set_answer(line, s, rpc_error_answer(s->id, &copy));
		}
		s->changed = false;
	}
	line->first_unsettled = line->next;
}

/* JSON-RPC 2.0 section 4. The members of an invalid request are not looked at further. */
static bool is_request(const json_t *request, struct rpc_error *error)
{
	const json_t *id = json_object_get(request, "id");
	const json_t *params = json_object_get(request, "params");
	const char *version = json_string_value(json_object_get(request, "jsonrpc"));
	const char *name;
	json_t *value;

	if (!json_is_object(request))
		fail(error, RPC_INVALID_REQUEST, EINVAL, "a request must be an object");
	else if (version == NULL || strcmp(version, "2.0") != 0)
		fail(error, RPC_INVALID_REQUEST, EINVAL, "jsonrpc must be \"2.0\"");
	else if (!json_is_string(json_object_get(request, "method")))
		fail(error, RPC_INVALID_REQUEST, EINVAL, "method must be a string");
	else if (id != NULL && !json_is_string(id) && !json_is_number(id) && !json_is_null(id))
		fail(error, RPC_INVALID_REQUEST, EINVAL, "id must be a string, a number or null");
	else if (params != NULL && !json_is_object(params) && !json_is_array(params))
		fail(error, RPC_INVALID_REQUEST, EINVAL, "params must be an object or an array");
	json_object_foreach ((json_t *)(uintptr_t)request, name, value) {
		if (error->code == 0 && strcmp(name, "jsonrpc") != 0 &&
		    strcmp(name, "method") != 0 && strcmp(name, "params") != 0 &&
		    strcmp(name, "id") != 0) {
			error->code = RPC_INVALID_REQUEST;
			fault_set(&error->fault, EINVAL, "",
				  "member %.64s of the request is unknown", name);
		}
	}
	return error->code == 0;
}

/* False: not done yet. */
static bool serve(struct rpc_line *line, const json_t *request, struct served *s)
{
	struct call call = {
	    .control = line->c, .g = line->c->g, .caller = line->caller, .resumed = line->again};
	const json_t *id = json_object_get(request, "id");

	if (!is_request(request, &call.error)) {
		bool usable = json_is_string(id) || json_is_number(id);
		set_answer(line, s, rpc_error_answer(usable ? id : NULL, &call.error));
		return true;
	}
	size_t before = line->c->changes.count;
	if (!line->again && line->answered > line->c->config.output_max) {
		fail(&call.error, RPC_TOO_LARGE, E2BIG,
		     "not done: the answers to this batch are too long already");
		snprintf(call.error.limit, sizeof(call.error.limit), "%zu bytes",
			 line->c->config.output_max);
	} else {
		dispatch(&call, request);
	}
	line->again = call.again;
	if (call.again)
		return false;
	s->changed = line->c->changes.count != before;
	s->id = json_incref((json_t *)(uintptr_t)id);
	if (id == NULL)
		json_decref(call.result);
	else if (call.error.code != 0)
		set_answer(line, s, rpc_error_answer(id, &call.error));
	else
		set_answer(line, s,
			   json_pack("{s:s, s:o, s:O}", "jsonrpc", "2.0", "result", call.result,
				     "id", id));
	return true;
}

bool rpc_step(struct rpc_line *line, uint64_t until)
{
	while (line->next < line->count) {
		const json_t *request =
		    line->batch ? json_array_get(line->root, line->next) : line->root;
		if (dispatch_needs_settled(request))
			settle(line);
		if (serve(line, request, &line->served[line->next]))
			line->next++;
		uint64_t now = rte_rdtsc();
		if (now < until)
			continue;
		/* A commit builds the lookup anew: rather one late than many. */
		if (line->c->changes.count == 0 || now - until >= rte_get_tsc_hz() / 20)
			break;
	}
	settle(line);
	return line->next == line->count;
}

static char *join(const struct rpc_line *line, size_t *len)
{
	size_t at = 0;
	/* A comma or a newline for each, and the brackets. */
	char *text = malloc(line->answered + line->count + 3);

	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < line->count; i++) {
		const struct served *s = &line->served[i];
		if (s->text == NULL)
			continue;
		if (line->batch) {
			text[at] = at == 0 ? '[' : ',';
			at++;
		}
		memcpy(text + at, s->text, s->len);
		at += s->len;
	}
	if (line->batch)
		text[at++] = ']';
	text[at++] = '\n';
	*len = at;
	return text;
}

char *rpc_finish(struct rpc_line *line, size_t *len)
{
	char *text = NULL;

	*len = 0;
	if (line->answered > 0)
		text = join(line, len);
	for (size_t i = 0; i < line->count; i++) {
		wipe_free(line->served[i].text);
		json_decref(line->served[i].id);
	}
	free(line->served);
	json_decref(line->root);
	free(line);
	return text;
}
