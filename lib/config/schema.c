/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/schema.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "config/raw.h"

/* "on" and "off", too, but those two words are what the reference shows. */
static const cyaml_strval_t truth[] = {{"yes", 1},   {"no", 0}, {"true", 1},
				       {"false", 0}, {"on", 1}, {"off", 0}};
static const cyaml_strval_t idle[] = {{"spin", WORD_SPIN}, {"sleep", WORD_SLEEP}};
static const cyaml_strval_t hugepages[] = {{"auto", WORD_AUTO}, {"yes", WORD_YES}, {"no", WORD_NO}};
static const cyaml_strval_t role[] = {
    {"protected", WORD_PROTECTED}, {"unprotected", WORD_UNPROTECTED}, {"both", WORD_BOTH}};
static const cyaml_strval_t xdp[] = {
    {"auto", WORD_XDP_AUTO}, {"native", WORD_XDP_NATIVE}, {"generic", WORD_XDP_GENERIC}};
static const cyaml_strval_t encapsulation[] = {{"esp", WORD_ESP}, {"udp", WORD_UDP}};
static const cyaml_strval_t df[] = {
    {"copy", WORD_DF_COPY}, {"set", WORD_DF_SET}, {"clear", WORD_DF_CLEAR}};
static const cyaml_strval_t action[] = {
    {"protect", WORD_PROTECT}, {"bypass", WORD_BYPASS}, {"discard", WORD_DISCARD}};

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define TEXT(type, key) CYAML_FIELD_STRING_PTR(#key, OPTIONAL, struct type, key, 0, CYAML_UNLIMITED)
#define NUMBER(type, key) CYAML_FIELD_UINT_PTR(#key, OPTIONAL, struct type, key)
#define WORD(type, key, words)                                                            \
	CYAML_FIELD_ENUM_PTR(#key, OPTIONAL | CYAML_FLAG_STRICT, struct type, key, words, \
			     CYAML_ARRAY_LEN(words))
#define LIST(type, key, entry) \
	CYAML_FIELD_SEQUENCE(#key, OPTIONAL, struct type, key, entry, 0, CYAML_UNLIMITED)
#define SECTION(type, key, fields) \
	CYAML_FIELD_MAPPING(#key, CYAML_FLAG_OPTIONAL, struct type, key, fields)

static const cyaml_schema_value_t text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED)};
static const cyaml_schema_value_t number_entry = {CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint64_t)};

static const cyaml_schema_field_t workers_fields[] = {
    LIST(raw_workers, lcores, &number_entry), WORD(raw_workers, idle, idle), CYAML_FIELD_END};

static const cyaml_schema_field_t memory_fields[] = {
    NUMBER(raw_memory, buffers), NUMBER(raw_memory, buffer_size),
    WORD(raw_memory, hugepages, hugepages), CYAML_FIELD_END};

static const cyaml_schema_field_t port_fields[] = {TEXT(raw_port, name),
						   TEXT(raw_port, device),
						   WORD(raw_port, role, role),
						   NUMBER(raw_port, queues),
						   NUMBER(raw_port, mtu),
						   WORD(raw_port, xdp, xdp),
						   WORD(raw_port, mirror, truth),
						   LIST(raw_port, addresses, &text_entry),
						   CYAML_FIELD_END};
static const cyaml_schema_value_t port_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_port, port_fields)};

static const cyaml_schema_field_t route_fields[] = {TEXT(raw_route, prefix), TEXT(raw_route, via),
						    TEXT(raw_route, port), TEXT(raw_route, tunnel),
						    CYAML_FIELD_END};
static const cyaml_schema_value_t route_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_route, route_fields)};

static const cyaml_schema_field_t neighbour_fields[] = {TEXT(raw_neighbour, port),
							TEXT(raw_neighbour, address),
							TEXT(raw_neighbour, mac), CYAML_FIELD_END};
static const cyaml_schema_value_t neighbour_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_neighbour, neighbour_fields)};

static const cyaml_schema_field_t limits_fields[] = {
    NUMBER(raw_limits, sas), NUMBER(raw_limits, tunnels), NUMBER(raw_limits, routes),
    NUMBER(raw_limits, flows), CYAML_FIELD_END};

/* What follows stands in tunnels[].selectors[] and, inline, in policies[]. */
static const cyaml_schema_field_t selector_fields[] = {
    TEXT(raw_selector, local),       TEXT(raw_selector, remote),       TEXT(raw_selector, protocol),
    TEXT(raw_selector, local_ports), TEXT(raw_selector, remote_ports), CYAML_FIELD_END};
static const cyaml_schema_value_t selector_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_selector, selector_fields)};

static const cyaml_schema_field_t sa_fields[] = {NUMBER(raw_sa, spi), TEXT(raw_sa, key),
						 CYAML_FIELD_END};

static const cyaml_schema_field_t tunnel_fields[] = {
    TEXT(raw_tunnel, name),
    TEXT(raw_tunnel, device),
    TEXT(raw_tunnel, local),
    TEXT(raw_tunnel, remote),
    WORD(raw_tunnel, encapsulation, encapsulation),
    NUMBER(raw_tunnel, local_port),
    NUMBER(raw_tunnel, remote_port),
    NUMBER(raw_tunnel, mtu),
    NUMBER(raw_tunnel, keepalive),
    WORD(raw_tunnel, esn, truth),
    NUMBER(raw_tunnel, replay_window),
    WORD(raw_tunnel, df, df),
    TEXT(raw_tunnel, dscp),
    LIST(raw_tunnel, selectors, &selector_entry),
    NUMBER(raw_tunnel, priority),
    CYAML_FIELD_MAPPING_PTR("in", OPTIONAL, struct raw_tunnel, in, sa_fields),
    CYAML_FIELD_MAPPING_PTR("out", OPTIONAL, struct raw_tunnel, out, sa_fields),
    CYAML_FIELD_END};
static const cyaml_schema_value_t tunnel_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_tunnel, tunnel_fields)};

#define SELECTOR_TEXT(key) \
	CYAML_FIELD_STRING_PTR(#key, OPTIONAL, struct raw_policy, selector.key, 0, CYAML_UNLIMITED)

static const cyaml_schema_field_t policy_fields[] = {
    TEXT(raw_policy, name),   NUMBER(raw_policy, priority), WORD(raw_policy, action, action),
    TEXT(raw_policy, tunnel), SELECTOR_TEXT(local),         SELECTOR_TEXT(remote),
    SELECTOR_TEXT(protocol),  SELECTOR_TEXT(local_ports),   SELECTOR_TEXT(remote_ports),
    CYAML_FIELD_END};
static const cyaml_schema_value_t policy_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_policy, policy_fields)};

static const cyaml_schema_field_t control_fields[] = {
    TEXT(raw_control, socket), TEXT(raw_control, mode), TEXT(raw_control, group), CYAML_FIELD_END};

static const cyaml_schema_field_t log_fields[] = {TEXT(raw_log, tunnels), NUMBER(raw_log, size),
						  NUMBER(raw_log, keep), CYAML_FIELD_END};

static const cyaml_schema_field_t config_fields[] = {LIST(raw_config, eal, &text_entry),
						     SECTION(raw_config, workers, workers_fields),
						     SECTION(raw_config, memory, memory_fields),
						     LIST(raw_config, ports, &port_entry),
						     LIST(raw_config, routes, &route_entry),
						     LIST(raw_config, neighbours, &neighbour_entry),
						     WORD(raw_config, lab, truth),
						     TEXT(raw_config, state_directory),
						     TEXT(raw_config, policy_device),
						     SECTION(raw_config, limits, limits_fields),
						     LIST(raw_config, tunnels, &tunnel_entry),
						     LIST(raw_config, policies, &policy_entry),
						     SECTION(raw_config, control, control_fields),
						     SECTION(raw_config, log, log_fields),
						     CYAML_FIELD_END};

const cyaml_schema_value_t config_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_config, config_fields)};

const cyaml_schema_field_t *schema_field(const cyaml_schema_value_t *mapping, const char *key)
{
	for (const cyaml_schema_field_t *f = mapping->mapping.fields; f->key != NULL; f++)
		if (strcmp(f->key, key) == 0)
			return f;
	return NULL;
}

const cyaml_schema_value_t *schema_find(const char *path)
{
	const cyaml_schema_value_t *value = &config_schema;

	while (value != NULL && *path != '\0') {
		char key[32];
		size_t len = strcspn(path, ".[");
		if (len > 0) {
			if (value->type != CYAML_MAPPING || len >= sizeof(key))
				return NULL;
			memcpy(key, path, len);
			key[len] = '\0';
			const cyaml_schema_field_t *field = schema_field(value, key);
			value = field != NULL ? &field->value : NULL;
		} else if (path[0] == '[') {
			value = value->type == CYAML_SEQUENCE ? value->sequence.entry : NULL;
			len = 2;
		} else {
			len = 1;
		}
		path += len;
	}
	return value;
}

char *schema_words(const cyaml_schema_value_t *value, char *buf, size_t size)
{
	const cyaml_strval_t *words = value->enumeration.strings;
	uint32_t n = words == truth ? 2 : value->enumeration.count;
	size_t at = 0;

	buf[0] = '\0';
	for (uint32_t i = 0; i < n && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s",
				       i == 0 ? "" : (i == n - 1 ? " or " : ", "), words[i].str);
	return buf;
}
