/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>

#include "esp/watch_source.h"
#include "packet/bytes.h"
#include "sa/sa.h"
#include "sa/source.h"

static uint16_t udp_source_port(const struct packet *p)
{
	return p->proto == IPPROTO_UDP ? load_be16(p->ip + p->l4_off) : 0;
}

/* Told once for each new source, and no more than once a second whatever comes. */
static void tell(struct sa_in *sa, const struct packet *p, uint64_t tag,
		 const struct esp_watch *watch)
{
	if (tag == sa->source_told || watch->now - sa->source_told_tsc < watch->hz)
		return;
	struct notice n = {.kind = NOTICE_MAPPING,
			   .direction = SA_INBOUND,
			   .slot = sa->marks.slot,
			   .serial = sa->marks.serial,
			   .source = {.address = ip_addr_from(p->family, packet_source(p)),
				      .port = udp_source_port(p)}};
	if (notice_put(watch->notices, &n)) {
		sa->source_told = tag;
		sa->source_told_tsc = watch->now;
	}
}

void watch_source(const struct packet *p, const struct esp_watch *watch)
{
	struct sa_in *sa = p->in;

	if (p->seq != sa->top || unlikely(sa->window_size == 0))
		return;
	uint64_t tag = sa_source_tag(p->family, packet_source(p), udp_source_port(p));
	uint64_t known = atomic_load_explicit(&sa->source, memory_order_relaxed);
	if (unlikely(!sa_source_equal(tag, known)))
		tell(sa, p, tag, watch);
	else if (unlikely(sa->source_told != 0))
		sa->source_told = 0;
}
