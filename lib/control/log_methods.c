/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "control/call.h"
#include "control/state.h"
#include "gateway/life_log.h"
#include "report/log.h"

int call_log_level(struct call *call)
{
	const char *wanted = call_text(call, "level");

	for (enum log_level l = LOG_ERROR; wanted != NULL && l <= LOG_DEBUG; l++)
		if (strcmp(log_level_name(l), wanted) == 0)
			log_set_level(l);
	call->result = json_pack("{s:s}", "level", log_level_name(log_level()));
	return 0;
}

/* A line that was cut by a crash is no JSON and left out. */
static void take_line(void *arg, const char *text, size_t len)
{
	json_t *line = json_loadb(text, len, 0, NULL);

	if (json_is_object(line))
		json_array_append(arg, line);
	json_decref(line);
}

int call_tunnel_log(struct call *call)
{
	const struct life_log *log = call->control->config.life_log;

	if (log == NULL)
		return call_fault(call, EOPNOTSUPP, "",
				  "no log of tunnels is kept (log.tunnels in the configuration)");
	json_t *items = json_array();
	int rc = life_log_read(log, call_text(call, "name"),
			       (unsigned int)call_integer(call, "limit"), take_line, items);
	if (rc != 0) {
		json_decref(items);
		return call_fault(call, -rc, "", "the log of tunnels cannot be read: %s",
				  strerror(-rc));
	}
	call->result = json_pack("{s:o}", "items", items);
	return 0;
}
