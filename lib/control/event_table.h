/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_EVENT_TABLE_H
#define ESPALIER_CONTROL_EVENT_TABLE_H

#include "control/method.h"

/*
 * The events that events.subscribe delivers, each declared once, in the order of
 * enum event_kind (gateway/event.h). From here come the words of its filter, the
 * reference in docs/control.md and rpc.discover.
 *
 * EVENTS(id, name, summary)
 */
#define EVENTS(X)                                                                               \
	X(sa_soft, "sa.soft", "An SA has reached a soft lifetime: time to rekey. Raised once.") \
	X(sa_hard, "sa.hard",                                                                   \
	  "An SA has reached a hard lifetime and passes no packet any more. Raised once.")      \
	X(sa_exhausted, "sa.exhausted",                                                         \
	  "An outbound SA has no sequence number left (RFC 4303 3.3.3). Raised once.")          \
	X(sa_mapping, "sa.mapping",                                                             \
	  "An authentic packet came from another address or port than the SA knows (NAT, "      \
	  "MOBIKE). Nothing changes until sa.update.")                                          \
	X(sa_failures, "sa.failures",                                                           \
	  "Many replayed or forged packets came for an SA within one second.")                  \
	X(acquire, "acquire",                                                                   \
	  "Traffic for a tunnel or policy with `trap` waits for an SA. Rate limited.")          \
	X(tunnel_state, "tunnel.state", "A tunnel came up or went down.")                       \
	X(tunnel_rekey, "tunnel.rekey", "A further outbound SA sends from now on.")             \
	X(tunnel_reset, "tunnel.reset",                                                         \
	  "A tunnel's SAs are deleted on request, and new ones are wanted.")                    \
	X(tunnel_delete, "tunnel.delete", "A tunnel is about to be deleted.")                   \
	X(port_link, "port.link", "A port's link came up or went down.")

/* The names, each with a space behind: `values` of a member. */
#define EVENT_WORD(id, name, summary) name " "
#define EVENT_WORDS EVENTS(EVENT_WORD)

struct event_type {
	const char *name, *summary;
	const struct member *members; /* besides event_common */
};

enum event_id {
#define X(id, name, summary) EVENT_ID_##id,
	EVENTS(X)
#undef X
	    EVENT_COUNT
};

extern const struct event_type event_table[EVENT_COUNT];

/* What every event has: its name, its place in the subscription, the time. */
extern const struct member event_common[];

#define X(id, name, summary) extern const struct member event_##id##_members[];
EVENTS(X)
#undef X

/* The place of a name in event_table; -1 if there is none. */
int event_find(const char *name);

#endif
