/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_SESSIONS_H
#define ESPALIER_CONTROL_SESSIONS_H

#include "control/session.h"

/* Private to session*.c. */
struct sessions {
	struct gateway *g;
	TAILQ_HEAD(, session) list;
	uint32_t count, last_number;
	void *spis;                  /* tsearch() tree of struct spi_claim by SPI */
	struct spi_claims abandoned; /* to be given back */
};

/* Give back one of them. */
void spi_give_back(struct sessions *s, struct spi_claim *claim);

#endif
