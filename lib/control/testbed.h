/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_TESTBED_H
#define ESPALIER_CONTROL_TESTBED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>

#include "control/control.h"

/*
 * A gateway without ports and workers, with a real SAD and SPD, and a control
 * without a socket: what a test of requests needs.
 */
struct testbed {
	struct gateway g;
	struct control *control;
};

extern struct testbed testbed;

/* Once a process. 0 or -1. */
int testbed_eal(void);
/* cmocka setup and teardown: a fresh gateway with the tunnels "paris" and "rome". */
int testbed_setup(void **state);
int testbed_setup_sized(void **state, uint32_t sas, uint32_t tunnels);
int testbed_teardown(void **state);
#define with_gateway(test) cmocka_unit_test_setup_teardown(test, testbed_setup, testbed_teardown)

/* Serve a line; the answer as text, for free(), or NULL. */
char *ask_text(unsigned int rights, const char *line, size_t len);
/* Serve a line; the answer as JSON, or NULL. */
json_t *ask(const char *line);

/*
 * Call a method with parameters as JSON text. The result or the error of the
 * answer: a new reference. Fails the test where it is the other one.
 */
json_t *result_of(const char *method, const char *params);
json_t *error_of(const char *method, const char *params);
/* The code of the error, after checking that it names `field`. */
int code_of(const char *method, const char *params, const char *field);

/* Call a method that must succeed; with a boolean or a number of its result. */
void done(const char *method, const char *params);
bool flag_of(const char *method, const char *params, const char *name);
json_int_t count_of(const char *method, const char *params, const char *name);

/* A member at a path such as "items.0.name"; NULL if it is not there. Borrowed. */
json_t *at(const json_t *value, const char *path);
#define text_at(value, path) json_string_value(at(value, path))
#define number_at(value, path) json_integer_value(at(value, path))

#define KEY_A "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9000112233"
#define KEY_C "5a5b5c5d5e5f50515253545556575859404142434445464748494a4b4c4d4e4f60616263"
#define KEY_B "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0ffeeddcc"

#define SA(direction, spi, key, more)                                                           \
	"{\"direction\":\"" direction "\",\"spi\":" #spi ",\"tunnel\":\"paris\",\"key\":\"" key \
	"\"" more "}"

#endif
