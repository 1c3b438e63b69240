/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <espalier/client.h>

/*
 * Adds a tunnel with an SA in each direction, then prints events for as long as
 * the gateway is there: cc example.c $(pkg-config --cflags --libs espalier-client)
 */
#define WAIT 5000 /* ms */

static struct espalier_error error;

static void check(int rc, const char *what)
{
	if (rc == ESPALIER_OK)
		return;
	fprintf(stderr, "%s: %s (%d)\n", what, error.message, rc);
	exit(1);
}

int main(void)
{
	/* Real keys come from IKE; the last four bytes are the salt. */
	static const uint8_t key_in[36] = {1}, key_out[36] = {2};
	struct espalier_tunnel tunnel = {.name = "paris", .keepalive = -1, .exist_ok = true};
	struct espalier_sa in = {.direction = ESPALIER_IN, .tunnel = "paris", .key = key_in};
	struct espalier_sa out = {.direction = ESPALIER_OUT, .tunnel = "paris", .key = key_out};
	struct espalier_events *events = espalier_events_open(NULL, NULL);
	struct espalier *e = espalier_open(NULL);
	json_t *event;
	int rc;

	if (e == NULL || events == NULL)
		return 1;
	espalier_session(e, "example", 60);
	tunnel.local = "203.0.113.1";
	tunnel.remote = "203.0.113.2";
	check(espalier_tunnel_add(e, &tunnel, WAIT, &error), "tunnel");
	check(espalier_spi_alloc(e, WAIT, &in.spi, &error), "SPI");
	out.spi = 0x1234; /* the peer has chosen it */
	in.key_len = out.key_len = sizeof(key_in);
	in.esn = out.esn = true;
	in.replay_window = -1;
	out.lifetime.soft_seconds = 3000;
	out.lifetime.hard_seconds = 3600;
	check(espalier_sa_add(e, &in, WAIT, &error), "inbound SA");
	check(espalier_sa_add(e, &out, WAIT, &error), "outbound SA");
	printf("tunnel paris receives on SPI 0x%08x\n", in.spi);
	do {
		fflush(stdout);
		rc = espalier_events_next(events, 12 * WAIT, &event, &error);
		if (rc == ESPALIER_OK && json_dumpf(event, stdout, JSON_COMPACT) == 0)
			puts("");
		json_decref(event);
	} while (rc == ESPALIER_OK || rc == ESPALIER_TIMEOUT);
	fprintf(stderr, "events: %s (%d)\n", error.message, rc);
	espalier_events_close(events);
	espalier_close(e);
	return 0;
}
