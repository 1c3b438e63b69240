# SPDX-License-Identifier: BSD-3-Clause
"""DSCP, ECN (RFC 6040), DF, TTL and UDP checksum of the outer header, and of the inner one after it."""

import pytest
from lab import wire
from lab.crossing import Peer
from lab.esp import split

FAMILIES = [(4, 4), (4, 6), (6, 4), (6, 6)]
NOT_ECT, ECT1, ECT0, CE = range(4)


def tos_of(ip):
    return ip[1] if ip[0] >> 4 == 4 else (ip[0] << 4 | ip[1] >> 4) & 0xFF


@pytest.mark.parametrize("inner, outer", FAMILIES)
def test_dscp_and_ecn_are_copied_out(crossing, peer_number, inner, outer):
    peer = Peer(crossing, peer_number(), outer, udp=outer == 6)
    for tos in range(256):
        crossing.hosts.send(peer.inner_out(inner, tos=tos))
    got = crossing.peers.receive(256)
    assert [tos_of(ip) for ip in got] == list(range(256))
    assert [tos_of(peer.opened(ip).inner) for ip in got] == list(range(256))


@pytest.mark.parametrize("inner, outer", FAMILIES)
def test_dscp_can_be_set_while_ecn_is_copied(crossing, peer_number, inner, outer):
    peer = Peer(crossing, peer_number(), outer, sa_out={"dscp": 46})
    tos = [dscp << 2 | ecn for dscp in (0, 8, 46, 63) for ecn in range(4)]
    crossing.hosts.send(*(peer.inner_out(inner, tos=one) for one in tos))
    got = crossing.peers.receive(len(tos))
    assert [tos_of(ip) for ip in got] == [46 << 2 | one & 3 for one in tos]
    assert [tos_of(peer.opened(ip).inner) for ip in got] == tos


# RFC 6040 4.2, figure 4: (inner, outer) to what leaves; None: dropped.
DECAPSULATED = {
    (NOT_ECT, NOT_ECT): NOT_ECT, (NOT_ECT, ECT0): NOT_ECT, (NOT_ECT, ECT1): NOT_ECT, (NOT_ECT, CE): None,
    (ECT0, NOT_ECT): ECT0, (ECT0, ECT0): ECT0, (ECT0, ECT1): ECT1, (ECT0, CE): CE,
    (ECT1, NOT_ECT): ECT1, (ECT1, ECT0): ECT1, (ECT1, ECT1): ECT1, (ECT1, CE): CE,
    (CE, NOT_ECT): CE, (CE, ECT0): CE, (CE, ECT1): CE, (CE, CE): CE,
}


@pytest.mark.parametrize("inner, outer", FAMILIES)
def test_ecn_on_the_way_in(crossing, peer_number, inner, outer):
    peer = Peer(crossing, peer_number(), outer, udp=outer == 4)
    before = crossing.gateway.drops().get("esp_ecn", 0)
    expected = []
    for (inner_ecn, outer_ecn), leaves in DECAPSULATED.items():
        # The outer DSCP never reaches the inner header.
        packet = peer.inner_in(inner, tos=10 << 2 | inner_ecn, payload=bytes([inner_ecn, outer_ecn]))
        peer.send(packet, outer_fields={"tos": 46 << 2 | outer_ecn})
        if leaves is not None:
            expected.append(wire.forwarded(wire.retos(packet, 10 << 2 | leaves)))
    assert crossing.hosts.receive(len(expected)) == expected
    assert crossing.probe(peer) == []
    assert crossing.gateway.drops()["esp_ecn"] == before + 1
    assert crossing.gateway.sa("in", peer.spi_in)["counters"]["ecn"] == 1


@pytest.mark.parametrize("rule, expected", [("copy", [False, True]), ("set", [True, True]), ("clear", [False, False])])
def test_df_of_inner_ipv4(crossing, peer_number, rule, expected):
    peer = Peer(crossing, peer_number(), 4, sa_out={"df": rule})
    crossing.hosts.send(peer.inner_out(4, df=False), peer.inner_out(4, df=True))
    got = crossing.peers.receive(2)
    assert [bool(split(ip)[0][6] & 0x40) for ip in got] == expected
    assert [bool(peer.opened(ip).inner[6] & 0x40) for ip in got] == [False, True], "the inner one stays"


@pytest.mark.parametrize("rule, expected", [("set", True), ("clear", False)])
def test_df_of_inner_ipv6_follows_the_rule(crossing, peer_number, rule, expected):
    peer = Peer(crossing, peer_number(), 4, sa_out={"df": rule})
    crossing.hosts.send(peer.inner_out(6))
    ip, = crossing.peers.receive(1)
    assert bool(split(ip)[0][6] & 0x40) == expected


@pytest.mark.parametrize("outer", (4, 6))
def test_outer_ttl_can_be_set(crossing, peer_number, outer):
    peer = Peer(crossing, peer_number(), outer, sa_out={"ttl": 200})
    crossing.hosts.send(peer.inner_out(4, ttl=3))
    ip, = crossing.peers.receive(1)
    assert split(ip)[0][8 if outer == 4 else 7] == 200


@pytest.mark.parametrize("inner", (4, 6))
def test_ttl_ends_here_and_the_sender_is_told(crossing, peer_number, inner):
    peer = Peer(crossing, peer_number(), 4)
    before = crossing.gateway.drops().get("ttl_expired", 0)
    packet = peer.inner_out(inner, payload=b"near the end", ttl=1)
    crossing.hosts.send(packet)
    error, = crossing.hosts.receive(1)
    header = 20 if inner == 4 else 40
    assert error[header:header + 2] == (b"\x0b\x00" if inner == 4 else b"\x03\x00"), "time exceeded"
    assert packet[:header] in error or wire.forwarded(packet)[:8] in error
    assert crossing.probe_out(peer) == []
    assert crossing.gateway.drops()["ttl_expired"] == before + 1


def test_ipv4_identification_differs_where_fragmentation_is_allowed(crossing, peer_number):
    """RFC 6864 4.1: only packets that cannot be fragmented may share an identification."""
    peer = Peer(crossing, peer_number(), 4, sa_out={"df": "clear"})
    crossing.hosts.send(*(peer.inner_out(4, payload=bytes(n)) for n in range(64)))
    got = crossing.peers.receive(64)
    assert len({ip[4:6] for ip in got}) == 64
