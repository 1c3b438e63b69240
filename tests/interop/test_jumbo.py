# SPDX-License-Identifier: BSD-3-Clause
"""
Packets of up to 9000 bytes over net_pcap ports on veth, with buffers of 2 KB: the
datapath seals and opens across the segments of a chain.
"""

import itertools

import pytest
from lab import wire
from lab.crossing import LOCAL, Crossing, Peer

SIZES = [0, 100, 1400, 1900, 1985, 2000, 2047, 2048, 2049, 3000, 4095, 4096, 4097, 6000, 8000, 8191, 8192, 8800]


class JumboCrossing(Crossing):
    """The same two sides; the kernel knows nothing, so addresses and neighbours are in the file."""

    def __init__(self, lab):
        super().__init__(lab, mtu=9216, start=False)
        for device in ("lan", "wan"):
            self.gw.ip("address", "flush", "dev", device)
            for family in ("-4", "-6"):
                self.gw.ip(family, "route", "flush", "dev", device)
        self.gw.forward(False)
        self.gateway.config["ports"] = [
            {"name": name, "device": f"net_pcap{n},rx_iface_in={name},tx_iface={name}", "role": role,
             "mtu": 9000, "mirror": "no", "addresses": addresses}
            for n, (name, role, addresses) in enumerate((
                ("lan", "protected", ["10.0.1.1/24", "fd00:f1::1/64"]),
                ("wan", "unprotected", [LOCAL[4] + "/24", LOCAL[6] + "/64"])))]
        lan, wan = self.hosts_ns.mac("lan"), self.peers_ns.mac("wan")
        self.gateway.config["neighbours"] = [
            {"port": "lan", "address": "10.0.1.2", "mac": lan}, {"port": "lan", "address": "fd00:f1::2", "mac": lan},
            {"port": "wan", "address": "192.0.2.2", "mac": wan}, {"port": "wan", "address": "2001:db8:f::2", "mac": wan}]
        self.gateway.config["routes"] = [
            {"port": "lan", "prefix": "10.1.0.0/16", "via": "10.0.1.2"},
            {"port": "lan", "prefix": "fd00:1::/32", "via": "fd00:f1::2"},
            {"port": "wan", "prefix": "203.0.113.0/24", "via": "192.0.2.2"},
            {"port": "wan", "prefix": "2001:db8:2::/48", "via": "2001:db8:f::2"}]
        self.gateway.start()
        ports = {port["name"]: port for port in self.gateway.call("port.list")["items"]}
        # Frames have to carry the port's own address.
        self.hosts.to = bytes.fromhex(ports["lan"]["mac"].replace(":", ""))
        self.peers.to = bytes.fromhex(ports["wan"]["mac"].replace(":", ""))


@pytest.fixture(scope="module")
def jumbo(module_lab):
    return JumboCrossing(module_lab)


@pytest.mark.parametrize("outer, udp", itertools.product((4, 6), (False, True)))
@pytest.mark.parametrize("inner", (4, 6))
def test_jumbo_both_ways(jumbo, peer_number, outer, udp, inner):
    peer = Peer(jumbo, peer_number(), outer, udp)
    limit = 9000 - (20 if outer == 4 else 40) - (8 if udp else 0) - 34 - (20 if inner == 4 else 40)
    for size in [size for size in SIZES if size <= limit - 4]:
        payload = (bytes(range(251)) * 40)[:size]
        packet = peer.inner_out(inner, payload=payload)
        jumbo.hosts.send(packet)
        ip, = jumbo.peers.receive(1) or [None]
        assert ip, f"{size}: {jumbo.gateway.drops()}"
        opened = peer.opened(ip)
        assert opened.inner == wire.forwarded(packet), size
        assert opened.padding == bytes(range(1, len(opened.padding) + 1))

        packet = peer.inner_in(inner, payload=payload)
        peer.send(packet)
        assert jumbo.hosts.receive(1) == [wire.forwarded(packet)], (size, jumbo.gateway.drops())


def test_damage_in_any_segment_fails_the_icv(jumbo, peer_number):
    peer = Peer(jumbo, peer_number(), 4)
    esp = peer.seal.seal(peer.inner_in(4, payload=bytes(7000)))
    bad = []
    for at in (8, 16, 1000, 2030, 2100, 4000, 6500, len(esp) - 17, len(esp) - 16, len(esp) - 1):
        bad.append(peer.inward.wrap(esp[:at] + bytes([esp[at] ^ 1]) + esp[at + 1:]))
    assert jumbo.drops_of(peer, bad) == {"esp_icv": len(bad)}


def test_jumbo_cut_short(jumbo, peer_number):
    peer = Peer(jumbo, peer_number(), 4)
    esp = peer.seal.seal(peer.inner_in(4, payload=bytes(7000)))
    cut = [esp[:size] for size in range(4, len(esp), 97)]
    short = [one for one in cut if len(one) < 36 or len(one) % 4]
    assert jumbo.drops_of(peer, [peer.inward.wrap(one) for one in cut]) == \
        {"esp_short": len(short), "esp_icv": len(cut) - len(short)}


def test_tfc_padding_over_several_segments(jumbo, peer_number):
    peer = Peer(jumbo, peer_number(), 4)
    packet = peer.inner_in(4, payload=b"small in a large envelope")
    for tfc in (2000, 4000, 8000):
        peer.send(packet, tfc=tfc)
        assert jumbo.hosts.receive(1) == [wire.forwarded(packet)], jumbo.gateway.drops()
