/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_EVENT_VIEW_H
#define ESPALIER_CONTROL_EVENT_VIEW_H

#include <jansson.h>

#include "gateway/event.h"

/* The members of an event besides event_common, as event_table says. A new reference. */
json_t *event_view(const struct event *e);

#endif
