/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESP_FAILURE_H
#define ESPALIER_ESP_FAILURE_H

#include "esp/esp.h"

/*
 * A replayed, late or forged packet: FAILURE_BURST of them for one SA within a
 * second raise NOTICE_FAILURES, once in that second. What is not authentic changes
 * these two words and its counter of drops, nothing else.
 */
#define FAILURE_BURST 16

void failure_count(struct sa_in *sa, enum drop_reason reason, const struct esp_watch *watch);

#endif
