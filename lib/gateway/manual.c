/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/state.h"
#include "report/log.h"

/* The last number of the SA's space (RFC 4303 3.3.3: never wrap). */
static uint64_t space_end(const struct sa_spec *spec)
{
	return spec->esn ? UINT64_MAX - 1 : UINT32_MAX;
}

int gateway_manual_sa_add(struct gateway *g, struct reserve *reserve, const struct sa_spec *spec,
			  struct sa **out, struct fault *fault)
{
	struct provision *p = provision_of(g);
	struct manual *manual = calloc(1, sizeof(*manual));
	struct sa_spec numbered = *spec;

	if (p == NULL || manual == NULL) {
		free(manual);
		return fault_set(fault, ENOMEM, "", "no memory for another SA");
	}
	int err = reserve_take(reserve, spec->key, aead_key_size(spec->algorithm), space_end(spec),
			       &numbered.seq_first, &numbered.seq_limit, &manual->block, fault);
	if (err == 0) {
		manual->limit = numbered.seq_limit;
		manual->seq_before = numbered.seq_first - 1;
		err = gateway_sa_add(g, &numbered, &manual->sa, fault);
	}
	explicit_bzero(numbered.key, sizeof(numbered.key));
	if (err != 0) {
		reserve_block_free(manual->block);
		free(manual);
		return err;
	}
	LIST_INSERT_HEAD(&p->manuals, manual, in_list);
	if (out != NULL)
		*out = manual->sa;
	return 0;
}

void manual_forget(struct provision *p, struct sa *sa)
{
	struct manual *manual;

	LIST_FOREACH (manual, &p->manuals, in_list) {
		if (manual->sa != sa)
			continue;
		LIST_REMOVE(manual, in_list);
		reserve_block_free(manual->block);
		free(manual);
		return;
	}
}

static void extend(struct manual *manual)
{
	struct sa_counters counters;
	struct fault fault;

	sa_counters(manual->sa, &counters);
	if (counters.seq < manual->seq_before)
		return;
	/* Enough for four ticks as busy as this one was. */
	uint64_t ahead = 4 * (counters.seq - manual->seq_before);
	if (ahead < RESERVE_BLOCK)
		ahead = RESERVE_BLOCK;
	manual->seq_before = counters.seq;
	if (manual->limit - counters.seq > ahead / 2 ||
	    manual->limit >= space_end(&manual->sa->spec))
		return;
	int err = reserve_more(manual->block, ahead, &manual->limit, &fault);
	if (err == 0)
		sa_extend(manual->sa, manual->limit);
	else if (!manual->failed)
		log_error("SA 0x%08x will stop at sequence number %llu: %s: %s", manual->sa->spi,
			  (unsigned long long)manual->limit, fault.where, fault.what);
	manual->failed = err != 0;
}

void manual_tick(struct provision *p)
{
	struct manual *manual;

	LIST_FOREACH (manual, &p->manuals, in_list)
		extend(manual);
}
