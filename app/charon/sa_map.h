/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ESPALIER_CHARON_SA_MAP_H
#define ESPALIER_CHARON_SA_MAP_H

#include "charon.h"
#include "client/espalier.h"

struct tunnel;

/*
 * The SAs that charon has installed, and the SPIs it has reserved, by destination, SPI and
 * protocol, as charon names them; it says no direction when it deletes one. Any
 * thread: what is handed out are copies, to be given back with sa_clear().
 */
struct sa {
	uint32_t spi; /* network order, as everywhere in charon */
	uint8_t protocol;
	bool inbound;
	bool installed; /* false: only the SPI is reserved */
	bool encap;
	uint32_t reqid;
	host_t *local, *remote; /* with ports */
	struct tunnel *tunnel;  /* as long as it is in the map; NULL where only reserved */
};

void sa_map_open(void);
void sa_map_close(void);

/* Takes over the hosts. Replaces what stands there under the same key, and hands that out. */
bool sa_map_put(const struct sa *sa, struct sa *replaced);
/* By destination, SPI and protocol. */
bool sa_map_get(host_t *dst, uint32_t spi, uint8_t protocol, struct sa *out);
bool sa_map_remove(host_t *dst, uint32_t spi, uint8_t protocol, struct sa *out);
/* Of a tunnel, the newest in a direction. */
bool sa_map_newest(const struct tunnel *tunnel, bool inbound, struct sa *out);
/* Reserved SPIs among them. */
size_t sa_map_count(void);
/* All installed ones; free() it after sa_clear() of each. */
struct sa *sa_map_all(size_t *n);
void sa_clear(struct sa *sa);

#endif
