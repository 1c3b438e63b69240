/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_CLASS_H
#define ESPALIER_CONTROL_CLASS_H

/* What a caller may do; each method belongs to one class. */
enum control_class {
	CONTROL_READ = 1 << 0,   /* see state and counters */
	CONTROL_CHANGE = 1 << 1, /* change the gateway */
	CONTROL_KEYS = 1 << 2,   /* install key material */
	CONTROL_ALL = CONTROL_READ | CONTROL_CHANGE | CONTROL_KEYS,
};

#endif
