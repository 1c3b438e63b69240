# SPDX-License-Identifier: BSD-3-Clause
"""The reference ESP of these tests against scapy: neither is believed alone."""

import itertools

import pytest
from lab import esp, scapy_peer, wire
from lab.gateway import fresh_key

CASES = list(itertools.product((4, 6), (4, 6), (False, True), (False, True)))


@pytest.mark.parametrize("inner, outer, udp, esn", CASES)
def test_scapy_opens_what_the_reference_seals_and_back(inner, outer, udp, esn):
    hosts = {4: ("10.1.0.2", "10.2.0.2"), 6: ("fd00:1::2", "fd00:2::2")}[inner]
    ends = {4: ("192.0.2.1", "203.0.113.1"), 6: ("2001:db8:f::1", "2001:db8:2::1")}[outer]
    way = esp.Outer(*ends, *((4500, 20001) if udp else (0, 0)))
    mine = esp.Sa(0x1234, fresh_key(), esn)
    theirs = scapy_peer.association(mine, way)
    for size in (0, 1, 2, 3, 100, 1399):
        packet = wire.ip_packet(*hosts, 253, bytes(size))
        sealed = way.wrap(mine.seal(packet))
        assert scapy_peer.opened(theirs, sealed) == packet

        sealed = scapy_peer.sealed(theirs, packet, seq=size + 1)
        assert mine.open(esp.split(sealed)[2]).inner == packet


def test_a_wrong_high_half_of_the_number_is_refused_by_both():
    mine = esp.Sa(0x1234, fresh_key(), True)
    way = esp.Outer("192.0.2.1", "203.0.113.1")
    packet = wire.ip_packet("10.1.0.2", "10.2.0.2", 253, b"x")
    sealed = way.wrap(mine.seal(packet, seq=(7 << 32) + 5))
    assert scapy_peer.opened(scapy_peer.association(mine, way), sealed, high=7) == packet
    with pytest.raises(Exception):
        scapy_peer.opened(scapy_peer.association(mine, way), sealed, high=6)
    with pytest.raises(esp.InvalidTag):
        mine.open(esp.split(sealed)[2], high=6)
