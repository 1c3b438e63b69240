/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "control/claim.h"
#include "control/sa_find.h"
#include "control/sa_read.h"
#include "gateway/provision.h"

static int add(struct call *call, const struct sa_spec *spec)
{
	struct sa *sa = NULL;
	int rc = gateway_sa_add(call->g, spec, &sa, &call->error.fault);
	bool created = rc == 0;

	if (rc == -EEXIST && call_boolean(call, "exist_ok")) {
		sa = find_same(call, spec);
		rc = sa != NULL ? 0 : rc;
	}
	if (rc != 0)
		return rc;
	claim_sa(call, sa, created);
	call->result = json_pack("{s:b, s:s, s:I, s:i}", "created", (int)created, "direction",
				 call_text(call, "direction"), "spi", (json_int_t)sa->spi, "worker",
				 (int)sa->owner);
	return 0;
}

int call_sa_add(struct call *call)
{
	struct selector selectors[SA_SELECTORS_MAX];
	struct sa_reading r;

	sa_read_begin(&r);
	int rc = sa_read_object(&r, call->g, call->params, selectors, &call->error.fault);
	if (rc == 0)
		rc = sa_read_finish(&r, &call->error.fault);
	if (rc == 0)
		rc = add(call, &r.spec);
	explicit_bzero(&r, sizeof(r));
	return rc;
}
