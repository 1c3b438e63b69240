/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/rpc.h"
#include "control/validate.h"

enum rpc_code rpc_code_of(int err)
{
	switch (err) {
	case EINVAL:
	case ERANGE:
		return RPC_REFUSED;
	case ENOENT:
		return RPC_NOT_FOUND;
	case EEXIST:
		return RPC_EXISTS;
	case ENOSPC:
	case ENOMEM:
		return RPC_FULL;
	case EBUSY:
	case EAGAIN:
		return RPC_BUSY;
	case EPERM:
	case EACCES:
		return RPC_DENIED;
	case EOPNOTSUPP:
		return RPC_UNSUPPORTED;
	default:
		return RPC_FAILED;
	}
}

/* Values and field names come from the caller, who may have put a key in the wrong place. */
static void set_text(json_t *object, const char *name, char *text)
{
	if (text[0] == '\0')
		return;
	blot_keys(text);
	json_t *value = json_string(text);
	/* Cut in the middle of a character: not UTF-8 any more. */
	if (value == NULL)
		value = json_string("(not shown)");
	json_object_set_new(object, name, value);
}

json_t *rpc_error_answer(const json_t *id, struct rpc_error *error)
{
	json_t *what = json_object(), *data = json_object();

	if (error->fault.what[0] == '\0')
		fault_set(&error->fault, error->fault.err, error->fault.where, "%s",
			  strerror(error->fault.err));
	json_object_set_new(what, "code", json_integer(error->code));
	set_text(what, "message", error->fault.what);
	set_text(data, "field", error->fault.where);
	set_text(data, "value", error->value);
	set_text(data, "limit", error->limit);
	if (error->fault.err != 0) {
		const char *name = strerrorname_np(error->fault.err);
		json_object_set_new(data, "reason", json_string(name != NULL ? name : "EIO"));
	}
	json_object_set_new(what, "data", data);
	return json_pack("{s:s, s:o, s:O}", "jsonrpc", "2.0", "error", what, "id",
			 id != NULL ? (json_t *)(uintptr_t)id : json_null());
}

char *rpc_error_line(enum rpc_code code, const char *what, const char *limit, size_t *len)
{
	struct rpc_error error = {.code = code};

	fault_set(&error.fault, EINVAL, "", "%s", what);
	memccpy(error.limit, limit, '\0', sizeof(error.limit) - 1);
	json_t *answer = rpc_error_answer(NULL, &error);
	*len = json_dumpb(answer, NULL, 0, JSON_COMPACT);
	char *text = malloc(*len + 1);
	if (text != NULL && json_dumpb(answer, text, *len, JSON_COMPACT) == *len)
		text[(*len)++] = '\n';
	json_decref(answer);
	return text;
}
