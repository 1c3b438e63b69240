/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESP_WATCH_SOURCE_H
#define ESPALIER_ESP_WATCH_SOURCE_H

#include "esp/esp.h"

/*
 * RFC 7296 2.23: an authentic packet, accepted as the newest of its SA, tells where
 * the peer is. From another address or port than the SA expects: NOTICE_MAPPING,
 * once for each such place. Not for an SA without a window, to which anybody may
 * send an old packet again.
 */
void watch_source(const struct packet *p, const struct esp_watch *watch);

#endif
