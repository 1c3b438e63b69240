/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "control/claim.h"
#include "control/sa_find.h"
#include "control/view.h"
#include "gateway/provision.h"

int call_spi_alloc(struct call *call)
{
	uint32_t spi = spi_alloc(call->g->sadb);

	if (spi == 0)
		return call_fault(call, ENOSPC, "",
				  "no SPI is left to be reserved: as many as "
				  "the limit of SAs wait for their sa.add");
	int rc = claim_spi(call, spi);
	if (rc != 0) {
		spi_release(call->g->sadb, spi);
		return call_fault(call, -rc, "", "no memory for another SPI");
	}
	call->result = json_pack("{s:I}", "spi", (json_int_t)spi);
	return 0;
}

int call_spi_release(struct call *call)
{
	uint32_t spi = (uint32_t)call_integer(call, "spi");
	int rc = spi_release(call->g->sadb, spi);

	if (rc != 0 && !call_boolean(call, "missing_ok"))
		return call_fault(call, ENOENT, "spi", "0x%08x is not reserved", spi);
	unclaim_spi(call, spi);
	call->result = json_pack("{s:b}", "released", rc == 0);
	return 0;
}

int call_sa_get(struct call *call)
{
	struct sa *sa = call_sa(call);

	if (sa == NULL)
		return -call->error.fault.err;
	call->result = sa_view(call->control, sa);
	return 0;
}

int call_sa_query(struct call *call)
{
	const struct sa *sa = call_sa(call);
	struct sa_counters c;

	if (sa == NULL)
		return -call->error.fault.err;
	sa_counters(sa, &c);
	call->result =
	    json_pack("{s:I, s:I}", "packets", (json_int_t)c.packets, "bytes", (json_int_t)c.bytes);
	if (c.last_used_tsc != 0)
		json_object_set_new(call->result, "last_used_ms",
				    json_integer(call_monotonic_ms(c.last_used_tsc)));
	return 0;
}

int call_sa_delete(struct call *call)
{
	struct sa *sa = call_sa(call);

	if (sa == NULL && !(call->error.fault.err == ENOENT && call_boolean(call, "missing_ok")))
		return -call->error.fault.err;
	if (sa != NULL)
		gateway_sa_delete(call->g, sa, call_text(call, "reason"));
	call->result = json_pack("{s:b}", "deleted", sa != NULL);
	return 0;
}

/* The parameters `remote` and `local` say which SA it is; the new ones are named new_. */
static void rename_field(struct fault *fault)
{
	if (strcmp(fault->where, "local") == 0 || strcmp(fault->where, "remote") == 0) {
		memmove(fault->where + 4, fault->where, sizeof("remote"));
		memcpy(fault->where, "new_", 4);
	}
}

int call_sa_update(struct call *call)
{
	struct sa *sa = call_sa(call);

	if (sa == NULL)
		return -call->error.fault.err;
	struct sa_update update = {
	    .set_local = call_has(call, "new_local"),
	    .set_remote = call_has(call, "new_remote"),
	    .set_udp = call_has(call, "udp"),
	    .set_ports = call_has(call, "local_port") || call_has(call, "remote_port"),
	    .udp = call_boolean(call, "udp"),
	    .local = call_address(call, "new_local"),
	    .remote = call_address(call, "new_remote"),
	    .local_port = sa->spec.local_port,
	    .remote_port = sa->spec.remote_port,
	};
	/* From protocol 50 to UDP: the ports of NAT-T unless others are given. */
	if (update.set_udp && update.udp && !sa->spec.udp) {
		update.set_ports = true;
		update.local_port = update.remote_port = 4500;
	}
	if (call_has(call, "local_port"))
		update.local_port = (uint16_t)call_integer(call, "local_port");
	if (call_has(call, "remote_port"))
		update.remote_port = (uint16_t)call_integer(call, "remote_port");
	if (!update.set_local && !update.set_remote && !update.set_udp && !update.set_ports)
		return call_fault(call, EINVAL, "",
				  "nothing to update: give new_local, "
				  "new_remote, udp, local_port or remote_port");
	/* Nothing else in the answer would tell that they were of no use. */
	if (update.set_ports && !(update.set_udp ? update.udp : sa->spec.udp))
		return call_fault(call, EINVAL,
				  call_has(call, "local_port") ? "local_port" : "remote_port",
				  "a port is for ESP in UDP, which this SA does not send; give udp "
				  "as true, too");
	int rc = gateway_sa_update(call->g, sa, &update, &call->error.fault);
	if (rc != 0) {
		rename_field(&call->error.fault);
		return rc;
	}
	claim_sa(call, sa, false);
	call->result = sa_view(call->control, sa);
	return 0;
}
