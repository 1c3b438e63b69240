/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_ERROR_TABLE_H
#define ESPALIER_CONTROL_ERROR_TABLE_H

/*
 * The codes of errors, each declared once: those of JSON-RPC 2.0 section 5.1 and
 * what this server adds. Clients rely on them: a code never changes its meaning.
 *
 * ERRORS(id, code, meaning)
 */
#define ERRORS(X)                                                                                \
	X(PARSE_ERROR, -32700, "no JSON")                                                        \
	X(INVALID_REQUEST, -32600, "no request of JSON-RPC 2.0")                                 \
	X(METHOD_NOT_FOUND, -32601, "no such method")                                            \
	X(INVALID_PARAMS, -32602,                                                                \
	  "a parameter is missing, unknown, of a wrong type or out of range")                    \
	X(INTERNAL, -32603, "the answer could not be made")                                      \
	X(TOO_LARGE, -32000, "a line, a batch, its nesting or its answers are beyond the limit") \
	X(TOO_MANY, -32001, "too many clients")                                                  \
	X(TOO_SLOW, -32002, "too slow to read what it was sent; the connection ends")            \
	X(REFUSED, 1, "the parameters make no sense together or in this gateway (EINVAL)")       \
	X(NOT_FOUND, 2, "what they name is not there (ENOENT)")                                  \
	X(EXISTS, 3, "it is there already (EEXIST)")                                             \
	X(FULL, 4, "a limit of this gateway or its memory is reached (ENOSPC, ENOMEM)")          \
	X(BUSY, 5, "in use or not possible just now (EBUSY, EAGAIN)")                            \
	X(DENIED, 6, "the caller lacks the right (EPERM, EACCES)")                               \
	X(UNSUPPORTED, 7, "not supported (EOPNOTSUPP)")                                          \
	X(FAILED, 8, "anything else that went wrong in the gateway")

enum rpc_code {
#define X(id, code, meaning) RPC_##id = code,
	ERRORS(X)
#undef X
};

#endif
