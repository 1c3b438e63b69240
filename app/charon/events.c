/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "events.h"

#include <stdatomic.h>
#include <threading/thread.h>

#include "connection.h"
#include "leftovers.h"
#include "policy_map.h"
#include "reset.h"
#include "resync.h"
#include "sa_map.h"
#include "selector.h"

#define WAIT_MS 500

static thread_t *thread;
static atomic_bool stop;

static const char *text(const json_t *event, const char *member)
{
	const char *value = json_string_value(json_object_get(event, member));

	return value != NULL ? value : "";
}

static bool find_sa(const json_t *event, bool inbound, struct sa *sa)
{
	host_t *dst = host_create_from_string((char *)text(event, inbound ? "local" : "remote"), 0);
	uint32_t spi = htonl((uint32_t)json_integer_value(json_object_get(event, "spi")));

	if (dst == NULL)
		return false;
	bool found = sa_map_get(dst, spi, IPPROTO_ESP, sa);
	dst->destroy(dst);
	return found;
}

static void expired(const json_t *event, bool hard)
{
	bool inbound = streq(text(event, "direction"), "in");
	struct sa sa;

	if (!find_sa(event, inbound, &sa))
		return;
	charon->kernel->expire(charon->kernel, sa.protocol, sa.spi, inbound ? sa.local : sa.remote,
			       hard);
	sa_clear(&sa);
}

static void acquire(const json_t *event)
{
	const json_t *policy = json_object_get(event, "policy");
	kernel_acquire_data_t data = {.src = NULL};
	uint32_t reqid = 0;

	shadow_lock();
	struct tunnel *t = tunnel_by_name(text(event, "tunnel"));
	if (t != NULL)
		reqid = policy_map_trap(t, json_string_value(policy));
	shadow_unlock();
	if (reqid == 0 ||
	    !selector_of_packet(json_object_get(event, "packet"), &data.src, &data.dst))
		return;
	charon->kernel->acquire(charon->kernel, reqid, &data);
	data.src->destroy(data.src);
	data.dst->destroy(data.dst);
}

/* Only behind a NAT: the address of a peer that sends plain ESP changes by MOBIKE or not at all. */
static void mapping(const json_t *event)
{
	uint16_t port = (uint16_t)json_integer_value(json_object_get(event, "new_port"));
	struct sa sa;

	if (!json_is_true(json_object_get(event, "udp")) || !find_sa(event, true, &sa))
		return;
	host_t *remote = host_create_from_string((char *)text(event, "new_remote"), port);
	if (remote != NULL && sa.encap)
		charon->kernel->mapping(charon->kernel, sa.protocol, sa.spi, sa.local, remote);
	DESTROY_IF(remote);
	sa_clear(&sa);
}

/* True where the gateway may have lost things. */
static bool handle(const json_t *event)
{
	const char *name = text(event, "event");

	if (streq(name, "client.resumed"))
		return true;
	if (streq(name, "sa.soft"))
		expired(event, false);
	else if (streq(name, "sa.hard") || streq(name, "sa.exhausted"))
		expired(event, true);
	else if (streq(name, "sa.mapping"))
		mapping(event);
	else if (streq(name, "acquire"))
		acquire(event);
	else if (streq(name, "tunnel.reset"))
		reset_tunnel(text(event, "tunnel"));
	return false;
}

/* Once a second, and more often until the gateway and charon agree. */
static void look_after(bool *agreed, bool *looked)
{
	static time_t last;
	time_t now = time_monotonic(NULL);

	if (*agreed && now == last)
		return;
	last = now;
	if ((!*agreed || connection_silent()) && !connection_probe()) {
		*agreed = false;
		return;
	}
	if (!*looked)
		leftovers_look();
	*looked = true;
	connection_settle();
	if (!*agreed)
		*agreed = resync();
	leftovers_tick();
}

static void *read_events(void *arg)
{
	json_t *filter = json_pack("{s:[s,s,s,s,s,s]}", "events", "sa.soft", "sa.hard",
				   "sa.exhausted", "sa.mapping", "acquire", "tunnel.reset");
	struct espalier_events *s = espalier_events_open(connection_socket(), filter);
	bool agreed = false, looked = false;

	thread_cancelability(false);
	json_decref(filter);
	while (s != NULL && !atomic_load(&stop)) {
		struct espalier_error error;
		json_t *event = NULL;
		int rc = espalier_events_next(s, agreed ? WAIT_MS : WAIT_MS / 10, &event, &error);
		if (rc == 0 && handle(event))
			agreed = false;
		else if (rc != 0 && rc != ESPALIER_TIMEOUT)
			agreed = false;
		json_decref(event);
		look_after(&agreed, &looked);
	}
	espalier_events_close(s);
	return NULL;
}

void events_start(void)
{
	atomic_store(&stop, false);
	thread = thread_create(read_events, NULL);
}

void events_stop(void)
{
	atomic_store(&stop, true);
	if (thread != NULL)
		thread->join(thread);
	thread = NULL;
}
