/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ESPALIER_CHARON_ALGORITHM_H
#define ESPALIER_CHARON_ALGORITHM_H

#include "charon.h"

/*
 * The gateway's name of what charon has negotiated, such as "aes256gcm16"; NULL where
 * it has none: `refusal` then says what was asked for. `key_len` includes the salt.
 */
const char *algorithm_name(uint16_t encryption, uint16_t integrity, size_t key_len, char *refusal,
			   size_t refusal_size);

#endif
