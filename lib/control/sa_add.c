/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/claim.h"
#include "control/sa_find.h"
#include "control/selector_json.h"
#include "control/state.h"
#include "gateway/provision.h"

/* The ranges in the table of methods. */
static_assert(SA_REPLAY_MAX == 32768 && SA_REPLAY_MIN == 32, "sa.add replay_window");
static_assert(SA_SELECTORS_MAX == 32, "sa.add selectors");
static_assert(SA_SPI_MIN == 256, "spi");

static uint8_t hex_digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static int read_key(struct call *call, struct sa_spec *spec)
{
	const char *text = call_text(call, "key");
	size_t size = aead_key_size(spec->algorithm);

	if (strlen(text) != 2 * size)
		return call_fault(
		    call, EINVAL, "key",
		    "the key has %zu digits; %s takes %zu: %zu bytes of key and %d of salt",
		    strlen(text), aead_name(spec->algorithm), 2 * size, size - AEAD_SALT_SIZE,
		    AEAD_SALT_SIZE);
	for (size_t i = 0; i < size; i++)
		spec->key[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return 0;
}

static int read_selectors(struct call *call, struct sa_spec *spec, struct selector *selectors)
{
	const json_t *list = json_object_get(call->params, "selectors");
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++) {
		int rc =
		    selector_from_json(json_array_get(list, i), &selectors[i], &call->error.fault);
		if (rc != 0)
			return fault_under(&call->error.fault, "selectors[%zu]", i);
	}
	spec->selectors = (uint8_t)n;
	spec->selector = selectors;
	return 0;
}

/* A parameter that means nothing in this direction would be a mistake unseen. */
static int check_direction(struct call *call)
{
	static const char *const outbound_only[] = {"seq_first", "seq_limit", "df", "dscp", "ttl"};
	static const char *const inbound_only[] = {"replay_window", "selectors"};

	if (call_direction(call) == SA_INBOUND) {
		for (size_t i = 0; i < RTE_DIM(outbound_only); i++)
			if (call_has(call, outbound_only[i]))
				return call_fault(call, EINVAL, outbound_only[i],
						  "%s is for outbound SAs", outbound_only[i]);
	} else {
		for (size_t i = 0; i < RTE_DIM(inbound_only); i++)
			if (call_has(call, inbound_only[i]))
				return call_fault(call, EINVAL, inbound_only[i],
						  "%s is for inbound SAs", inbound_only[i]);
	}
	return 0;
}

static enum sa_df df_of(const char *text)
{
	return strcmp(text, "set") == 0     ? SA_DF_SET
	       : strcmp(text, "clear") == 0 ? SA_DF_CLEAR
					    : SA_DF_COPY;
}

static void read_header(const struct call *call, const struct tunnel *t, struct sa_spec *spec)
{
	spec->udp = call_boolean(call, "udp");
	if (spec->udp) {
		spec->local_port = (uint16_t)call_integer(call, "local_port");
		spec->remote_port = (uint16_t)call_integer(call, "remote_port");
	}
	spec->local = call_has(call, "local") ? call_address(call, "local") : t->spec.local;
	spec->remote = call_has(call, "remote") ? call_address(call, "remote") : t->spec.remote;
	if (spec->direction == SA_INBOUND)
		return;
	spec->df = df_of(call_text(call, "df"));
	spec->dscp_set = call_has(call, "dscp");
	spec->dscp = (uint8_t)call_integer(call, "dscp");
	spec->ttl = (uint8_t)call_integer(call, "ttl");
}

static int read_spec(struct call *call, struct sa_spec *spec, struct selector *selectors)
{
	struct tunnel *t = call_tunnel(call, "tunnel");

	if (t == NULL)
		return -ENOENT;
	int rc = check_direction(call);
	if (rc != 0)
		return rc;
	*spec = (struct sa_spec){
	    .direction = call_direction(call),
	    .spi = (uint32_t)call_integer(call, "spi"),
	    .tunnel = t->index,
	    .esn = call_boolean(call, "esn"),
	};
	if (spec->direction == SA_INBOUND) {
		spec->replay_window = (uint32_t)call_integer(call, "replay_window");
	} else {
		spec->seq_first = (uint64_t)call_integer(call, "seq_first");
		spec->seq_limit = (uint64_t)call_integer(call, "seq_limit");
	}
	aead_from_name(call_text(call, "algorithm"), &spec->algorithm);
	read_header(call, t, spec);
	rc = read_selectors(call, spec, selectors);
	return rc != 0 ? rc : read_key(call, spec);
}

/* The SA that was installed by this very request, sent a second time. */
static struct sa *find_same(const struct call *call, const struct sa_spec *spec)
{
	struct sa *sa = spec->direction == SA_INBOUND
			    ? sa_find_in(call->g->sadb, spec->spi)
			    : sa_find_out(call->g->sadb, spec->spi, &spec->remote);
	uint8_t digest[32];

	if (sa == NULL || sa->tunnel != spec->tunnel || sa->spec.algorithm != spec->algorithm)
		return NULL;
	aead_digest(call->control->aead, spec->key, aead_key_size(spec->algorithm), digest);
	return memcmp(digest, sa->key_digest, sizeof(sa->key_digest)) == 0 ? sa : NULL;
}

int call_sa_add(struct call *call)
{
	struct selector selectors[SA_SELECTORS_MAX];
	struct sa_spec spec;
	struct sa *sa = NULL;

	int rc = read_spec(call, &spec, selectors);
	if (rc == 0) {
		rc = gateway_sa_add(call->g, &spec, &sa, &call->error.fault);
		bool created = rc == 0;
		if (rc == -EEXIST && call_boolean(call, "exist_ok")) {
			sa = find_same(call, &spec);
			rc = sa != NULL ? 0 : rc;
		}
		if (rc == 0) {
			claim_sa(call, sa, created);
			call->result = json_pack("{s:b, s:s, s:I, s:i}", "created", created,
						 "direction", call_text(call, "direction"), "spi",
						 (json_int_t)sa->spi, "worker", (int)sa->owner);
		}
	}
	explicit_bzero(&spec, sizeof(spec));
	return rc;
}
