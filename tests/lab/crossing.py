# SPDX-License-Identifier: BSD-3-Clause
"""
One gateway between two raw sides: `hosts`, where plaintext goes in and out, and
`peers`, where the test itself speaks ESP. Next hops are permanent neighbours, so
nothing has to answer ARP.

    hosts side                      gateway                     peers side
    10.1.i.0/24, fd00:1:i::/48 -- lan    wan -- 203.0.113.i, 2001:db8:2::i,
                                                behind them 10.2.i.0/24, fd00:2:i::/48
"""

import itertools
import struct

from . import esp, wire
from .gateway import Gateway, difference, fresh_key

LOCAL = {4: "192.0.2.1", 6: "2001:db8:f::1"}


class Peer:
    """A tunnel of the gateway and the other end of it, played by the test."""

    def __init__(self, crossing, index, outer, udp=False, esn=True, key_bits=256,
                 add=True, tunnel=None, sa_in=None, sa_out=None):
        self.crossing = crossing
        self.gateway = crossing.gateway
        self.index = index
        self.name = f"t{index}"
        self.local = LOCAL[outer]
        self.remote = f"203.0.113.{index}" if outer == 4 else f"2001:db8:2::{index:x}"
        self.udp = udp
        self.ports = (4500, 20000 + index) if udp else (0, 0)
        self.prefixes = [f"10.2.{index}.0/24", f"fd00:2:{index:x}::/48"]
        self.spi_in = 0x10000 + index
        self.spi_out = 0x20000 + index
        algorithm = f"aes{key_bits}gcm16"
        # What the gateway sends goes from `local` to `remote`.
        self.outward = esp.Outer(self.local, self.remote, *self.ports)
        self.inward = self.outward.back()
        self.seal = esp.Sa(self.spi_in, fresh_key(key_bits), esn)
        self.open = esp.Sa(self.spi_out, fresh_key(key_bits), esn)
        if not add:
            return
        more = {"esn": esn, "algorithm": algorithm}
        if udp:
            more.update(udp=True, local_port=self.ports[0], remote_port=self.ports[1])
        self.gateway.add_tunnel(self.name, self.local, self.remote, self.prefixes, **(tunnel or {}))
        self.gateway.add_sa("in", self.name, self.spi_in, self.seal.key, **{**more, **(sa_in or {})})
        self.gateway.add_sa("out", self.name, self.spi_out, self.open.key, **{**more, **(sa_out or {})})

    def host(self, family, last=2):
        return f"10.1.{self.index}.{last}" if family == 4 else f"fd00:1:{self.index:x}::{last:x}"

    def remote_host(self, family, last=2):
        return f"10.2.{self.index}.{last}" if family == 4 else f"fd00:2:{self.index:x}::{last:x}"

    def inner_out(self, family, proto=253, payload=b"", **fields):
        """A packet of a host to the remote side."""
        return wire.ip_packet(self.host(family), self.remote_host(family), proto, payload, **fields)

    def inner_in(self, family, proto=253, payload=b"", **fields):
        """A packet of the remote side to a host."""
        return wire.ip_packet(self.remote_host(family), self.host(family), proto, payload, **fields)

    def send(self, inner, seq=None, outer_fields=None, **seal):
        """Seal and send one packet to the gateway."""
        self.crossing.peers.send(self.inward.wrap(self.seal.seal(inner, seq, **seal),
                                                  **(outer_fields or {})))

    def opened(self, ip, high=0):
        """What the gateway sent us, decrypted."""
        return self.open.open(esp.split(ip)[2], high)


class Crossing:
    def __init__(self, lab, config=None, mtu=1500, queues=1, start=True):
        self.lab = lab
        self.gw = lab.namespace("gw")
        self.hosts_ns, self.peers_ns = lab.namespace("hosts"), lab.namespace("peers")
        for namespace, device in ((self.hosts_ns, "lan"), (self.peers_ns, "wan")):
            namespace.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
                          "net.ipv6.conf.default.disable_ipv6=1")
            lab.link(self.gw, device, namespace, device, mtu, queues)
        self.gw.forward()
        self.gw.address("lan", "10.0.1.1/24", "fd00:f1::1/64")
        self.gw.address("wan", "192.0.2.1/24", "2001:db8:f::1/64")
        for device, namespace, nexthops, prefixes in (
                ("lan", self.hosts_ns, ("10.0.1.2", "fd00:f1::2"), ("10.1.0.0/16", "fd00:1::/32")),
                ("wan", self.peers_ns, ("192.0.2.2", "2001:db8:f::2"), ("203.0.113.0/24", "2001:db8:2::/48"))):
            for nexthop, prefix in zip(nexthops, prefixes):
                self.gw.neighbour(device, nexthop, namespace.mac(device))
                self.gw.ip("route", "add", prefix, "via", nexthop)
        self.hosts = wire.Side(self.hosts_ns, "lan", self.gw.mac("lan"))
        self.peers = wire.Side(self.peers_ns, "wan", self.gw.mac("wan"))
        base = {"ports": [
            {"name": "lan", "device": "lan", "role": "protected", "queues": queues},
            {"name": "wan", "device": "wan", "role": "unprotected", "queues": queues}]}
        self.gateway = Gateway(self.gw, {**base, **(config or {})}, start)
        self.marks = itertools.count(1)

    def probe(self, peer, seq=None, outer_fields=None):
        """
        Send one good packet inward and wait for it. As workers keep order, all that
        was sent before has been dealt with then. Returns what else reached the hosts.
        """
        mark = struct.pack("!8sQ", b"probe   ", next(self.marks))
        peer.send(peer.inner_in(4, payload=mark), seq=seq, outer_fields=outer_fields)
        got = self.hosts.receive(seconds=5, until=lambda ip: ip[20:] == mark)
        assert got and got[-1][20:] == mark, \
            f"a good packet did not come through; drops: {self.gateway.drops()}"
        return got[:-1]

    def probe_out(self, peer):
        """The same outward. Returns what else reached the peers."""
        mark = struct.pack("!8sQ", b"probe   ", next(self.marks))
        self.hosts.send(peer.inner_out(4, payload=mark))

        def is_it(ip):
            try:
                return peer.opened(ip).inner[20:] == mark
            except (esp.InvalidTag, AssertionError, struct.error):
                return False
        got = self.peers.receive(seconds=5, until=is_it)
        assert got and is_it(got[-1]), f"a good packet did not go out; drops: {self.gateway.drops()}"
        return got[:-1]

    def drops_of(self, peer, packets, side=None):
        """
        Send `packets` (complete IP packets) on `side` (the peers'), prove that none
        of them came out anywhere, and return which drop counters moved by how much.
        """
        side = side or self.peers
        self.hosts.drain()
        self.peers.drain()
        before = self.gateway.drops()
        for start in range(0, len(packets), 64):
            side.send(*packets[start:start + 64])
            leaked = self.probe(peer)
            assert leaked == [], f"came through: {[ip.hex() for ip in leaked[:3]]}"
        leaked = self.probe_out(peer)
        assert leaked == [], f"was sent: {[ip.hex() for ip in leaked[:3]]}"
        self.gateway.at_rest()
        return difference(before, self.gateway.drops())
