/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_METHODS_SESSION_H
#define ESPALIER_CONTROL_METHODS_SESSION_H

/* The part of METHODS (method.h) about a connection: its session and its events. */
#define METHODS_SESSION(X)                                                                      \
	X(events_subscribe, "events.subscribe", CONTROL_READ,                                   \
	  "Deliver events on this connection from now on, as notifications named \"event\". "   \
	  "Again replaces the filter.",                                                         \
	  "{\"events\":[\"acquire\",\"tunnel.state\"],\"tunnel\":\"paris\"}")                   \
	X(events_unsubscribe, "events.unsubscribe", CONTROL_READ,                               \
	  "Deliver no more events on this connection.", "{}")                                   \
	X(session_open, "session.open", CONTROL_CHANGE,                                         \
	  "Say who this is. What the connection installs from now on belongs to the session, "  \
	  "and outlives the connection.",                                                       \
	  "{\"name\":\"charon\",\"grace\":300}")                                                \
	X(session_list, "session.list", CONTROL_READ, "Sessions, connected or vanished.", "{}") \
	X(session_get, "session.get", CONTROL_READ,                                             \
	  "One session, with how much it has installed.", "{\"name\":\"charon\"}")              \
	X(session_sweep, "session.sweep", CONTROL_CHANGE,                                       \
	  "Delete what a session installed before it vanished and has not confirmed since; "    \
	  "of one that is still away, everything.",                                             \
	  "{\"name\":\"charon\"}")                                                              \
	X(session_close, "session.close", CONTROL_CHANGE,                                       \
	  "End this connection's session. What it installed is deleted, or stays and belongs "  \
	  "to nobody.",                                                                         \
	  "{\"delete\":true}")

#endif
