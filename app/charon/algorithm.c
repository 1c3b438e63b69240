/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "algorithm.h"

#include <crypto/crypters/crypter.h>
#include <crypto/signers/signer.h>

#define SALT 4

static const struct {
	uint16_t encryption;
	size_t key_len;
	const char *name;
} known[] = {
    {ENCR_AES_GCM_ICV16, 32 + SALT, "aes256gcm16"},
    {ENCR_AES_GCM_ICV16, 16 + SALT, "aes128gcm16"},
};

const char *algorithm_name(uint16_t encryption, uint16_t integrity, size_t key_len, char *refusal,
			   size_t refusal_size)
{
	for (size_t i = 0; i < countof(known); i++)
		if (known[i].encryption == encryption && known[i].key_len == key_len &&
		    integrity == AUTH_UNDEFINED)
			return known[i].name;
	const char *encr = enum_to_name(encryption_algorithm_names, encryption);
	const char *integ = enum_to_name(integrity_algorithm_names, integrity);
	bool aead = encryption_algorithm_is_aead(encryption);
	snprintf(refusal, refusal_size, "%s with a key of %zu bits%s%s", encr != NULL ? encr : "?",
		 8 * (key_len - (aead && key_len > SALT ? SALT : 0)),
		 integrity != AUTH_UNDEFINED ? " and " : "",
		 integrity == AUTH_UNDEFINED ? ""
		 : integ != NULL             ? integ
					     : "?");
	return NULL;
}
