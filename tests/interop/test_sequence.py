# SPDX-License-Identifier: BSD-3-Clause
"""Sequence numbers as the wire shows them: ESN inference, windows, the end of the space."""

import random

import pytest
from lab import wire
from lab.crossing import Peer
from lab.esp import InvalidTag

SPACE = 1 << 32


def deliver(crossing, peer, numbers, seconds=1.0):
    """Which of `numbers`, sent in this order, came through."""
    crossing.hosts.drain()
    for number in numbers:
        peer.send(peer.inner_in(4, payload=number.to_bytes(8, "big")), seq=number)
    want = numbers[-1].to_bytes(8, "big")
    got = crossing.hosts.receive(seconds=seconds, until=lambda ip: ip[20:] == want)
    return [int.from_bytes(ip[20:], "big") for ip in got]


@pytest.mark.parametrize("window", (64, 1024, 0))
def test_esn_is_inferred_across_the_32_bit_boundary(crossing, peer_number, window):
    peer = Peer(crossing, peer_number(), 4, sa_in={"replay_window": window})
    # Steps below 2^31, so that the high half stays certain (RFC 4303 appendix A2).
    way_up = [[1], [1 << 30], [3 << 29], [3 << 30], [SPACE - 40]]
    edge = [list(range(SPACE - 30, SPACE + 30))]
    rest = [[SPACE + (1 << 30)], [SPACE + (3 << 30)], [2 * SPACE - 5, 2 * SPACE, 2 * SPACE + 9]]
    # Each leap by itself: numbers are inferred from the top before the vector.
    for numbers in (*way_up, *edge, *rest):
        assert deliver(crossing, peer, numbers) == numbers, crossing.gateway.drops()
    assert crossing.gateway.sa("in", peer.spi_in)["counters"]["seq"] == 2 * SPACE + 9


def test_late_packets_from_before_the_boundary_are_taken(crossing, peer_number):
    peer = Peer(crossing, peer_number(), 4, sa_in={"replay_window": 64})
    late = [SPACE - 5, SPACE + 1, SPACE - 1, SPACE]
    for numbers in ([1 << 30], [1 << 31], [3 << 30], [SPACE - 10], [SPACE + 3], late):
        assert deliver(crossing, peer, numbers) == numbers, crossing.gateway.drops()


@pytest.mark.parametrize("esn", (True, False))
@pytest.mark.parametrize("window", (32, 64, 128, 1024, 32768))
def test_the_window_holds_what_it_says(crossing, peer_number, esn, window):
    peer = Peer(crossing, peer_number(), 4, esn=esn, sa_in={"replay_window": window})
    top = 100_000
    rounded = -(-window // 64) * 64
    assert deliver(crossing, peer, [top]) == [top]
    # The lowest number of the asked window is taken, what is far below is not.
    late = [top - window + 1, top - 1]
    assert deliver(crossing, peer, late) == late, crossing.gateway.drops()
    refused = [top - rounded - 64, 1, top, top - 1]
    for number in refused:
        peer.send(peer.inner_in(4, payload=b"late"), seq=number)
    assert crossing.probe(peer, seq=top + 1) == []
    counters = crossing.gateway.sa("in", peer.spi_in)["counters"]
    # With ESN a number below the window can only mean the next 2^32 (A2.2): another ICV.
    assert (counters["window"], counters["icv"], counters["replay"]) == ((0, 2, 2) if esn else (2, 0, 2))


def test_random_reordering_within_the_window_loses_nothing(crossing, peer_number):
    peer = Peer(crossing, peer_number(), 6, udp=True, sa_in={"replay_window": 64})
    chance = random.Random(6479)
    numbers = list(range(1, 2001))
    for start in range(0, 2000, 50):
        part = numbers[start:start + 50]
        chance.shuffle(part)
        numbers[start:start + 50] = part
    got = []
    for start in range(0, 2000, 50):
        got += deliver(crossing, peer, numbers[start:start + 50])
    assert got == numbers, crossing.gateway.drops()


def test_without_a_window_replays_pass(crossing, peer_number):
    """Behind anycast many senders share one SA: order says nothing."""
    peer = Peer(crossing, peer_number(), 4, esn=False, sa_in={"replay_window": 0})
    numbers = [5, 5, 4, 100_000, 4, 5, 3]
    assert deliver(crossing, peer, numbers) == numbers


def test_32_bit_numbers_end_and_are_not_repeated(crossing, peer_number):
    """RFC 4303 3.3.3."""
    peer = Peer(crossing, peer_number(), 4, esn=False, sa_out={"seq_first": SPACE - 10})
    for n in range(20):
        crossing.hosts.send(peer.inner_out(4, payload=bytes([n])))
    got = crossing.peers.receive(11, seconds=1)
    assert [peer.opened(ip).seq for ip in got] == list(range(SPACE - 10, SPACE))
    assert crossing.gateway.drops()["seq_exhausted"] == 10
    assert crossing.gateway.sa("out", peer.spi_out, tunnel=peer.name)["counters"]["exhausted"] == 10


def test_esn_goes_on_beyond_32_bits(crossing, peer_number):
    peer = Peer(crossing, peer_number(), 4, udp=True, sa_out={"seq_first": SPACE - 10})
    for n in range(20):
        crossing.hosts.send(peer.inner_out(4, payload=bytes([n])))
    got = crossing.peers.receive(20)
    numbers = [peer.opened(ip, high=0 if n < 10 else 1).seq for n, ip in enumerate(got)]
    assert numbers == list(range(SPACE - 10, SPACE + 10))
    with pytest.raises(InvalidTag):
        peer.opened(got[15], high=0)


def test_a_limit_set_by_the_owner_of_the_key_holds(crossing, peer_number):
    peer = Peer(crossing, peer_number(), 4, sa_out={"seq_limit": 7})
    crossing.hosts.send(*(peer.inner_out(4, payload=bytes([n])) for n in range(12)))
    got = crossing.peers.receive(8, seconds=1)
    assert [peer.opened(ip).seq for ip in got] == list(range(1, 8))


def test_dummies_are_generated_on_request(crossing, peer_number):
    """RFC 4303 2.6."""
    peer = Peer(crossing, peer_number(), 4)
    assert crossing.gateway.call("tunnel.send_dummy", name=peer.name, count=5, length=333)["sent"] == 5
    got = [peer.opened(ip) for ip in crossing.peers.receive(5)]
    assert [one.next_header for one in got] == [59] * 5
    assert [len(one.inner) for one in got] == [333] * 5
    assert [one.seq for one in got] == [1, 2, 3, 4, 5]


def test_keepalives_are_sent_when_the_tunnel_is_silent(crossing, peer_number):
    peer = Peer(crossing, peer_number(), 4, udp=True, tunnel={"keepalive": 1})
    crossing.probe_out(peer)
    got = crossing.peers.receive(2, seconds=5)
    keepalive = wire.ip_packet(peer.local, peer.remote, 17,
                               wire.udp(peer.local, peer.remote, *peer.ports, b"\xff", zero=True))
    assert len(got) == 2
    for ip in got:
        assert ip[9] == 17 and ip[12:24] == keepalive[12:24] and ip[28:] == b"\xff", ip.hex()
    crossing.gateway.call("tunnel.update", name=peer.name, keepalive=0)
