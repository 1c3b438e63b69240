/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sa_request.h"

#include "algorithm.h"
#include "connection.h"
#include "selector.h"

#define REPLAY_MIN 32
#define REPLAY_MAX 32768
#define SELECTORS_MAX 32

static json_t *address(host_t *host)
{
	char text[64];

	snprintf(text, sizeof(text), "%H", host);
	return json_string(text);
}

static json_t *which(const struct sa *sa)
{
	json_t *p = json_pack("{s:s, s:I}", "direction", sa->inbound ? "in" : "out", "spi",
			      (json_int_t)ntohl(sa->spi));

	if (p != NULL && !sa->inbound)
		json_object_set_new(p, "remote", address(sa->remote));
	return p;
}

static void add_key(json_t *p, chunk_t key)
{
	static const char digits[] = "0123456789abcdef";
	char text[129];
	size_t n = min(key.len, sizeof(text) / 2);

	for (size_t i = 0; i < n; i++) {
		text[2 * i] = digits[key.ptr[i] >> 4];
		text[2 * i + 1] = digits[key.ptr[i] & 15];
	}
	json_object_set_new(p, "key", json_stringn(text, 2 * n));
	memwipe(text, sizeof(text));
}

/*
 * charon takes a random part off the soft limit, which wraps around where there is none; one
 * behind the hard limit is none.
 */
static void add_limits(json_t *p, const char *soft_name, uint64_t soft, const char *hard_name,
		       uint64_t hard, uint64_t max)
{
	if (hard > max)
		hard = 0;
	if (soft > max || (hard != 0 && soft > hard))
		soft = 0;
	if (soft != 0)
		json_object_set_new(p, soft_name, json_integer((json_int_t)soft));
	if (hard != 0)
		json_object_set_new(p, hard_name, json_integer((json_int_t)hard));
}

static void add_lifetime(json_t *p, const lifetime_cfg_t *l)
{
	add_limits(p, "soft_bytes", l->bytes.rekey, "hard_bytes", l->bytes.life, INT64_MAX);
	add_limits(p, "soft_packets", l->packets.rekey, "hard_packets", l->packets.life, INT64_MAX);
	add_limits(p, "soft_add_time", l->time.rekey, "hard_add_time", l->time.life, UINT32_MAX);
}

static void add_udp(json_t *p, const struct sa *sa)
{
	json_object_set_new(p, "udp", json_boolean(sa->encap));
	if (sa->encap) {
		json_object_set_new(p, "local_port", json_integer(sa->local->get_port(sa->local)));
		json_object_set_new(p, "remote_port",
				    json_integer(sa->remote->get_port(sa->remote)));
	}
}

/* What the gateway has no way to do; NULL: all well. */
static const char *unsupported(const struct sa *sa, const kernel_ipsec_add_sa_t *data)
{
	if (sa->protocol != IPPROTO_ESP)
		return "AH: the gateway has ESP only";
	if (data->mode != MODE_TUNNEL)
		return "transport or BEET mode: the gateway has tunnel mode only";
	if (data->ipcomp != IPCOMP_NONE)
		return "IPComp: the gateway does not compress";
	if (data->tfc != 0)
		return "tfc_padding: the gateway does not pad what it sends";
	return NULL;
}

static uint32_t replay_window(uint32_t wanted)
{
	return wanted == 0 ? 0 : max(REPLAY_MIN, min(wanted, REPLAY_MAX));
}

static bool add_inbound(json_t *p, const kernel_ipsec_add_sa_t *data)
{
	json_object_set_new(p, "replay_window", json_integer(replay_window(data->replay_window)));
	if (selectors_are_any(data->dst_ts, data->src_ts))
		return true;
	json_t *selectors = selectors_json(data->dst_ts, data->src_ts);
	if (selectors != NULL && json_array_size(selectors) > SELECTORS_MAX) {
		DBG1(DBG_KNL,
		     "kernel-espalier: %zu pairs of selectors in one CHILD_SA, and the gateway "
		     "takes %d: split it",
		     json_array_size(selectors), SELECTORS_MAX);
		json_decref(selectors);
		return false;
	}
	return selectors != NULL && json_object_set_new(p, "selectors", selectors) == 0;
}

static void add_outbound(json_t *p, const kernel_ipsec_add_sa_t *data)
{
	if (!data->copy_df)
		json_object_set_new(p, "df", json_string("clear"));
	if (data->copy_dscp != DSCP_COPY_OUT_ONLY && data->copy_dscp != DSCP_COPY_YES)
		json_object_set_new(p, "dscp", json_integer(0));
}

int sa_request_add(const struct sa *sa, const char *tunnel, const kernel_ipsec_add_sa_t *data)
{
	char refusal[160];
	const char *why = unsupported(sa, data);
	const char *algorithm = algorithm_name(data->enc_alg, data->int_alg, data->enc_key.len,
					       refusal, sizeof(refusal));

	if (why == NULL && algorithm == NULL)
		why = refusal;
	if (why != NULL) {
		DBG1(DBG_KNL,
		     "kernel-espalier: refused %s%s; set esp_proposals = aes256gcm16 or "
		     "aes128gcm16 (docs/ike.md)",
		     why, algorithm == NULL ? ", which the gateway does not have" : "");
		return ESPALIER_PROTOCOL;
	}
	json_t *p =
	    json_pack("{s:s, s:I, s:s, s:s, s:b, s:o, s:o, s:b}", "direction",
		      sa->inbound ? "in" : "out", "spi", (json_int_t)ntohl(sa->spi), "tunnel",
		      tunnel, "algorithm", algorithm, "esn", (int)data->esn, "local",
		      address(sa->local), "remote", address(sa->remote), "exist_ok", 1);
	if (p == NULL)
		return ESPALIER_NO_MEMORY;
	add_udp(p, sa);
	add_lifetime(p, data->lifetime);
	if (sa->inbound && !add_inbound(p, data)) {
		json_decref(p);
		return ESPALIER_PROTOCOL;
	}
	if (!sa->inbound)
		add_outbound(p, data);
	add_key(p, data->enc_key);
	return connection_do(sa->inbound ? "inbound SA" : "outbound SA", "sa.add", p, NULL);
}

int sa_request_query(const struct sa *sa, struct sa_use *use)
{
	json_t *answer = NULL;
	int rc = connection_call("sa.query", which(sa), &answer, NULL);

	if (rc != 0)
		return rc;
	use->bytes = (uint64_t)json_integer_value(json_object_get(answer, "bytes"));
	use->packets = (uint64_t)json_integer_value(json_object_get(answer, "packets"));
	use->last_used_s =
	    (time_t)(json_integer_value(json_object_get(answer, "last_used_ms")) / 1000);
	json_decref(answer);
	return 0;
}

int sa_request_update(const struct sa *sa, host_t *remote)
{
	json_t *p = json_pack("{s:s, s:I, s:o, s:o}", "direction", sa->inbound ? "in" : "out",
			      "spi", (json_int_t)ntohl(sa->spi), "new_local", address(sa->local),
			      "new_remote", address(sa->remote));

	if (p == NULL)
		return ESPALIER_NO_MEMORY;
	if (!sa->inbound)
		json_object_set_new(p, "remote", address(remote));
	add_udp(p, sa);
	return connection_do("new addresses of an SA", "sa.update", p, NULL);
}

void sa_request_delete(const struct sa *sa, const char *reason)
{
	const char *method = sa->installed ? "sa.delete" : "spi.release";
	json_t *p;

	if (sa->installed)
		p = which(sa);
	else
		p = json_pack("{s:I}", "spi", (json_int_t)ntohl(sa->spi));
	if (p == NULL)
		return;
	json_object_set_new(p, "missing_ok", json_true());
	if (sa->installed && reason != NULL)
		json_object_set_new(p, "reason", json_string(reason));
	int rc = connection_call(method, json_incref(p), NULL, NULL);
	if (connection_lost(rc))
		connection_owe(method, json_incref(p));
	json_decref(p);
}
