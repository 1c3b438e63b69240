/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESPCTL_TERMINAL_H
#define ESPALIER_ESPCTL_TERMINAL_H

#include <stdbool.h>

/*
 * The terminal as a screen: keys come one by one and unseen, the cursor is hidden,
 * and what was there before comes back at the end, however the process ends.
 */
int terminal_open(void); /* 0, or -1 where standard input or output is no terminal */
void terminal_close(void);

struct terminal_size {
	int columns, rows;
};
struct terminal_size terminal_size(void); /* 80 by 24 where there is none to ask */

/* Wait for a key: 0 after timeout_ms or where the size has changed, -1 at the end of input. */
int terminal_key(int timeout_ms);

#endif
