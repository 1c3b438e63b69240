/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/port_state.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int ask(const char *name, unsigned long request, struct ifreq *ifr)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return -errno;
	if (strlen(name) >= IFNAMSIZ) {
		close(sock);
		return -ENODEV;
	}
	memset(ifr->ifr_name, 0, sizeof(ifr->ifr_name));
	memcpy(ifr->ifr_name, name, strlen(name));
	int err = ioctl(sock, request, ifr) == 0 ? 0 : -errno;
	close(sock);
	return err;
}

int netdev_channels(const char *name, struct netdev_channels *out)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq ifr = {.ifr_data = (char *)&channels};
	int err = ask(name, SIOCETHTOOL, &ifr);

	memset(out, 0, sizeof(*out));
	if (err == -EOPNOTSUPP) {
		*out = (struct netdev_channels){.rx = 1, .tx = 1, .rx_max = 1};
		return 0;
	}
	if (err != 0)
		return err;
	out->rx = channels.combined_count + channels.rx_count;
	out->tx = channels.combined_count + channels.tx_count;
	out->combined = channels.max_combined > 0;
	out->rx_max = out->combined ? channels.max_combined : channels.max_rx;
	return 0;
}

int netdev_mtu(const char *name, uint16_t *mtu)
{
	struct ifreq ifr = {0};
	int err = ask(name, SIOCGIFMTU, &ifr);

	if (err == 0)
		*mtu = (uint16_t)RTE_MIN(ifr.ifr_mtu, UINT16_MAX);
	return err;
}

int netdev_set_mtu(const char *name, uint16_t mtu)
{
	struct ifreq ifr = {.ifr_mtu = mtu};

	return ask(name, SIOCSIFMTU, &ifr);
}

bool netdev_link(const char *name)
{
	struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
	struct ifreq ifr = {0};

	if (ask(name, SIOCGIFFLAGS, &ifr) != 0 || !(ifr.ifr_flags & IFF_UP))
		return false;
	/* IFF_RUNNING lags behind the carrier by up to a second. */
	bool running = ifr.ifr_flags & IFF_RUNNING;
	ifr.ifr_data = (char *)&link;
	return ask(name, SIOCETHTOOL, &ifr) == 0 ? link.data != 0 : running;
}

int netdev_set_up(const char *name)
{
	struct ifreq ifr = {0};
	int err = ask(name, SIOCGIFFLAGS, &ifr);

	if (err != 0 || (ifr.ifr_flags & IFF_UP))
		return err;
	ifr.ifr_flags |= IFF_UP;
	return ask(name, SIOCSIFFLAGS, &ifr);
}
