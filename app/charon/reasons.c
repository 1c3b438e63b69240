/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reasons.h"

#include <encoding/payloads/delete_payload.h>
#include <threading/mutex.h>

/* By the unique id of the IKE_SA; the oldest ones are overwritten. The texts are literals. */
#define SLOTS 4096
static struct {
	uint32_t id;
	const char *reason;
} slots[SLOTS];
static mutex_t *lock;
static bool stopping;

void reasons_open(void)
{
	lock = mutex_create(MUTEX_TYPE_DEFAULT);
}

void reasons_close(void)
{
	lock->destroy(lock);
}

static void set(ike_sa_t *ike_sa, const char *reason)
{
	uint32_t id = ike_sa->get_unique_id(ike_sa);

	lock->lock(lock);
	slots[id % SLOTS].id = id;
	slots[id % SLOTS].reason = reason;
	lock->unlock(lock);
}

static bool alert(listener_t *this, ike_sa_t *ike_sa, alert_t alert, va_list args)
{
	if (alert == ALERT_SHUTDOWN_SIGNAL)
		stopping = true;
	if (ike_sa == NULL)
		return true;
	switch (alert) {
	case ALERT_RETRANSMIT_SEND_TIMEOUT:
		set(ike_sa, "peer does not answer");
		break;
	case ALERT_LOCAL_AUTH_FAILED:
	case ALERT_PEER_AUTH_FAILED:
		set(ike_sa, "authentication failed");
		break;
	case ALERT_UNIQUE_REPLACE:
		set(ike_sa, "replaced by a new IKE_SA of this peer");
		break;
	case ALERT_IKE_SA_EXPIRED:
		set(ike_sa, "lifetime of the IKE_SA");
		break;
	default:
		break;
	}
	return true;
}

static bool message(listener_t *this, ike_sa_t *ike_sa, message_t *message, bool incoming,
		    bool plain)
{
	if (ike_sa == NULL || !plain || !message->get_request(message))
		return true;
	enumerator_t *e = message->create_payload_enumerator(message);
	payload_t *payload;
	while (e->enumerate(e, &payload)) {
		if (payload->get_type(payload) != PLV2_DELETE)
			continue;
		delete_payload_t *d = (delete_payload_t *)payload;
		bool ike = d->get_protocol_id(d) == PROTO_IKE;
		if (incoming)
			set(ike_sa, ike ? "peer deleted the IKE_SA" : "peer deleted the CHILD_SA");
		else
			set(ike_sa, stopping ? "charon stopped"
				    : ike    ? "IKE_SA terminated here"
					     : "CHILD_SA terminated here");
	}
	e->destroy(e);
	return true;
}

listener_t *reasons_listener(void)
{
	static listener_t listener = {.alert = alert, .message = message};

	return &listener;
}

const char *reason_now(void)
{
	ike_sa_t *ike_sa = charon->bus->get_sa(charon->bus);
	const char *reason = NULL;

	if (ike_sa == NULL)
		return NULL;
	uint32_t id = ike_sa->get_unique_id(ike_sa);
	lock->lock(lock);
	if (slots[id % SLOTS].id == id)
		reason = slots[id % SLOTS].reason;
	lock->unlock(lock);
	return reason;
}
