/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sa/spi_table.h"

#define SPIS 100000

/* Against a plain array: what was put in is found, what was taken out is not. */
static void finds_what_is_there(void **state)
{
	(void)state;
	struct spi_table *t = spi_table_create(64);
	static bool there[SPIS];

	srand(4);
	for (int i = 0; i < 400000; i++) {
		uint32_t slot = (uint32_t)rand() % SPIS;
		uint32_t spi = 256 + slot * 40961; /* unlike a random SPI: a regular pattern */

		assert_int_equal(spi_table_find(t, spi), there[slot] ? slot : SPI_NO_SLOT);
		if (there[slot]) {
			spi_table_remove(t, spi, slot);
		} else {
			while (!spi_table_insert(t, spi, slot)) {
				struct spi_table *larger = spi_table_grow(t);
				spi_table_destroy(t);
				t = larger;
			}
		}
		there[slot] = !there[slot];
	}
	for (uint32_t slot = 0; slot < SPIS; slot++) {
		assert_int_equal(spi_table_find(t, 256 + slot * 40961),
				 there[slot] ? slot : SPI_NO_SLOT);
	}
	spi_table_destroy(t);
}

/* One SPI many times over, as outbound SPIs chosen by many peers may be. */
static void holds_equal_spis(void **state)
{
	(void)state;
	struct spi_table *t = spi_table_create(64);
	uint32_t slots[64];

	for (uint32_t i = 0; i < 20; i++)
		assert_true(spi_table_insert(t, 0x1000, i));
	assert_int_equal(spi_table_find_all(t, 0x1000, slots, 64), 20);
	spi_table_remove(t, 0x1000, 7);
	unsigned int n = spi_table_find_all(t, 0x1000, slots, 64);
	assert_int_equal(n, 19);
	for (unsigned int i = 0; i < n; i++)
		assert_int_not_equal(slots[i], 7);
	spi_table_destroy(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_what_is_there),
	    cmocka_unit_test(holds_equal_spis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
