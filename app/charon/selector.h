/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ESPALIER_CHARON_SELECTOR_H
#define ESPALIER_CHARON_SELECTOR_H

#include "charon.h"

/* Between charon's traffic selectors and the gateway's (docs/control.md, selectors). */

/* A new object; NULL, with a log line, for what the gateway cannot match. */
json_t *selector_json(traffic_selector_t *local, traffic_selector_t *remote);

/* The gateway's array for each pair of compatible selectors; NULL as above. */
json_t *selectors_json(linked_list_t *local, linked_list_t *remote);

/* All addresses of its family, protocols and ports. */
bool selector_is_any(traffic_selector_t *ts);
/* Every pair is any-to-any: what a route-based tunnel has. */
bool selectors_are_any(linked_list_t *local, linked_list_t *remote);

/* Lower is asked first, as charon's own backends order: class, then the narrower. */
uint32_t selector_priority(traffic_selector_t *local, traffic_selector_t *remote,
			   policy_priority_t class, uint32_t manual);

/*
 * From the member `packet` of an event "acquire": what to ask the peer for. False where it
 * makes no sense; both are the caller's.
 */
bool selector_of_packet(const json_t *packet, traffic_selector_t **local,
			traffic_selector_t **remote);

#endif
