/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESPCTL_CONNECTION_H
#define ESPALIER_ESPCTL_CONNECTION_H

#include <jansson.h>
#include <stdint.h>

/* A connection to a gateway. Every wait ends with its time limit. */
struct connection {
	int fd;
	int timeout; /* seconds for each answer */
	int64_t id;  /* of the last request */
	char *buf;   /* bytes read and not used yet */
	size_t len, room;
};

/* 0, or -1 after saying on standard error what is wrong. */
int connection_open(struct connection *c, const char *path, int timeout);
void connection_close(struct connection *c);

/*
 * Call a method; takes over `params`. The answer, an object with "result" or
 * "error", is a new reference; NULL after saying on standard error what is wrong.
 */
json_t *connection_call(struct connection *c, const char *method, json_t *params);

#endif
