/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_GATEWAY_LIFE_LOG_H
#define ESPALIER_GATEWAY_LIFE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/event.h"
#include "report/fault.h"

/*
 * The life of tunnels in an append-only file of JSON lines, for "what happened to
 * that tunnel last night?":
 *
 *   {"time":"2026-11-21T03:04:05.678Z","event":"TunnelDisconnected","tunnel":"paris",
 *    "reason":"hard lifetime (bytes)","local":"198.51.100.1","packets_in":812,…}
 *
 * TunnelConnected, TunnelDisconnected, TunnelRekeyed, TunnelReset, TunnelAcquire
 * (traffic asks for SAs), TunnelDeleted, GatewayStarted, GatewayStopped. `actor` is
 * who asked, absent where the gateway itself acted. When the file would grow beyond
 * its size it is renamed to PATH.1, that one before to PATH.2, and so on. The file
 * is locked: each gateway needs its own. Control thread only.
 */
struct life_log;

struct life_log_config {
	const char *path;
	uint64_t size;     /* bytes of one file at most */
	unsigned int keep; /* renamed files besides the one that grows */
};

/* The last directory of the path is made. NULL with *fault on failure. */
struct life_log *life_log_open(const struct life_log_config *config, struct fault *fault);
/* Writes GatewayStopped. May be NULL. */
void life_log_close(struct life_log *l);

/* An event_sink. What cannot be written is lost, and said in the daemon's log once. */
void life_log_event(void *life_log, const struct event *event);

/*
 * The last `limit` lines about `tunnel` (NULL: all), oldest first, without their
 * newline. 0 or -errno.
 */
int life_log_read(const struct life_log *l, const char *tunnel, unsigned int limit,
		  void (*line)(void *arg, const char *text, size_t len), void *arg);

#endif
