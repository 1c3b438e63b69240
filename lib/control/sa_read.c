/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/sa_read.h"
#include "control/selector_json.h"

/* The ranges in the table of methods. */
static_assert(SA_REPLAY_MAX == 32768 && SA_REPLAY_MIN == 32, "sa.add replay_window");
static_assert(SA_SELECTORS_MAX == 32, "sa.add selectors");
static_assert(SA_SPI_MIN == 256, "spi");

/* The parameters of sa.add in the order of the table; none but exist_ok comes behind. */
enum place {
	DIRECTION,
	SPI,
	TUNNEL,
	KEY,
	ALGORITHM,
	ESN,
	UDP,
	LOCAL_PORT,
	REMOTE_PORT,
	LOCAL,
	REMOTE,
	REPLAY_WINDOW,
	SEQ_FIRST,
	SEQ_LIMIT,
	DF,
	DSCP,
	TTL,
	SELECTORS,
	SOFT_BYTES,
	HARD_BYTES,
	SOFT_PACKETS,
	HARD_PACKETS,
	SOFT_ADD_TIME,
	HARD_ADD_TIME,
	SOFT_USE_TIME,
	HARD_USE_TIME,
	SOFT_SEQ,
	PLACES
};

#define BIT(place) (UINT32_C(1) << (place))
#define OUTBOUND_ONLY \
	(BIT(SEQ_FIRST) | BIT(SEQ_LIMIT) | BIT(DF) | BIT(DSCP) | BIT(TTL) | BIT(SOFT_SEQ))
#define INBOUND_ONLY (BIT(REPLAY_WINDOW) | BIT(SELECTORS))

int sa_read_place(const char *name)
{
	for (int i = 0; i < PLACES; i++)
		if (strcmp(sa_add_params[i].name, name) == 0)
			return i;
	return -1;
}

static int read_tunnel(struct sa_reading *r, const struct gateway *g, const char *name,
		       struct fault *fault)
{
	/* Rows of one tunnel come one after the other. */
	if (r->tunnel != NULL && strcmp(r->tunnel->spec.name, name) == 0)
		return 0;
	r->tunnel = tunnel_find(g->sadb, name);
	if (r->tunnel == NULL)
		return fault_set(fault, ENOENT, "tunnel", "there is no tunnel \"%s\"", name);
	r->spec.tunnel = r->tunnel->index;
	return 0;
}

static enum sa_df df_of(const char *text)
{
	return strcmp(text, "set") == 0     ? SA_DF_SET
	       : strcmp(text, "clear") == 0 ? SA_DF_CLEAR
					    : SA_DF_COPY;
}

static void read_number(struct sa_spec *spec, enum place place, uint64_t n)
{
	struct sa_lifetime *l = &spec->lifetime;

	switch (place) {
	case SPI:
		spec->spi = (uint32_t)n;
		break;
	case LOCAL_PORT:
		spec->local_port = (uint16_t)n;
		break;
	case REMOTE_PORT:
		spec->remote_port = (uint16_t)n;
		break;
	case REPLAY_WINDOW:
		spec->replay_window = (uint32_t)n;
		break;
	case SEQ_FIRST:
		spec->seq_first = n;
		break;
	case SEQ_LIMIT:
		spec->seq_limit = n;
		break;
	case DSCP:
		spec->dscp_set = true;
		spec->dscp = (uint8_t)n;
		break;
	case TTL:
		spec->ttl = (uint8_t)n;
		break;
	case SOFT_BYTES:
		l->soft_bytes = n;
		break;
	case HARD_BYTES:
		l->hard_bytes = n;
		break;
	case SOFT_PACKETS:
		l->soft_packets = n;
		break;
	case HARD_PACKETS:
		l->hard_packets = n;
		break;
	case SOFT_ADD_TIME:
		l->soft_add = (uint32_t)n;
		break;
	case HARD_ADD_TIME:
		l->hard_add = (uint32_t)n;
		break;
	case SOFT_USE_TIME:
		l->soft_use = (uint32_t)n;
		break;
	case HARD_USE_TIME:
		l->hard_use = (uint32_t)n;
		break;
	case SOFT_SEQ:
		l->soft_seq = n;
		break;
	default:
		break;
	}
}

static int read_text(struct sa_reading *r, const struct gateway *g, enum place place,
		     const char *text, struct fault *fault)
{
	switch (place) {
	case DIRECTION:
		r->spec.direction = strcmp(text, "out") == 0 ? SA_OUTBOUND : SA_INBOUND;
		break;
	case TUNNEL:
		return read_tunnel(r, g, text, fault);
	case ALGORITHM:
		aead_from_name(text, &r->spec.algorithm);
		break;
	case LOCAL:
		ip_addr_parse(text, &r->spec.local);
		break;
	case REMOTE:
		ip_addr_parse(text, &r->spec.remote);
		break;
	case DF:
		r->spec.df = df_of(text);
		break;
	default:
		break;
	}
	return 0;
}

int sa_read(struct sa_reading *r, const struct gateway *g, unsigned int place, const json_t *value,
	    struct fault *fault)
{
	r->given |= BIT(place);
	switch (json_typeof(value)) {
	case JSON_INTEGER:
		read_number(&r->spec, place, (uint64_t)json_integer_value(value));
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		if (place == UDP)
			r->spec.udp = json_is_true(value);
		else
			r->spec.esn = json_is_true(value);
		return 0;
	default:
		if (place == KEY) {
			r->key = value;
			return 0;
		}
		return read_text(r, g, place, json_string_value(value), fault);
	}
}

static int read_selectors(struct sa_spec *spec, const json_t *list, struct selector *selectors,
			  struct fault *fault)
{
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++) {
		int rc = selector_from_json(json_array_get(list, i), &selectors[i], fault);
		if (rc != 0)
			return fault_under(fault, "selectors[%zu]", i);
	}
	spec->selectors = (uint8_t)n;
	spec->selector = selectors;
	return 0;
}

int sa_read_object(struct sa_reading *r, const struct gateway *g, const json_t *object,
		   struct selector *selectors, struct fault *fault)
{
	for (unsigned int place = 0; place < PLACES; place++) {
		const json_t *value = json_object_get(object, sa_add_params[place].name);
		int rc = 0;
		if (value == NULL)
			continue;
		if (place == SELECTORS) {
			r->given |= BIT(SELECTORS);
			rc = read_selectors(&r->spec, value, selectors, fault);
		} else {
			rc = sa_read(r, g, place, value, fault);
		}
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* The defaults, read from the table once. */
static struct sa_reading initial;

static void read_initial(void)
{
	for (unsigned int place = 0; place < PLACES; place++) {
		const struct member *m = &sa_add_params[place];
		if (m->initial == NULL)
			continue;
		if (m->type == MEMBER_INTEGER)
			read_number(&initial.spec, place, strtoull(m->initial, NULL, 10));
		else if (place == UDP)
			initial.spec.udp = strcmp(m->initial, "true") == 0;
		else if (place == ESN)
			initial.spec.esn = strcmp(m->initial, "true") == 0;
		else
			read_text(&initial, NULL, place, m->initial, NULL);
	}
}

void sa_read_begin(struct sa_reading *r)
{
	if (initial.spec.algorithm == 0)
		read_initial();
	*r = initial;
}

/* A parameter that means nothing in this direction would be a mistake unseen. */
static int check_direction(const struct sa_reading *r, struct fault *fault)
{
	bool inbound = r->spec.direction == SA_INBOUND;
	uint32_t wrong = r->given & (inbound ? OUTBOUND_ONLY : INBOUND_ONLY);

	if (wrong == 0)
		return 0;
	const char *name = sa_add_params[__builtin_ctz(wrong)].name;
	return fault_set(fault, EINVAL, name, "%s is for %s SAs", name,
			 inbound ? "outbound" : "inbound");
}

static uint8_t hex_digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static int decode_key(struct sa_reading *r, struct fault *fault)
{
	const char *text = json_string_value(r->key);
	size_t size = aead_key_size(r->spec.algorithm), digits = json_string_length(r->key);

	if (digits != 2 * size)
		return fault_set(
		    fault, EINVAL, "key",
		    "the key has %zu digits; %s takes %zu: %zu bytes of key and %d of salt", digits,
		    aead_name(r->spec.algorithm), 2 * size, size - AEAD_SALT_SIZE, AEAD_SALT_SIZE);
	for (size_t i = 0; i < size; i++)
		r->spec.key[i] =
		    (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return 0;
}

int sa_read_finish(struct sa_reading *r, struct fault *fault)
{
	struct sa_spec *spec = &r->spec;
	int rc = check_direction(r, fault);

	if (rc != 0)
		return rc;
	if (spec->local.family == 0)
		spec->local = r->tunnel->spec.local;
	if (spec->remote.family == 0)
		spec->remote = r->tunnel->spec.remote;
	if (!spec->udp)
		spec->local_port = spec->remote_port = 0;
	if (spec->direction == SA_INBOUND) {
		spec->seq_first = spec->seq_limit = 0;
		spec->ttl = 0;
	} else {
		spec->replay_window = 0;
	}
	return decode_key(r, fault);
}
