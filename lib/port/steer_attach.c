/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/steer_state.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "steer.skel.h"

/* The kernel says why it refuses only in a message that libbpf prints. */
static __thread char kernel_says[128];

static int keep_message(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[512];

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	const char *text = strstr(line, "Kernel error message: ");
	if (text != NULL) {
		snprintf(kernel_says, sizeof(kernel_says), "%s",
			 text + strlen("Kernel error message: "));
		kernel_says[strcspn(kernel_says, "\n")] = '\0';
	}
	return 0;
}

static const char *reason(int err)
{
	return kernel_says[0] != '\0' ? kernel_says : strerror(-err);
}

static const char *device_name(int ifindex, char *buf)
{
	return if_indextoname((unsigned int)ifindex, buf) != NULL ? buf : "?";
}

static struct steer_bpf *load(struct steer *s, unsigned int role, struct fault *fault)
{
	struct steer_bpf *bpf = steer_bpf__open();
	struct steer_port port = {
	    .magic = STEER_MAGIC,
	    .role = role,
	    .owner_pid = (uint32_t)getpid(),
	    .owner_start = steer_start_time((uint32_t)getpid()),
	};
	uint32_t zero = 0;
	int err = bpf == NULL ? -errno : 0;

	if (err == 0)
		err = bpf_map__reuse_fd(bpf->maps.steer_v4, s->map[SHARED_V4]);
	if (err == 0)
		err = bpf_map__reuse_fd(bpf->maps.steer_v6, s->map[SHARED_V6]);
	if (err == 0)
		err = bpf_map__reuse_fd(bpf->maps.steer_local, s->map[SHARED_LOCAL]);
	if (err == 0)
		err = bpf_map__reuse_fd(bpf->maps.steer_encap, s->map[SHARED_ENCAP]);
	if (err == 0)
		err = steer_bpf__load(bpf);
	if (err == 0 &&
	    bpf_map_update_elem(bpf_map__fd(bpf->maps.steer_port), &zero, &port, BPF_ANY) != 0)
		err = -errno;
	if (err == 0)
		return bpf;
	fault_set(fault, -err, "", "cannot load the XDP program: %s", strerror(-err));
	steer_bpf__destroy(bpf);
	return NULL;
}

/* Whether what is attached may be replaced. */
static int check_found(const struct steer_found *found, int ifindex, const char *mode,
		       struct fault *fault)
{
	char dev[IF_NAMESIZE];

	device_name(ifindex, dev);
	if (!found->ours)
		return fault_set(fault, EBUSY, "device",
				 "%s has a foreign XDP program already: %s (id %u); remove it with "
				 "\"ip link set dev %s xdp off\" (xdpgeneric in generic mode)",
				 dev, found->several ? "several" : found->name, found->id, dev);
	if (steer_owner_runs(&found->port))
		return fault_set(fault, EBUSY, "device",
				 "%s is in use by the running espalier of process %u", dev,
				 found->port.owner_pid);
	if (strcmp(mode, "auto") != 0 && found->native != (strcmp(mode, "native") == 0))
		return fault_set(
		    fault, EBUSY, "xdp_mode",
		    "%s still has the %s mode program of an espalier that crashed, and "
		    "changing to %s would let traffic through in between: use auto, or "
		    "\"ip link set dev %s %s off\" first",
		    dev, found->native ? "native" : "generic", mode, dev,
		    found->native ? "xdp" : "xdpgeneric");
	return 0;
}

static int replace(struct steer_program *p, const struct steer_found *found)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = found->fd);

	p->xdp_flags = found->native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
	return bpf_xdp_attach(p->ifindex, bpf_program__fd(p->bpf->progs.xsk_def_prog),
			      p->xdp_flags | XDP_FLAGS_REPLACE, &opts);
}

static int attach_first(struct steer_program *p, const char *mode, char why[128])
{
	int prog_fd = bpf_program__fd(p->bpf->progs.xsk_def_prog);
	int err = -EOPNOTSUPP;

	if (strcmp(mode, "generic") != 0) {
		p->xdp_flags = XDP_FLAGS_DRV_MODE;
		err = bpf_xdp_attach(p->ifindex, prog_fd,
				     p->xdp_flags | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
		if (err == 0 || strcmp(mode, "native") == 0)
			return err;
		snprintf(why, sizeof(kernel_says), "%s", reason(err));
	}
	p->xdp_flags = XDP_FLAGS_SKB_MODE;
	return bpf_xdp_attach(p->ifindex, prog_fd, p->xdp_flags | XDP_FLAGS_UPDATE_IF_NOEXIST,
			      NULL);
}

static int attach(struct steer *s, struct steer_program *p, const struct steer_found *found,
		  unsigned int role, const char *mode, struct steer_attached *out,
		  struct fault *fault)
{
	char dev[IF_NAMESIZE];
	int err;

	device_name(p->ifindex, dev);
	if (found->attached) {
		err = check_found(found, p->ifindex, mode, fault);
		if (err != 0)
			return err;
		err = steer_inherit(s, found->fd);
		if (err != 0)
			return fault_set(fault, -err, "",
					 "cannot take over the steering maps left on %s: %s", dev,
					 strerror(-err));
	}
	p->bpf = load(s, role, fault);
	if (p->bpf == NULL)
		return -fault->err;
	out->taken_over = found->attached;
	err = out->taken_over ? replace(p, found) : attach_first(p, mode, out->reason);
	out->native = p->xdp_flags == XDP_FLAGS_DRV_MODE;
	if (err != 0) {
		fault_set(fault, -err, "xdp_mode", "%s takes no XDP program in %s mode: %s", dev,
			  mode, reason(err));
		steer_bpf__destroy(p->bpf);
		p->bpf = NULL;
	}
	return err;
}

int steer_attach(struct steer *s, int ifindex, unsigned int role, const char *mode,
		 struct steer_attached *out, struct fault *fault)
{
	struct steer_program *p = steer_program_find(s, 0);
	struct steer_found found;
	struct fault ignored;

	if (fault == NULL)
		fault = &ignored;
	if (p == NULL || steer_program_find(s, ifindex) != NULL)
		return fault_set(fault, p == NULL ? ENOSPC : EBUSY, "device",
				 p == NULL ? "no more than %d AF_XDP ports"
					   : "is a port already (at most %d ports)",
				 PORT_MAX);
	memset(out, 0, sizeof(*out));
	kernel_says[0] = '\0';
	libbpf_print_fn_t before = libbpf_set_print(keep_message);
	int err = steer_find(ifindex, &found);
	if (err != 0) {
		char dev[IF_NAMESIZE];

		fault_set(fault, -err, "device", "cannot ask %s for its XDP program: %s",
			  device_name(ifindex, dev), strerror(-err));
	} else {
		p->ifindex = ifindex;
		err = attach(s, p, &found, role, mode, out, fault);
		if (err != 0)
			p->ifindex = 0;
		if (found.fd >= 0)
			close(found.fd);
	}
	libbpf_set_print(before);
	return err;
}

void steer_detach(struct steer *s, int ifindex)
{
	struct steer_program *p = ifindex != 0 ? steer_program_find(s, ifindex) : NULL;

	if (p == NULL)
		return;
	/* With the old program named, a successor's is left alone. */
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts,
		    .old_prog_fd = bpf_program__fd(p->bpf->progs.xsk_def_prog));
	libbpf_print_fn_t before = libbpf_set_print(keep_message);
	bpf_xdp_detach(ifindex, p->xdp_flags | XDP_FLAGS_REPLACE, &opts);
	libbpf_set_print(before);
	steer_bpf__destroy(p->bpf);
	memset(p, 0, sizeof(*p));
}
