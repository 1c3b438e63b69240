/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <search.h>
#include <stdlib.h>

#include "control/sessions.h"

static int compare(const void *a, const void *b)
{
	uint32_t x = ((const struct spi_claim *)a)->spi, y = ((const struct spi_claim *)b)->spi;

	return (x > y) - (x < y);
}

static void remove_claim(struct sessions *s, struct spi_claim *claim)
{
	tdelete(claim, &s->spis, compare);
	TAILQ_REMOVE(claim->owner, claim, link);
	free(claim);
}

int spi_claimed(struct sessions *s, struct spi_claims *owner, uint32_t spi, uint32_t mark)
{
	struct spi_claim *claim = malloc(sizeof(*claim));

	if (claim == NULL)
		return -ENOMEM;
	spi_unclaimed(s, spi);
	*claim = (struct spi_claim){.owner = owner, .spi = spi, .mark = mark};
	if (tsearch(claim, &s->spis, compare) == NULL) {
		free(claim);
		return -ENOMEM;
	}
	TAILQ_INSERT_TAIL(owner, claim, link);
	return 0;
}

void spi_unclaimed(struct sessions *s, uint32_t spi)
{
	const struct spi_claim key = {.spi = spi};
	struct spi_claim **found = tfind(&key, &s->spis, compare);

	if (found != NULL)
		remove_claim(s, *found);
}

void spi_give_back(struct sessions *s, struct spi_claim *claim)
{
	spi_release(s->g->sadb, claim->spi);
	remove_claim(s, claim);
}

void spis_adopt(struct spi_claims *from, struct spi_claims *to, uint32_t mark)
{
	struct spi_claim *claim;

	TAILQ_FOREACH (claim, from, link) {
		claim->owner = to;
		claim->mark = mark;
	}
	TAILQ_CONCAT(to, from, link);
}

void spis_abandon(struct sessions *s, struct spi_claims *from)
{
	spis_adopt(from, &s->abandoned, 0);
}
