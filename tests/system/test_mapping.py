# SPDX-License-Identifier: BSD-3-Clause
"""A peer behind NAT moves: one event, and nothing changes until sa.update (RFC 7296 2.23)."""

import dataclasses

import pytest
from lab.crossing import Crossing, Peer
from lab.events import Events


@pytest.fixture
def crossing(lab):
    return Crossing(lab)


def send_from(crossing, peer, source, port, count=1, spoil=False, seq=None):
    """ESP in UDP as `peer`, from another address and port."""
    moved = dataclasses.replace(peer.inward, src=source, sport=port)
    for _ in range(count):
        packet = bytearray(moved.wrap(peer.seal.seal(peer.inner_in(4), seq=seq)))
        if spoil:
            packet[-1] ^= 1
        crossing.peers.send(bytes(packet))
    crossing.gateway.at_rest()


def test_an_authentic_packet_from_elsewhere_raises_one_event(crossing):
    peer = Peer(crossing, 1, 4, udp=True)
    events = Events(crossing.gateway, events=["sa.mapping"])
    crossing.probe(peer)
    assert events.all("sa.mapping") == []
    send_from(crossing, peer, "203.0.113.77", 31337, count=20)
    mapping = events.next("sa.mapping")
    assert (mapping["tunnel"], mapping["spi"]) == (peer.name, peer.spi_in)
    assert (mapping["remote"], mapping["new_remote"]) == (peer.remote, "203.0.113.77")
    assert mapping["udp"] is True and mapping["new_port"] == 31337
    assert events.all("sa.mapping") == []
    # What we send still goes where it went.
    crossing.hosts.send(peer.inner_out(4))
    ip = crossing.peers.receive(seconds=1)[0]
    assert ip[16:20] == bytes([203, 0, 113, 1])
    crossing.gateway.call("sa.update", direction="out", spi=peer.spi_out, tunnel=peer.name,
                          new_remote="203.0.113.77", udp=True, local_port=4500, remote_port=31337)
    crossing.gateway.call("sa.update", direction="in", spi=peer.spi_in,
                          new_remote="203.0.113.77", udp=True, local_port=4500, remote_port=31337)
    crossing.hosts.send(peer.inner_out(4))
    ip = crossing.peers.receive(seconds=1)[0]
    assert ip[16:20] == bytes([203, 0, 113, 77]) and ip[22:24] == (31337).to_bytes(2)
    assert peer.opened(ip).seq == 2
    send_from(crossing, peer, "203.0.113.77", 31337, count=3)
    assert events.all("sa.mapping") == []


def test_only_the_port_changes(crossing):
    peer = Peer(crossing, 1, 4, udp=True)
    events = Events(crossing.gateway, events=["sa.mapping"])
    send_from(crossing, peer, peer.remote, 999)
    assert events.next("sa.mapping")["new_port"] == 999


def test_forged_and_replayed_packets_say_nothing(crossing):
    peer = Peer(crossing, 1, 4, udp=True)
    events = Events(crossing.gateway, events=["sa.mapping"])
    crossing.probe(peer)
    crossing.probe(peer)
    send_from(crossing, peer, "203.0.113.66", 1, spoil=True)
    send_from(crossing, peer, "203.0.113.66", 1, seq=1)
    assert events.all("sa.mapping") == []
    assert crossing.gateway.drops()["esp_icv"] == 1
    # Late but new: the newest packet tells where the peer is, not this one.
    peer.seal.seq = 50
    crossing.probe(peer)
    send_from(crossing, peer, "203.0.113.66", 1, seq=20)
    assert events.all("sa.mapping") == []


def test_never_without_a_window(crossing):
    peer = Peer(crossing, 1, 4, udp=True, sa_in={"replay_window": 0})
    events = Events(crossing.gateway, events=["sa.mapping"])
    send_from(crossing, peer, "203.0.113.66", 1, count=3)
    assert events.all("sa.mapping") == []


def test_bursts_of_failures(crossing):
    peer = Peer(crossing, 1, 4)
    events = Events(crossing.gateway, events=["sa.failures"])
    forged = bytearray(peer.inward.wrap(peer.seal.seal(peer.inner_in(4), seq=1000)))
    forged[-1] ^= 1
    crossing.peers.send(*[bytes(forged)] * 10)
    crossing.gateway.at_rest()
    assert events.all("sa.failures") == []
    for _ in range(4):
        crossing.peers.send(*[bytes(forged)] * 50)
    crossing.gateway.at_rest()
    one = events.next("sa.failures")
    assert (one["tunnel"], one["spi"], one["reason"]) == (peer.name, peer.spi_in, "esp_icv")
    assert len(events.all("sa.failures")) <= 1
