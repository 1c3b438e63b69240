/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SA_OUTER_H
#define ESPALIER_SA_OUTER_H

#include "sa/sa.h"
#include "sa/sa_hot.h"

/*
 * Build the constant part of what stands before the ciphertext: outer IP header,
 * UDP header (RFC 3948), SPI; per-packet fields are zero. It ends at
 * header[SA_HEADER_MAX]. Control thread.
 */
void outer_build(const struct sa_spec *spec, uint8_t header[SA_HEADER_MAX], struct sa_outer *outer);

#endif
