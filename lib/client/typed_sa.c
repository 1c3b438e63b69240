/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/typed.h"

#include "client/fail.h"

static const char *direction_name(enum espalier_direction direction)
{
	return direction == ESPALIER_IN ? "in" : "out";
}

static int bad_answer(json_t *result, const char *method, struct espalier_error *error)
{
	json_decref(result);
	return fail(error, ESPALIER_PROTOCOL, "the gateway's answer to %s lacks what it should say",
		    method);
}

int espalier_spi_alloc(struct espalier *e, int timeout_ms, uint32_t *spi,
		       struct espalier_error *error)
{
	json_t *result;
	int rc = espalier_call(e, "spi.alloc", NULL, timeout_ms, &result, error);

	if (rc != 0)
		return rc;
	json_int_t value = json_integer_value(json_object_get(result, "spi"));
	if (value <= 0 || value > UINT32_MAX)
		return bad_answer(result, "spi.alloc", error);
	*spi = (uint32_t)value;
	json_decref(result);
	return 0;
}

static void set_lifetime(struct typed *t, const struct espalier_lifetime *life)
{
	typed_limit(t, "soft_bytes", life->soft_bytes);
	typed_limit(t, "hard_bytes", life->hard_bytes);
	typed_limit(t, "soft_packets", life->soft_packets);
	typed_limit(t, "hard_packets", life->hard_packets);
	typed_limit(t, "soft_add_time", life->soft_seconds);
	typed_limit(t, "hard_add_time", life->hard_seconds);
	typed_limit(t, "soft_use_time", life->soft_use_seconds);
	typed_limit(t, "hard_use_time", life->hard_use_seconds);
}

int espalier_sa_add(struct espalier *e, const struct espalier_sa *sa, int timeout_ms,
		    struct espalier_error *error)
{
	const struct secret secret = {sa->key, sa->key_len};
	struct typed t = typed_begin();

	typed_text(&t, "direction", direction_name(sa->direction));
	typed_number(&t, "spi", sa->spi);
	typed_text(&t, "tunnel", sa->tunnel);
	typed_text(&t, "algorithm", sa->algorithm != NULL ? sa->algorithm : "aes256gcm16");
	typed_bool(&t, "esn", sa->esn);
	typed_flag(&t, "udp", sa->udp);
	if (sa->udp) {
		typed_limit(&t, "local_port", sa->local_port);
		typed_limit(&t, "remote_port", sa->remote_port);
	}
	typed_text(&t, "local", sa->local);
	typed_text(&t, "remote", sa->remote);
	if (sa->direction == ESPALIER_IN && sa->replay_window >= 0)
		typed_number(&t, "replay_window", (uint64_t)sa->replay_window);
	set_lifetime(&t, &sa->lifetime);
	typed_json(&t, "selectors", sa->selectors);
	typed_flag(&t, "exist_ok", sa->exist_ok);
	return typed_call(e, "sa.add", &t, &secret, timeout_ms, NULL, error);
}

static struct typed begin_id(const struct espalier_sa_id *id)
{
	struct typed t = typed_begin();

	typed_text(&t, "direction", direction_name(id->direction));
	typed_number(&t, "spi", id->spi);
	typed_text(&t, "remote", id->remote);
	typed_text(&t, "tunnel", id->tunnel);
	return t;
}

int espalier_sa_update(struct espalier *e, const struct espalier_sa_id *id, const char *local,
		       const char *remote, bool udp, uint16_t local_port, uint16_t remote_port,
		       int timeout_ms, struct espalier_error *error)
{
	struct typed t = begin_id(id);

	typed_text(&t, "new_local", local);
	typed_text(&t, "new_remote", remote);
	typed_bool(&t, "udp", udp);
	if (udp) {
		typed_limit(&t, "local_port", local_port);
		typed_limit(&t, "remote_port", remote_port);
	}
	return typed_call(e, "sa.update", &t, NULL, timeout_ms, NULL, error);
}

int espalier_sa_query(struct espalier *e, const struct espalier_sa_id *id, int timeout_ms,
		      struct espalier_sa_use *use, struct espalier_error *error)
{
	struct typed t = begin_id(id);
	json_t *result;
	int rc = typed_call(e, "sa.query", &t, NULL, timeout_ms, &result, error);

	if (rc != 0)
		return rc;
	const json_t *packets = json_object_get(result, "packets");
	const json_t *bytes = json_object_get(result, "bytes");
	const json_t *last = json_object_get(result, "last_used_ms");
	if (!json_is_integer(packets) || !json_is_integer(bytes) ||
	    (last != NULL && !json_is_integer(last)))
		return bad_answer(result, "sa.query", error);
	use->packets = (uint64_t)json_integer_value(packets);
	use->bytes = (uint64_t)json_integer_value(bytes);
	use->last_used_ms = last != NULL ? json_integer_value(last) : -1;
	json_decref(result);
	return 0;
}

int espalier_sa_delete(struct espalier *e, const struct espalier_sa_id *id, const char *reason,
		       int timeout_ms, struct espalier_error *error)
{
	struct typed t = begin_id(id);

	typed_text(&t, "reason", reason);
	typed_bool(&t, "missing_ok", true);
	return typed_call(e, "sa.delete", &t, NULL, timeout_ms, NULL, error);
}
