/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/secret.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t digits_at(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && isxdigit((unsigned char)text[n]))
		n++;
	return n;
}

static size_t measure(const char *text, size_t len, size_t *bytes)
{
	size_t count = 0;

	*bytes = 0;
	for (size_t i = 0, run; i < len; i += run == 0 ? 1 : run) {
		run = digits_at(text + i, len - i);
		if (run < SECRET_MIN)
			continue;
		count++;
		*bytes += run;
	}
	return count;
}

/* The number in base 16 with the digits g … v, lowest first, filled up with g. */
static void stand_in(char *text, size_t len, size_t number)
{
	for (size_t i = 0; i < len; i++, number >>= 4)
		text[i] = (char)('g' + (number & 15));
}

static int stand_in_number(const char *text, size_t len, size_t *number)
{
	*number = 0;
	for (size_t i = len; i-- > 0;) {
		if (text[i] < 'g' || text[i] > 'v' || *number > SIZE_MAX >> 4)
			return -EINVAL;
		*number = *number << 4 | (size_t)(text[i] - 'g');
	}
	return 0;
}

int secrets_hide(struct secrets *s, char *text, size_t len)
{
	size_t bytes;
	size_t count = measure(text, len, &bytes);

	memset(s, 0, sizeof(*s));
	if (count == 0)
		return 0;
	s->secret = calloc(count, sizeof(*s->secret));
	s->store = malloc(bytes);
	if (s->secret == NULL || s->store == NULL) {
		secrets_free(s);
		return -ENOMEM;
	}
	for (size_t i = 0, run; i < len; i += run == 0 ? 1 : run) {
		run = digits_at(text + i, len - i);
		if (run < SECRET_MIN)
			continue;
		char *digits = s->store + s->store_size;
		memcpy(digits, text + i, run);
		s->store_size += run;
		s->secret[s->count] = (struct secret){.digits = digits, .len = run};
		stand_in(text + i, run, s->count++);
	}
	return 0;
}

static uint8_t nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

int secrets_read(const struct secrets *s, const char *text, uint8_t *out, size_t max)
{
	size_t len = strlen(text), number;

	if (len < SECRET_MIN || len % 2 != 0 || len / 2 > max ||
	    stand_in_number(text, len, &number) != 0 || number >= s->count ||
	    s->secret[number].len != len)
		return -EINVAL;
	const char *digits = s->secret[number].digits;
	for (size_t i = 0; i < len / 2; i++)
		out[i] = (uint8_t)(nibble(digits[2 * i]) << 4 | nibble(digits[2 * i + 1]));
	return (int)(len / 2);
}

void secrets_free(struct secrets *s)
{
	if (s->store != NULL)
		explicit_bzero(s->store, s->store_size);
	free(s->store);
	free(s->secret);
	memset(s, 0, sizeof(*s));
}
