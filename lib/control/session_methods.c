/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "control/caller.h"
#include "control/server.h"
#include "control/state.h"

static json_t *count_view(const struct session_count *n)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "policies", (json_int_t)n->policies, "sas",
			 (json_int_t)n->sas, "tunnels", (json_int_t)n->tunnels, "spis",
			 (json_int_t)n->spis);
}

static json_t *session_view(const struct session *one)
{
	return json_pack(
	    "{s:s, s:I, s:I, s:I, s:I, s:I}", "name", one->name, "session", (json_int_t)one->number,
	    "uid", (json_int_t)one->uid, "connections", (json_int_t)one->connections, "since",
	    (json_int_t)(control_seconds() - one->since), "grace", (json_int_t)one->grace);
}

/* The walk of a method that is served in slices; a new one at the first slice. */
static struct session_walk *walk_of(struct call *call)
{
	struct session_walk *walk = &call->caller->walk;

	if (!call->resumed)
		*walk = (struct session_walk){0};
	return walk;
}

static int open_session(struct call *call, bool *resumed)
{
	struct caller *caller = call->caller;
	const char *name = call_text(call, "name");
	struct sessions *sessions = call->control->sessions;
	struct session *one = caller->session;

	if (one != NULL && strcmp(one->name, name) != 0)
		return call_fault(call, EBUSY, "name",
				  "this connection is session \"%s\"; session.close it first, or "
				  "connect anew",
				  one->name);
	*resumed = false;
	if (one != NULL) {
		one->grace = (uint32_t)call_integer(call, "grace");
		return 0;
	}
	/* The client may be faster to come back than we are to see that it went away. */
	one = session_find(sessions, name);
	if (one != NULL && call->control->server != NULL)
		server_bury(call->control->server, one);
	one = session_join(sessions, name, caller->peer.uid, (uint32_t)call_integer(call, "grace"),
			   control_seconds(), resumed, &call->error.fault);
	if (one == NULL)
		return -call->error.fault.err;
	caller->session = one;
	one->claimed = one->claimed || !TAILQ_EMPTY(&caller->spis);
	spis_adopt(&caller->spis, &one->spis, one->epoch);
	return 0;
}

int call_session_open(struct call *call)
{
	struct caller *caller = call->caller;
	struct session_walk *walk = walk_of(call);

	if (!call->resumed) {
		bool resumed;
		int rc = open_session(call, &resumed);
		if (rc != 0)
			return rc;
		caller->came_back = resumed;
	}
	call->again = session_count(call->control->sessions, caller->session, true, walk);
	if (!call->again)
		call->result = json_pack(
		    "{s:I, s:b, s:o}", "session", (json_int_t)caller->session->number, "resumed",
		    (int)caller->came_back, "marked", count_view(&walk->count));
	return 0;
}

static bool list_one(void *arg, struct session *one)
{
	json_array_append_new(arg, session_view(one));
	return true;
}

int call_session_list(struct call *call)
{
	json_t *items = json_array();

	session_each(call->control->sessions, list_one, items);
	call->result = json_pack("{s:o}", "items", items);
	return 0;
}

/* The session of parameter `name`, or the caller's; NULL with the fault. */
static struct session *which(struct call *call)
{
	const char *name = call_text(call, "name");
	struct session *one = call->caller->session;

	if (name != NULL)
		one = session_find(call->control->sessions, name);
	if (one == NULL && name != NULL)
		call_fault(call, ENOENT, "name", "there is no session \"%s\"", name);
	else if (one == NULL)
		call_fault(call, ENOENT, "name",
			   "this connection has no session; give name, or session.open first");
	return one;
}

int call_session_get(struct call *call)
{
	struct session_walk *walk = walk_of(call);
	struct session *one = which(call);

	if (one == NULL)
		return -ENOENT;
	call->again = session_count(call->control->sessions, one, false, walk);
	if (call->again)
		return 0;
	call->result = session_view(one);
	json_object_set_new(call->result, "installed", count_view(&walk->count));
	return 0;
}

int call_session_sweep(struct call *call)
{
	struct sessions *sessions = call->control->sessions;
	const struct caller *caller = call->caller;
	struct session_walk *walk = walk_of(call);
	struct session *one = which(call);

	if (!call->resumed && one != NULL)
		walk->epoch = one->epoch;
	/* Its client has come back, or its grace has passed, in the middle of this. */
	if (call->resumed && (one == NULL || one->epoch != walk->epoch)) {
		call->error = (struct rpc_error){0};
		call->result = json_pack("{s:o}", "deleted", count_view(&walk->count));
		return 0;
	}
	if (one == NULL)
		return -ENOENT;
	if (one != caller->session && caller->peer.uid != one->uid && caller->peer.uid != 0)
		return call_fault(call, EACCES, "name", "session \"%s\" belongs to uid %u",
				  one->name, one->uid);
	bool vanished = one->connections == 0;
	call->again = session_sweep(sessions, one, !vanished,
				    vanished ? "swept: its client is gone"
					     : "swept: its client does not know it any more",
				    walk);
	if (call->again)
		return 0;
	call->result = json_pack("{s:o}", "deleted", count_view(&walk->count));
	if (vanished)
		session_forget(sessions, one);
	return 0;
}

int call_session_close(struct call *call)
{
	struct caller *caller = call->caller;
	struct session_walk *walk = walk_of(call);
	struct session *one = caller->session;

	if (one == NULL)
		return call_fault(call, ENOENT, "", "this connection has no session");
	if (one->connections > 1 && !call->resumed)
		return call_fault(call, EBUSY, "",
				  "%u other connections belong to session \"%s\"; close them first",
				  one->connections - 1, one->name);
	if (call_boolean(call, "delete")) {
		call->again = session_sweep(call->control->sessions, one, false,
					    "its client ended its session", walk);
		if (call->again)
			return 0;
	}
	call->result = json_pack("{s:o}", "deleted", count_view(&walk->count));
	caller->session = NULL;
	if (one->connections > 1)
		session_leave(call->control->sessions, one, control_seconds());
	else
		session_forget(call->control->sessions, one);
	return 0;
}
