# SPDX-License-Identifier: BSD-3-Clause
"""Lifetimes by traffic: soft says so once, hard stops the SA and says so once (RFC 4301 4.4.2.1)."""

import pytest
from lab.crossing import Crossing, Peer
from lab.events import Events

VECTOR = 64  # what may pass beyond a hard limit


@pytest.fixture(scope="module")
def crossing(module_lab):
    return Crossing(module_lab)


def out(crossing, peer, count, size=100):
    """Packets outward; how many came out."""
    crossing.peers.drain()
    sent = 0
    while sent < count:
        n = min(32, count - sent)
        crossing.hosts.send(*[peer.inner_out(4, payload=bytes(size - 20)) for _ in range(n)])
        sent += n
        crossing.gateway.at_rest()
    return len(crossing.peers.receive(seconds=0.3))


def into(crossing, peer, count, size=100):
    """Packets inward; how many reached the hosts."""
    crossing.hosts.drain()
    for _ in range(count):
        peer.send(peer.inner_in(4, payload=bytes(size - 20)))
    crossing.gateway.at_rest()
    return len(crossing.hosts.receive(seconds=0.3))


def test_packets_outbound_end_exactly(crossing):
    events = Events(crossing.gateway, events=["sa.soft", "sa.hard", "tunnel.state"], tunnel="t1")
    peer = Peer(crossing, 1, 4, sa_out={"soft_packets": 40, "hard_packets": 100})
    assert out(crossing, peer, 39) == 39
    assert events.all("sa.soft") == []
    assert out(crossing, peer, 1) == 1
    soft = events.next("sa.soft")
    assert (soft["direction"], soft["spi"], soft["limit"]) == ("out", peer.spi_out, "packets")
    assert out(crossing, peer, 90) == 60
    hard = events.next("sa.hard")
    assert (hard["direction"], hard["limit"]) == ("out", "packets")
    assert events.all("sa.soft") == events.all("sa.hard") == []
    assert crossing.gateway.drops()["sa_expired"] == 30
    state = [e for e in events.all("tunnel.state") if e["state"] != "up"]
    assert state and "packets" in state[-1]["reason"]
    # It never lives again, not even with new addresses.
    crossing.gateway.call("sa.update", direction="out", spi=peer.spi_out, tunnel="t1", udp=False)
    assert out(crossing, peer, 5) == 0


def test_bytes_outbound(crossing):
    events = Events(crossing.gateway, events=["sa.soft", "sa.hard"], tunnel="t2")
    peer = Peer(crossing, 2, 4, sa_out={"soft_bytes": 10_000, "hard_bytes": 20_000})
    assert out(crossing, peer, 99) == 99
    assert events.all("sa.soft") == []
    assert out(crossing, peer, 2) == 2
    assert events.next("sa.soft")["limit"] == "bytes"
    came = out(crossing, peer, 300)
    assert 99 <= came <= 99 + VECTOR
    assert events.next("sa.hard")["limit"] == "bytes"
    assert events.all("sa.soft") == events.all("sa.hard") == []


def test_packets_and_bytes_inbound(crossing):
    events = Events(crossing.gateway, events=["sa.soft", "sa.hard"])
    by_packets = Peer(crossing, 3, 4, sa_in={"soft_packets": 10, "hard_packets": 20})
    by_bytes = Peer(crossing, 4, 4, sa_in={"soft_bytes": 1000, "hard_bytes": 2000})
    for peer, limit in ((by_packets, "packets"), (by_bytes, "bytes")):
        assert into(crossing, peer, 9) == 9
        assert events.all("sa.soft", tunnel=peer.name) == []
        assert into(crossing, peer, 1) == 1
        soft = events.next("sa.soft", tunnel=peer.name)
        assert (soft["direction"], soft["spi"], soft["limit"]) == ("in", peer.spi_in, limit)
        came = into(crossing, peer, 150)
        assert 10 <= came <= 10 + VECTOR
        assert events.next("sa.hard", tunnel=peer.name)["limit"] == limit
        assert into(crossing, peer, 10) == 0
        counters = crossing.gateway.sa("in", peer.spi_in)["counters"]
        assert counters["packets"] == 10 + came
    assert events.all("sa.soft") == events.all("sa.hard") == []


def test_forged_packets_use_nothing_up(crossing):
    events = Events(crossing.gateway, events=["sa.soft", "sa.hard"], tunnel="t5")
    peer = Peer(crossing, 5, 4, sa_in={"soft_packets": 5, "hard_packets": 10})
    forged = [bytearray(peer.inward.wrap(peer.seal.seal(peer.inner_in(4), seq=n))) for n in range(100, 130)]
    for packet in forged:
        packet[-1] ^= 1
    crossing.peers.send(*[bytes(packet) for packet in forged])
    crossing.gateway.at_rest()
    assert events.all("sa.soft") == events.all("sa.hard") == []
    assert into(crossing, peer, 4) == 4


def test_the_sequence_space(crossing):
    events = Events(crossing.gateway, events=["sa.soft", "sa.hard", "sa.exhausted"], tunnel="t6")
    end = 2 ** 32 - 1
    peer = Peer(crossing, 6, 4, esn=False, sa_out={"seq_first": end - 29, "soft_seq": end - 10})
    assert out(crossing, peer, 18) == 18
    assert events.all("sa.soft") == []
    assert out(crossing, peer, 2) == 2
    assert events.next("sa.soft")["limit"] == "sequence"
    assert out(crossing, peer, 40) == 10
    assert events.next("sa.exhausted")["spi"] == peer.spi_out
    assert events.all("sa.exhausted") == events.all("sa.soft") == []
    assert crossing.gateway.drops()["seq_exhausted"] == 30


def test_seconds(crossing):
    events = Events(crossing.gateway, events=["sa.soft", "sa.hard"])
    added = Peer(crossing, 7, 4, sa_out={"soft_add_time": 1, "hard_add_time": 3})
    used = Peer(crossing, 8, 4, sa_in={"soft_use_time": 1, "hard_use_time": 3})
    assert events.next("sa.soft", tunnel="t7")["limit"] == "add_time"
    assert out(crossing, added, 3) == 3
    assert events.next("sa.hard", tunnel="t7")["limit"] == "add_time"
    assert out(crossing, added, 3) == 0
    # Nothing has come in yet, so the other clock has not begun to run.
    assert events.all("sa.soft") == []
    assert into(crossing, used, 1) == 1
    assert events.next("sa.soft", tunnel="t8")["limit"] == "use_time"
    assert into(crossing, used, 1) == 1
    assert events.next("sa.hard", tunnel="t8")["limit"] == "use_time"
    assert into(crossing, used, 1) == 0
    assert events.all("sa.soft") == events.all("sa.hard") == []
