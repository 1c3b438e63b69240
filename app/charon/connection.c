/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "connection.h"

#include <stdatomic.h>
#include <collections/linked_list.h>
#include <threading/mutex.h>

#define SESSION "charon"
#define TIMEOUT_MS 1000
#define GRACE 300
#define SLICE 100
#define DEBTS_MAX 100000

struct debt {
	char *method;
	json_t *params;
};

static struct {
	struct espalier *calls;
	char *socket;
	int timeout;
	uint32_t grace;
	atomic_bool silent; /* a call has timed out and none was answered since */
	mutex_t *lock;      /* of debts */
	linked_list_t *debts;
} c;

bool connection_open(void)
{
	c.socket = lib->settings->get_str(lib->settings, SETTINGS "socket", NULL, lib->ns);
	c.timeout = lib->settings->get_int(lib->settings, SETTINGS "timeout", TIMEOUT_MS, lib->ns);
	if (c.timeout < 1)
		c.timeout = TIMEOUT_MS;
	int grace = lib->settings->get_int(lib->settings, SETTINGS "grace", GRACE, lib->ns);
	c.grace = grace < 0 ? GRACE : (uint32_t)grace;
	c.calls = espalier_open(c.socket);
	if (c.calls == NULL)
		return false;
	espalier_session(c.calls, SESSION, c.grace);
	c.lock = mutex_create(MUTEX_TYPE_DEFAULT);
	c.debts = linked_list_create();
	return true;
}

static void debt_destroy(struct debt *d)
{
	json_decref(d->params);
	free(d->method);
	free(d);
}

void connection_close(void)
{
	espalier_close(c.calls);
	c.debts->destroy_function(c.debts, (void *)debt_destroy);
	c.lock->destroy(c.lock);
}

const char *connection_socket(void)
{
	return c.socket;
}

int connection_timeout(void)
{
	return c.timeout;
}

uint32_t connection_grace(void)
{
	return c.grace;
}

uint64_t connection_count(void)
{
	return espalier_connections(c.calls);
}

bool connection_lost(int code)
{
	return code == ESPALIER_UNREACHABLE || code == ESPALIER_TIMEOUT ||
	       code == ESPALIER_PROTOCOL || code == ESPALIER_CUT_OFF || code == ESPALIER_CLOSED;
}

static int call(const char *method, const json_t *params, json_t **result,
		struct espalier_error *error)
{
	int rc = espalier_call(c.calls, method, params, c.timeout, result, error);

	if (rc == ESPALIER_TIMEOUT && !atomic_exchange(&c.silent, true))
		DBG1(DBG_KNL, "kernel-espalier: the gateway does not answer: %s", error->message);
	return rc;
}

int connection_call(const char *method, json_t *params, json_t **result,
		    struct espalier_error *error)
{
	struct espalier_error own;
	int rc;

	if (error == NULL)
		error = &own;
	if (params == NULL) {
		*error = (struct espalier_error){.code = ESPALIER_NO_MEMORY};
		snprintf(error->message, sizeof(error->message),
			 "%s: no memory, or a name that is not UTF-8", method);
		return ESPALIER_NO_MEMORY;
	}
	if (atomic_load(&c.silent)) {
		*error = (struct espalier_error){.code = ESPALIER_TIMEOUT};
		snprintf(error->message, sizeof(error->message),
			 "%s was not asked: the gateway does not answer", method);
		rc = ESPALIER_TIMEOUT;
	} else {
		rc = call(method, params, result, error);
	}
	json_decref(params);
	return rc;
}

int connection_do(const char *what, const char *method, json_t *params, json_t **result)
{
	struct espalier_error error;
	int rc = connection_call(method, params, result, &error);

	if (rc != 0)
		DBG1(DBG_KNL, "kernel-espalier: %s: %s%s%s", what, error.message,
		     error.field[0] != '\0' ? ", field " : "", error.field);
	return rc;
}

static void log_refused(const char *what, const json_t *results)
{
	const json_t *refused;
	json_t *one;
	size_t i;

	json_array_foreach (results, i, one) {
		refused = json_object_get(one, "error");
		if (refused != NULL)
			DBG1(DBG_KNL, "kernel-espalier: %s: %s", what,
			     json_string_value(json_object_get(refused, "message")));
	}
}

int connection_do_many(const char *what, const char *method, json_t *params)
{
	struct espalier_error error;
	int rc = 0;

	/* In slices, each with a timeout of its own, so that a silent gateway holds up nobody. */
	for (size_t done = 0; rc == 0 && done < json_array_size(params); done += SLICE) {
		json_t *slice = json_array(), *results = NULL;
		for (size_t i = done; i < done + SLICE && i < json_array_size(params); i++)
			json_array_append(slice, json_array_get(params, i));
		rc = espalier_call_many(c.calls, method, slice, c.timeout, &results, &error);
		if (rc != 0)
			DBG1(DBG_KNL, "kernel-espalier: %s: %s", what, error.message);
		log_refused(what, results);
		json_decref(results);
		json_decref(slice);
	}
	json_decref(params);
	return rc;
}

void connection_owe(const char *method, json_t *params)
{
	struct debt *d;

	if (params == NULL)
		return;
	INIT(d, .method = strdup(method), .params = params);
	c.lock->lock(c.lock);
	if (c.debts->get_count(c.debts) < DEBTS_MAX) {
		c.debts->insert_last(c.debts, d);
		d = NULL;
	}
	c.lock->unlock(c.lock);
	if (d != NULL)
		debt_destroy(d);
}

void connection_settle(void)
{
	struct espalier_error error;
	struct debt *d;

	while (!atomic_load(&c.silent)) {
		c.lock->lock(c.lock);
		if (c.debts->remove_first(c.debts, (void **)&d) != SUCCESS)
			d = NULL;
		c.lock->unlock(c.lock);
		if (d == NULL)
			return;
		int rc = call(d->method, d->params, NULL, &error);
		if (connection_lost(rc)) {
			c.lock->lock(c.lock);
			c.debts->insert_first(c.debts, d);
			c.lock->unlock(c.lock);
			return;
		}
		debt_destroy(d);
	}
}

bool connection_silent(void)
{
	return atomic_load(&c.silent);
}

bool connection_probe(void)
{
	struct espalier_error error;

	if (call("gateway.info", NULL, NULL, &error) != 0)
		return false;
	if (atomic_exchange(&c.silent, false))
		DBG1(DBG_KNL, "kernel-espalier: the gateway answers again");
	return true;
}
