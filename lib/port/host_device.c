/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/host_state.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "report/log.h"

/* /proc/sys/net is that of the namespace of whoever opens it. */
static int sysctl_write(const char *family, const char *dev, const char *key, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, dev, key);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int err = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static int sysctl_read(const char *family, const char *dev, const char *key)
{
	char path[128], value[16] = "";

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, dev, key);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t n = read(fd, value, sizeof(value) - 1);
	close(fd);
	return n > 0 && value[0] >= '0' && value[0] <= '9' ? value[0] - '0' : -1;
}

static void quieten(const char *dev)
{
	static _Atomic bool said;
	int err = sysctl_write("ipv4", dev, "rp_filter", "0");

	if (err != 0)
		log_warning("%s: cannot turn rp_filter off: %s", dev, strerror(-err));
	if (sysctl_read("ipv4", "all", "rp_filter") == 1 && !atomic_exchange(&said, true))
		log_warning(
		    "net.ipv4.conf.all.rp_filter is 1: the kernel drops tunnel traffic whose "
		    "way back leads elsewhere; 0 or 2 is right for a gateway");
	/* 1 is "none": no link-local address, so no solicitation is ever sent. */
	err = sysctl_write("ipv6", dev, "addr_gen_mode", "1");
	if (err != 0 && err != -ENOENT)
		log_warning("%s: cannot turn IPv6 link-local addresses off: %s", dev,
			    strerror(-err));
	sysctl_write("ipv6", dev, "accept_ra", "0");
	sysctl_write("ipv6", dev, "router_solicitations", "0");
}

/*
 * On a multicast device of a router the kernel joins the all-routers group and
 * reports that by MLD, into the tunnel. It decides so when it sets up IPv6, which
 * it does anew when the MTU comes back from below IPv6's minimum.
 */
static void leave_multicast(const struct host_device *d, int sock)
{
	struct ifreq ifr = {0};

	host_device_set_mtu(d, 576);
	memcpy(ifr.ifr_name, d->name, sizeof(ifr.ifr_name));
	if (ioctl(sock, SIOCGIFFLAGS, &ifr) == 0) {
		ifr.ifr_flags &= ~IFF_MULTICAST;
		ioctl(sock, SIOCSIFFLAGS, &ifr);
	}
}

static int create(struct host_device *d, struct fault *fault)
{
	struct ifreq ifr = {.ifr_flags = IFF_NO_PI | IFF_TUN_EXCL};
	size_t len = strlen(d->name);

	if (len == 0 || strchr(d->name, '%') != NULL)
		return fault_set(fault, EINVAL, "device",
				 "\"%s\" is no device name: 1 to %d characters, none of them %%",
				 d->name, IFNAMSIZ - 1);
	ifr.ifr_flags |= d->tap ? IFF_TAP : IFF_TUN;
	memcpy(ifr.ifr_name, d->name, len + 1);

	d->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (d->fd < 0)
		return fault_set(fault, errno, "device",
				 "cannot open /dev/net/tun: %s; try \"modprobe tun\"",
				 strerror(errno));
	if (ioctl(d->fd, TUNSETIFF, &ifr) == 0)
		return 0;
	/* EBUSY: a tun or tap device has the name; EINVAL: another device, or a bad name. */
	int err = errno;
	if (if_nametoindex(d->name) != 0)
		err = EEXIST;
	fault_set(fault, err, "device", "cannot make the %s device \"%s\": %s",
		  d->tap ? "tap" : "tun", d->name,
		  err == EEXIST ? "a device of that name exists already" : strerror(err));
	close(d->fd);
	return -err;
}

static int configure(struct host_device *d, int sock, const uint8_t *mac, uint16_t mtu,
		     struct fault *fault)
{
	struct ifreq ifr = {0};

	memcpy(ifr.ifr_name, d->name, sizeof(ifr.ifr_name));
	if (mac != NULL) {
		ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
		memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
		if (ioctl(sock, SIOCSIFHWADDR, &ifr) != 0)
			return fault_set(fault, errno, "device",
					 "cannot set the MAC address of %s: %s", d->name,
					 strerror(errno));
	}
	if (!d->tap)
		leave_multicast(d, sock);
	int err = host_device_set_mtu(d, mtu);
	if (err != 0)
		return fault_set(fault, -err, "mtu", "%s does not take an MTU of %u: %s", d->name,
				 mtu, strerror(-err));
	if (!d->tap)
		quieten(d->name);

	memcpy(ifr.ifr_name, d->name, sizeof(ifr.ifr_name));
	if (ioctl(sock, SIOCGIFFLAGS, &ifr) == 0) {
		ifr.ifr_flags |= IFF_UP;
		if (ioctl(sock, SIOCSIFFLAGS, &ifr) == 0)
			return 0;
	}
	return fault_set(fault, errno, "device", "cannot bring %s up: %s", d->name,
			 strerror(errno));
}

int host_device_set_mtu(const struct host_device *d, uint16_t mtu)
{
	struct ifreq ifr = {.ifr_mtu = mtu};
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return -errno;
	memcpy(ifr.ifr_name, d->name, sizeof(ifr.ifr_name));
	int err = ioctl(sock, SIOCSIFMTU, &ifr) == 0 ? 0 : -errno;
	close(sock);
	return err;
}

int host_device_make(struct host_device *d, const uint8_t *mac, uint16_t mtu, struct fault *fault)
{
	int err = create(d, fault);

	if (err != 0)
		return err;
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		err = fault_set(fault, errno, "device", "no socket: %s", strerror(errno));
	else
		err = configure(d, sock, mac, mtu, fault);
	if (sock >= 0)
		close(sock);
	if (err != 0) {
		close(d->fd);
		return err;
	}
	d->ifindex = (int)if_nametoindex(d->name);
	return 0;
}
