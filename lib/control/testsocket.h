/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_TESTSOCKET_H
#define ESPALIER_CONTROL_TESTSOCKET_H

#include <pthread.h>

#include "control/testbed.h"

/* The testbed's gateway behind a real socket: its event loop in a thread, clients here. */
extern char socket_directory[], socket_path[64];
extern struct event_base *base;
extern struct control *socket_control;
extern pthread_t loop_thread;
extern _Atomic unsigned long turns; /* of the loop's other work, once a millisecond */

/* Runs the tests of one program, with a directory for the socket. Its exit status. */
int socket_main(const struct CMUnitTest *tests, size_t count);

/* For a cmocka setup and teardown; config->path is filled in. */
int socket_start(const struct control_config *config);
int socket_stop(void **state);

/* Call something in the loop's thread, between its other work; returns when that is done. */
void in_loop(void (*call)(void *arg), void *arg);

/* A connection; -errno, or a failed test. */
int try_connect(void);
int connected(void);

void say(int fd, const char *text, size_t len);
#define say_text(fd, text) say(fd, text, strlen(text))
/* One line within five seconds; NULL at the end of the stream. Valid until the next one. */
char *hear(int fd);
void expect_code(int fd, int code);
/* A new client is served. */
void expect_alive(void);

#define INFO "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"gateway.info\"}\n"

#endif
