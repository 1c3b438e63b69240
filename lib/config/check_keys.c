/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"

static int check_sa(struct check *c, const char *spi_path, const char *key_path,
		    const struct raw_sa *raw, struct config_sa *sa)
{
	const char *text;
	uint64_t spi;

	if (check_number(c, spi_path, raw->spi, &spi) != 0 ||
	    check_text(c, key_path, raw->key, NULL, &text) != 0)
		return -EINVAL;
	sa->spi = (uint32_t)spi;
	int len = secrets_read(c->secrets, text, sa->key, sizeof(sa->key));
	if (len != 20 && len != 36)
		return check_fault(c, key_path,
				   "the text has %zu characters; 40 (AES-128) or 72 (AES-256) "
				   "hexadecimal digits are needed, salt included, without 0x",
				   strlen(text));
	sa->key_len = (size_t)len;
	return 0;
}

static int check_pair(struct check *c, const struct raw_tunnel *raw, struct config_tunnel *t)
{
	if (raw->in == NULL && raw->out == NULL)
		return 0;
	if (raw->in == NULL || raw->out == NULL)
		return check_fault(c, raw->in == NULL ? "tunnels[].in" : "tunnels[].out",
				   "missing; manual keys are needed for both directions");
	if (!c->config->lab)
		return check_fault(
		    c, "tunnels[].in",
		    "manual keys are for laboratories: write lab: yes, or let an IKE "
		    "daemon give keys");
	t->keys = true;
	int err = check_sa(c, "tunnels[].in.spi", "tunnels[].in.key", raw->in, &t->in);
	if (err == 0)
		err = check_sa(c, "tunnels[].out.spi", "tunnels[].out.key", raw->out, &t->out);
	return err;
}

struct used_key {
	const struct config_sa *sa;
	size_t tunnel;
	bool out;
};

static int compare_keys(const void *a, const void *b)
{
	const struct used_key *x = a, *y = b;

	if (x->sa->key_len != y->sa->key_len)
		return x->sa->key_len < y->sa->key_len ? -1 : 1;
	int order = memcmp(x->sa->key, y->sa->key, x->sa->key_len);
	if (order != 0)
		return order;
	return x->tunnel != y->tunnel ? (x->tunnel < y->tunnel ? -1 : 1) : x->out - y->out;
}

/* Two senders under one key and salt repeat each other's nonces (RFC 4106 section 3.1). */
static int check_reuse(struct check *c)
{
	struct config *config = c->config;
	struct used_key *keys = calloc(2 * config->tunnels_count + 1, sizeof(*keys));
	size_t n = 0;
	int err = 0;

	if (keys == NULL)
		return fault_set(c->fault, ENOMEM, "", "out of memory");
	for (size_t i = 0; i < config->tunnels_count; i++) {
		if (!config->tunnels[i].keys)
			continue;
		keys[n++] = (struct used_key){&config->tunnels[i].in, i, false};
		keys[n++] = (struct used_key){&config->tunnels[i].out, i, true};
	}
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < n && err == 0; i++) {
		if (keys[i - 1].sa->key_len != keys[i].sa->key_len ||
		    memcmp(keys[i - 1].sa->key, keys[i].sa->key, keys[i].sa->key_len) != 0)
			continue;
		c->at[0] = keys[i].tunnel;
		err =
		    check_fault(c, keys[i].out ? "tunnels[].out.key" : "tunnels[].in.key",
				"the same key stands in tunnels[%zu].%s; two senders with one key "
				"repeat nonces, which breaks AES-GCM: make another",
				keys[i - 1].tunnel, keys[i - 1].out ? "out" : "in");
	}
	free(keys);
	return err;
}

struct used_spi {
	uint32_t spi;
	size_t tunnel;
};

static int compare_spis(const void *a, const void *b)
{
	const struct used_spi *x = a, *y = b;

	if (x->spi != y->spi)
		return x->spi < y->spi ? -1 : 1;
	return (x->tunnel > y->tunnel) - (x->tunnel < y->tunnel);
}

static int check_spis(struct check *c)
{
	struct config *config = c->config;
	struct used_spi *spis = calloc(config->tunnels_count + 1, sizeof(*spis));
	size_t n = 0;
	int err = 0;

	if (spis == NULL)
		return fault_set(c->fault, ENOMEM, "", "out of memory");
	for (size_t i = 0; i < config->tunnels_count; i++)
		if (config->tunnels[i].keys)
			spis[n++] = (struct used_spi){config->tunnels[i].in.spi, i};
	qsort(spis, n, sizeof(*spis), compare_spis);
	for (size_t i = 1; i < n && err == 0; i++) {
		if (spis[i - 1].spi != spis[i].spi)
			continue;
		c->at[0] = spis[i].tunnel;
		err = check_fault(
		    c, "tunnels[].in.spi",
		    "%u is the SPI of tunnels[%zu].in already; inbound SAs are found by "
		    "their SPI alone",
		    spis[i].spi, spis[i - 1].tunnel);
	}
	free(spis);
	return err;
}

int check_keys(struct check *c)
{
	for (size_t i = 0; i < c->config->tunnels_count; i++) {
		c->at[0] = i;
		int err = check_pair(c, &c->raw->tunnels[i], &c->config->tunnels[i]);
		if (err != 0)
			return err;
	}
	int err = check_spis(c);
	return err != 0 ? err : check_reuse(c);
}
