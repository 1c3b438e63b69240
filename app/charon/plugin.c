/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "charon.h"

#include "client/espalier.h"
#include "ipsec.h"
#include "names.h"
#include "reasons.h"

/*
 * libstrongswan-kernel-espalier: charon negotiates, espalierd carries the traffic. Load it
 * as "kernel-espalier!", before kernel-netlink, which keeps addresses and routes.
 */
plugin_t *kernel_espalier_plugin_create(void);

static char *get_name(plugin_t *this)
{
	return "kernel-espalier";
}

static bool listeners(plugin_t *plugin, plugin_feature_t *feature, bool on, void *data)
{
	if (on) {
		charon->bus->add_listener(charon->bus, names_listener());
		charon->bus->add_listener(charon->bus, reasons_listener());
	} else {
		charon->bus->remove_listener(charon->bus, names_listener());
		charon->bus->remove_listener(charon->bus, reasons_listener());
	}
	return true;
}

static int get_features(plugin_t *this, plugin_feature_t *features[])
{
	static plugin_feature_t list[] = {
	    PLUGIN_CALLBACK(kernel_ipsec_register, ipsec_create),
	    PLUGIN_PROVIDE(CUSTOM, "kernel-ipsec"),
	    PLUGIN_CALLBACK(listeners, NULL),
	    PLUGIN_PROVIDE(CUSTOM, "kernel-espalier-listeners"),
	};

	*features = list;
	return countof(list);
}

static void destroy(plugin_t *this)
{
	reasons_close();
	free(this);
}

__attribute__((visibility("default"))) plugin_t *kernel_espalier_plugin_create(void)
{
	plugin_t *this;

	/* Keys pass through JSON values. */
	espalier_wipe_json();
	reasons_open();
	INIT(this, .get_name = get_name, .get_features = get_features, .destroy = destroy, );
	return this;
}
