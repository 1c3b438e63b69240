/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONFIG_SECRET_H
#define ESPALIER_CONFIG_SECRET_H

#include <stddef.h>
#include <stdint.h>

/*
 * Keys are taken out of the file's text before libyaml sees it, since libyaml
 * copies what it reads and neither wipes nor owns up to it in its messages.
 * Every run of 32 hexadecimal digits and more becomes a stand-in of equal
 * length, made of the letters g to v, which numbers it.
 */
#define SECRET_MIN 32

struct secrets {
	size_t count;
	struct secret {
		const char *digits; /* in `store` */
		size_t len;
	} * secret;
	char *store;
	size_t store_size;
};

/* Replace in place. 0 or -ENOMEM. */
int secrets_hide(struct secrets *s, char *text, size_t len);

/*
 * The bytes behind a stand-in into out: how many, or -EINVAL where `text` is no
 * stand-in, has an odd number of digits or more than `max` bytes.
 */
int secrets_read(const struct secrets *s, const char *text, uint8_t *out, size_t max);

/* Wipes the digits. */
void secrets_free(struct secrets *s);

#endif
