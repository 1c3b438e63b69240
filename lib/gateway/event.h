/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_GATEWAY_EVENT_H
#define ESPALIER_GATEWAY_EVENT_H

#include "packet/drop.h"
#include "sa/notice.h"
#include "worker/gateway.h"

/*
 * What happens to a gateway, told to whoever wants to know: the control socket's
 * subscribers, the log of tunnels. Control thread only.
 */
enum event_kind {
	EVENT_SA_SOFT,      /* sa, limit: time to rekey; raised once */
	EVENT_SA_HARD,      /* sa, limit: it has stopped; raised once */
	EVENT_SA_EXHAUSTED, /* sa: no sequence number is left; raised once */
	EVENT_SA_MAPPING,   /* sa, source: nothing changes until sa.update */
	EVENT_SA_FAILURES,  /* sa, drop, count: replayed or forged packets in one second */
	EVENT_ACQUIRE,      /* tunnel, policy (or NULL), flow: it wants SAs */
	EVENT_TUNNEL_STATE, /* tunnel, was, reason: it came up or went down */
	EVENT_TUNNEL_REKEY, /* tunnel, sa: a further outbound SA sends from now on */
	EVENT_TUNNEL_RESET, /* tunnel, reason: its SAs are gone, and somebody wants new ones */
	EVENT_TUNNEL_GONE,  /* tunnel, reason: it is about to be deleted */
	EVENT_PORT_LINK,    /* port, up */
	EVENT_KINDS
};

/* Pointers are good during the call only. What a kind has no use for is NULL or 0. */
struct event {
	enum event_kind kind;
	const struct tunnel *tunnel; /* also where only `sa` is listed above */
	const struct sa *sa;
	const struct policy *policy;
	const struct port *port;
	const char *was;    /* state before: "up", "half", "down" */
	const char *reason; /* of a change; a short phrase such as "hard lifetime (bytes)" */
	const char *actor;  /* who asked, as gateway_actor() said; NULL: the gateway itself */
	enum notice_limit limit;
	enum drop_reason drop;
	uint32_t count;
	struct ip_addr source;
	uint16_t source_port; /* 0: ESP without UDP */
	struct flow flow;
	bool up;
};

/*
 * `sink` is called for every event, in the order in which things happen, in the
 * control thread, while the gateway is in the middle of something: it must not
 * call provision.h. At most EVENT_SINKS_MAX. 0 or -ENOSPC.
 */
#define EVENT_SINKS_MAX 4
typedef void event_sink(void *arg, const struct event *event);
int gateway_sink_add(struct gateway *g, event_sink *sink, void *arg);
void gateway_sink_remove(struct gateway *g, event_sink *sink, void *arg);

/*
 * On whose behalf the operations that follow are done, such as "charon (pid 812,
 * uid 0)"; it stands in events. NULL: the gateway's own. The text is not copied.
 */
void gateway_actor(struct gateway *g, const char *actor);

/* Read what the workers have to tell and raise its events. Every few milliseconds. */
void gateway_read_notices(struct gateway *g);

/* "bytes", "packets", "sequence", "add_time", "use_time". */
const char *limit_name(enum notice_limit limit);

#endif
