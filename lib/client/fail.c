/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/fail.h"

#include <stdarg.h>
#include <stdio.h>

int fail(struct espalier_error *error, int code, const char *fmt, ...)
{
	if (error == NULL)
		return code;
	va_list args;
	va_start(args, fmt);
	vsnprintf(error->message, sizeof(error->message), fmt, args);
	va_end(args);
	error->field[0] = '\0';
	error->code = code;
	return code;
}

int fail_as(struct espalier_error *error, const json_t *answer_error)
{
	const json_t *code = json_object_get(answer_error, "code");
	const char *message = json_string_value(json_object_get(answer_error, "message"));
	const char *field =
	    json_string_value(json_object_get(json_object_get(answer_error, "data"), "field"));
	json_int_t number = json_integer_value(code);

	if (!json_is_integer(code) || number == 0 || number >= ESPALIER_LOCAL || number < INT32_MIN)
		return fail(error, ESPALIER_PROTOCOL,
			    "the gateway's answer holds neither a result nor a proper error");
	fail(error, (int)number, "%s", message != NULL ? message : "the gateway does not say why");
	if (error != NULL && field != NULL)
		snprintf(error->field, sizeof(error->field), "%s", field);
	return (int)number;
}

int fail_memory(struct espalier_error *error)
{
	return fail(error, ESPALIER_NO_MEMORY, "no memory");
}
