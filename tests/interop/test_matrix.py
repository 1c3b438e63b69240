# SPDX-License-Identifier: BSD-3-Clause
"""Inner x outer family x {protocol 50, UDP} x {ESN, not} x AES-128 and 256, every size."""

import itertools
import os
import struct

import pytest
from lab import scapy_peer, wire
from lab.crossing import Peer
from lab.esp import IPV4, IPV6, split

SIZES = range(0, 1361)
SCAPY_SIZES = [*range(0, 24), 63, 64, 65, 127, 128, 255, 256, 511, 512, 777, 1024, 1200, 1359, 1360]
BURST = 32


@pytest.fixture(scope="module", params=list(itertools.product((4, 6), (False, True), (True, False), (256, 128))),
                ids=lambda p: f"outer{p[0]}-{'udp' if p[1] else 'esp'}-{'esn' if p[2] else 'seq32'}-aes{p[3]}")
def peer(request, crossing, peer_number):
    outer, udp, esn, bits = request.param
    return Peer(crossing, peer_number(), outer, udp, esn, bits)


def packets(make, sizes):
    """Payloads that begin with their size, as far as they are long enough, else random."""
    return [make(payload=(struct.pack("!H", size) + os.urandom(size))[:size], ttl=2 + size % 250)
            for size in sizes]


def check_outer(peer, ip):
    """What every outer packet has, whatever is in it."""
    header, udp, esp = split(ip)
    if header[0] >> 4 == 4:
        assert wire.checksum(header) == 0
        assert header[8] == 64, "own TTL"
    else:
        assert header[7] == 64, "own hop limit"
    assert (header[12:20] if len(header) == 20 else header[8:40]) == \
        wire.packed(peer.local) + wire.packed(peer.remote)
    if peer.udp:
        assert struct.unpack("!HHH", udp[:6]) == (*peer.ports, 8 + len(esp))
        # RFC 3948 2.1: zero in IPv4. RFC 8200 8.1: never zero in IPv6.
        assert udp[6:8] == b"\0\0" or wire.udp_checksum_holds(ip)
        assert len(header) == 20 or wire.udp_checksum_holds(ip)
    else:
        assert udp == b""
    return esp


@pytest.mark.parametrize("inner", (4, 6))
def test_outward_every_size(crossing, peer, inner):
    sent = packets(lambda **f: peer.inner_out(inner, **f), SIZES)
    got = []
    for start in range(0, len(sent), BURST):
        burst = sent[start:start + BURST]
        crossing.hosts.send(*burst)
        got += crossing.peers.receive(len(burst))
    assert len(got) == len(sent), crossing.gateway.drops()
    numbers = []
    for packet, ip in zip(sent, got):
        esp = check_outer(peer, ip)
        opened = peer.open.open(esp)
        assert opened.spi == peer.spi_out
        assert opened.inner == wire.forwarded(packet)
        assert opened.padding == bytes(range(1, len(opened.padding) + 1)), "RFC 4303 2.4"
        assert len(opened.padding) < 4 and len(esp) % 4 == 0
        assert opened.next_header == (IPV4 if inner == 4 else IPV6)
        assert opened.iv == struct.pack("!Q", opened.seq), "the IV is the sequence number"
        numbers.append(opened.seq)
    assert numbers == list(range(numbers[0], numbers[0] + len(sent))), "numbers in order, none left out"
    if inner == 4:
        assert numbers[0] == 1, "RFC 4303 3.3.3: the first packet is 1"


@pytest.mark.parametrize("inner", (4, 6))
def test_inward_every_size(crossing, peer, inner):
    sent = packets(lambda **f: peer.inner_in(inner, **f), SIZES)
    got = []
    for start in range(0, len(sent), BURST):
        burst = sent[start:start + BURST]
        for packet in burst:
            peer.send(packet)
        got += crossing.hosts.receive(len(burst))
    assert got == [wire.forwarded(packet) for packet in sent], crossing.gateway.drops()


@pytest.mark.parametrize("inner", (4, 6))
def test_scapy_opens_ours(crossing, peer, inner):
    association = scapy_peer.association(peer.open, peer.outward)
    sent = packets(lambda **f: peer.inner_out(inner, **f), SCAPY_SIZES)
    crossing.hosts.send(*sent)
    got = crossing.peers.receive(len(sent))
    assert [scapy_peer.opened(association, ip) for ip in got] == [wire.forwarded(p) for p in sent]


@pytest.mark.parametrize("inner", (4, 6))
def test_we_open_scapys(crossing, peer, inner):
    association = scapy_peer.association(peer.seal, peer.inward)
    sent = packets(lambda **f: peer.inner_in(inner, **f), SCAPY_SIZES)
    for packet in sent:
        crossing.peers.send(scapy_peer.sealed(association, packet, peer.seal.seq))
        peer.seal.seq += 1
    got = crossing.hosts.receive(len(sent))
    assert got == [wire.forwarded(packet) for packet in sent], crossing.gateway.drops()


@pytest.mark.parametrize("inner", (4, 6))
def test_both_encapsulations_are_accepted_on_one_sa(crossing, peer, inner):
    """RFC 7296 2.23: whatever we send ourselves."""
    packet = peer.inner_in(inner, payload=b"either way")
    for sport, dport in ((0, 0), (4500, 4500), (61234, 4500)):
        way = type(peer.inward)(peer.inward.src, peer.inward.dst, sport, dport)
        crossing.peers.send(way.wrap(peer.seal.seal(packet)))
    assert crossing.hosts.receive(3) == 3 * [wire.forwarded(packet)], crossing.gateway.drops()


@pytest.mark.parametrize("inner", (4, 6))
def test_transport_protocols_and_inner_fragments_pass_unchanged(crossing, peer, inner):
    src, dst = peer.host(inner), peer.remote_host(inner)
    sent = [
        wire.ip_packet(src, dst, 17, wire.udp(src, dst, 1000, 2000, b"datagram")),
        wire.ip_packet(src, dst, 6, struct.pack("!HHIIBBHHH", 1, 2, 3, 4, 0x50, 2, 100, 0, 0)),
        wire.ip_packet(src, dst, 50, b"an ESP packet of the hosts' own " * 4),
    ]
    if inner == 4:
        sent += [wire.ip_packet(src, dst, 17, bytes(64), ident=7, fragment=0x2000),
                 wire.ip_packet(src, dst, 17, bytes(64), ident=7, fragment=8)]
    else:
        sent += [wire.ip_packet(src, dst, 44, struct.pack("!BBHI", 17, 0, offset, 7) + bytes(64))
                 for offset in (1, 64)]
        sent += [wire.ip_packet(src, dst, 60, bytes([59, 0, 1, 4, 0, 0, 0, 0]))]
    crossing.hosts.send(*sent)
    got = crossing.peers.receive(len(sent))
    assert [peer.opened(ip).inner for ip in got] == [wire.forwarded(packet) for packet in sent]


def test_everything_is_accounted_for(crossing, peer):
    """The SA counted what the tests above sent; nothing was dropped on its account."""
    total = crossing.gateway.at_rest()
    assert total["difference"] == 0
    inward = crossing.gateway.sa("in", peer.spi_in)["counters"]
    outward = crossing.gateway.sa("out", peer.spi_out, tunnel=peer.name)["counters"]
    assert inward["packets"] == inward["seq"] == peer.seal.seq - 1
    assert outward["packets"] == outward["seq"]
    assert inward["drops"] == outward["drops"] == 0
    totals = crossing.gateway.tunnel(peer.name)["totals"]
    assert (totals["packets_in"], totals["packets_out"]) == (inward["packets"], outward["packets"])
