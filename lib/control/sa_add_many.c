/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_jhash.h>

#include "control/claim.h"
#include "control/sa_find.h"
#include "control/sa_read.h"
#include "control/state.h"
#include "control/validate.h"
#include "control/wipe.h"
#include "gateway/provision.h"

/* sa.add_many: every row is read and checked before the first SA is added. */
#define COLUMNS_MAX 32

struct row {
	struct sa_spec spec;
	struct sa *sa; /* there already, or added */
	bool created;
};

struct many {
	struct call *call;
	struct sa_reading common;
	struct selector selectors[SA_SELECTORS_MAX];
	unsigned int column[COLUMNS_MAX]; /* places in sa_add_params */
	size_t columns, count;
	struct row *row;
	/* Rows by what must differ: SPI (with the peer outbound), and key. Row + 1; 0: free. */
	uint32_t *by_spi, *by_key, mask;
	size_t existed;
	uint32_t added_in, added_out;
	bool exist_ok;
};

static int read_columns(struct many *m)
{
	const json_t *list = json_object_get(m->call->params, "columns");
	uint32_t seen = 0;

	m->columns = json_array_size(list);
	for (size_t i = 0; i < m->columns; i++) {
		const char *name = json_string_value(json_array_get(list, i));
		unsigned int place = (unsigned int)sa_read_place(name);
		char where[32];
		snprintf(where, sizeof(where), "columns[%zu]", i);
		if ((seen & (UINT32_C(1) << place)) != 0)
			return call_fault(m->call, EINVAL, where, "%s is a column twice", name);
		if ((m->common.given & (UINT32_C(1) << place)) != 0)
			return call_fault(m->call, EINVAL, where,
					  "%s is in the template and a column; it must be one",
					  name);
		seen |= UINT32_C(1) << place;
		m->column[i] = place;
	}
	for (unsigned int place = 0; sa_add_params[place].name != NULL; place++) {
		if (sa_add_params[place].required &&
		    ((seen | m->common.given) & (UINT32_C(1) << place)) == 0)
			return call_fault(m->call, EINVAL, "columns",
					  "%s is missing; it must be a column or in the template",
					  sa_add_params[place].name);
	}
	return 0;
}

static int wrong_length(struct many *m, size_t i, size_t got)
{
	char where[32];

	snprintf(where, sizeof(where), "rows[%zu]", i);
	m->call->error.code = RPC_INVALID_PARAMS;
	return call_fault(m->call, EINVAL, where,
			  "rows[%zu] has %zu values, and there are %zu columns", i, got,
			  m->columns);
}

static int wrong_value(struct many *m, size_t i, const struct member *member, const json_t *value)
{
	char path[64];

	snprintf(path, sizeof(path), "rows[%zu].%s", i, member->name);
	return validate_fail(member, path, value, &m->call->error);
}

static int under_row(struct many *m, size_t i)
{
	return fault_under(&m->call->error.fault, "rows[%zu]", i);
}

static int read_row(struct many *m, size_t i, const json_t *values, struct sa_reading *r)
{
	if (json_array_size(values) != m->columns)
		return wrong_length(m, i, json_array_size(values));
	*r = m->common;
	for (size_t c = 0; c < m->columns; c++) {
		const json_t *value = json_array_get(values, c);
		const struct member *member = &sa_add_params[m->column[c]];
		if (!validate_scalar(member, value))
			return wrong_value(m, i, member, value);
		if (sa_read(r, m->call->g, m->column[c], value, &m->call->error.fault) != 0)
			return under_row(m, i);
	}
	if (sa_read_finish(r, &m->call->error.fault) != 0)
		return under_row(m, i);
	m->row[i].spec = r->spec;
	return 0;
}

static bool same_spi(const struct sa_spec *a, const struct sa_spec *b)
{
	return a->direction == b->direction && a->spi == b->spi &&
	       (a->direction == SA_INBOUND || ip_addr_equal(&a->remote, &b->remote));
}

static bool same_key(const struct sa_spec *a, const struct sa_spec *b)
{
	return a->algorithm == b->algorithm &&
	       memcmp(a->key, b->key, aead_key_size(a->algorithm)) == 0;
}

/* Another row that is the same; otherwise this one is remembered and the result is NULL. */
static const struct row *put(const struct many *m, uint32_t *table, uint32_t hash, size_t i,
			     bool (*same)(const struct sa_spec *a, const struct sa_spec *b))
{
	uint32_t at = hash & m->mask;

	for (; table[at] != 0; at = (at + 1) & m->mask)
		if (same(&m->row[table[at] - 1].spec, &m->row[i].spec))
			return &m->row[table[at] - 1];
	table[at] = (uint32_t)i + 1;
	return NULL;
}

static int check_other_rows(struct many *m, size_t i)
{
	const struct sa_spec *spec = &m->row[i].spec;
	const struct row *other =
	    put(m, m->by_spi, rte_jhash_1word(spec->spi, spec->direction), i, same_spi);

	if (other != NULL)
		return call_fault(m->call, EEXIST, "spi", "0x%08x is in rows[%td] already",
				  spec->spi, other - m->row);
	uint32_t hash = rte_jhash(spec->key, sizeof(spec->key), 0);
	other = put(m, m->by_key, hash, i, same_key);
	if (other != NULL)
		return call_fault(m->call, EEXIST, "key",
				  "rows[%td] has this key and salt; every SA needs its own",
				  other - m->row);
	return 0;
}

/* That there is room for one more besides those of the rows before. */
static int check_room(struct many *m, enum sa_direction direction)
{
	uint32_t limit = m->call->control->config.sas_max;
	uint32_t *added = direction == SA_INBOUND ? &m->added_in : &m->added_out;

	if (limit != 0 && sa_count(m->call->g->sadb, direction) + *added >= limit)
		return call_fault(m->call, ENOSPC, "",
				  "with the rows before, there are %u %s SAs, the limit of this "
				  "gateway (limits.sas)",
				  limit, direction == SA_INBOUND ? "inbound" : "outbound");
	(*added)++;
	return 0;
}

static int check_existing(struct many *m, size_t i)
{
	struct row *row = &m->row[i];
	bool vacant = find_spec(m->call->g, &row->spec) == NULL;
	int rc = vacant ? check_room(m, row->spec.direction) : 0;

	if (rc == 0)
		rc = sa_check(m->call->g->sadb, &row->spec, &m->call->error.fault);
	if (rc == -EEXIST && !vacant && m->exist_ok)
		row->sa = find_same(m->call, &row->spec);
	if (row->sa == NULL)
		return rc;
	m->existed++;
	return 0;
}

static int read_rows(struct many *m)
{
	const json_t *list = json_object_get(m->call->params, "rows"), *values;
	struct sa_reading r;
	int rc = 0;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)list, i, values) {
		rc = read_row(m, i, values, &r);
		if (rc != 0)
			break;
		rc = check_other_rows(m, i);
		if (rc == 0)
			rc = check_existing(m, i);
		if (rc != 0) {
			rc = under_row(m, i);
			break;
		}
	}
	explicit_bzero(&r, sizeof(r));
	return rc;
}

/* Newest first: what sent before sends again. */
static void take_back(struct many *m, size_t count)
{
	while (count-- > 0)
		if (m->row[count].created)
			gateway_sa_delete(m->call->g, m->row[count].sa, "sa.add_many was refused");
}

static int add_rows(struct many *m)
{
	for (size_t i = 0; i < m->count; i++) {
		struct row *row = &m->row[i];
		if (row->sa != NULL)
			continue;
		int rc = gateway_sa_add(m->call->g, &row->spec, &row->sa, &m->call->error.fault);
		if (rc != 0) {
			take_back(m, i);
			return under_row(m, i);
		}
		row->created = true;
	}
	return 0;
}

static int allocate(struct many *m)
{
	uint32_t size = 16;

	m->count = json_array_size(json_object_get(m->call->params, "rows"));
	while (size < 2 * m->count)
		size *= 2;
	m->mask = size - 1;
	m->row = calloc(m->count + 1, sizeof(*m->row));
	m->by_spi = calloc(size, sizeof(*m->by_spi));
	m->by_key = calloc(size, sizeof(*m->by_key));
	if (m->row == NULL || m->by_spi == NULL || m->by_key == NULL)
		return call_fault(m->call, ENOMEM, "", "no memory for %zu rows", m->count);
	return 0;
}

static int add_many(struct many *m)
{
	const json_t *template = json_object_get(m->call->params, "template");
	struct fault *fault = &m->call->error.fault;

	sa_read_begin(&m->common);
	if (template != NULL &&
	    sa_read_object(&m->common, m->call->g, template, m->selectors, fault) != 0)
		return fault_under(fault, "template");
	int rc = read_columns(m);
	if (rc == 0)
		rc = allocate(m);
	if (rc == 0)
		rc = read_rows(m);
	return rc != 0 ? rc : add_rows(m);
}

int call_sa_add_many(struct call *call)
{
	struct many m = {.call = call, .exist_ok = call_boolean(call, "exist_ok")};
	int rc = add_many(&m);

	for (size_t i = 0; rc == 0 && i < m.count; i++)
		claim_sa(call, m.row[i].sa, m.row[i].created);
	if (rc == 0)
		call->result = json_pack("{s:I, s:I}", "created", (json_int_t)(m.count - m.existed),
					 "existed", (json_int_t)m.existed);
	wipe_free(m.row);
	wipe_free(m.by_spi);
	wipe_free(m.by_key);
	return rc;
}
