# SPDX-License-Identifier: BSD-3-Clause
"""
Each kind of bad input moves exactly its counter (docs/bad-input.md), nothing comes
out anywhere, and neither the window nor a counter of good packets moves.
"""

import socket
import struct

import pytest
from lab import wire
from lab.crossing import Peer
from lab.esp import DUMMY, IPV4, IPV6, Outer

WAYS = [(4, False), (4, True), (6, False), (6, True)]
BOTH = pytest.mark.parametrize("outer, udp", WAYS, ids=lambda v: str(v))


@pytest.fixture
def peer(crossing, peer_number, outer, udp):
    return Peer(crossing, peer_number(), outer, udp)


def good(peer, **more):
    """The ESP of a good packet, its number used up."""
    return peer.seal.seal(peer.inner_in(4, payload=b"bad input"), **more)


def expect(crossing, peer, packets, reasons, **sa_counters):
    """
    `packets` (complete outer packets) are dropped for `reasons`, and the SA counts
    `sa_counters` besides the two probes that prove it.
    """
    before = crossing.gateway.sa("in", peer.spi_in)["counters"]
    assert crossing.drops_of(peer, packets) == reasons
    after = crossing.gateway.sa("in", peer.spi_in)["counters"]
    probes = -(-len(packets) // 64)
    assert after["packets"] - before["packets"] == probes, "only the probes are good packets"
    assert after["seq"] == peer.seal.seq - 1, "the top of the window is the last probe"
    for name in ("replay", "window", "icv", "malformed", "selector", "ecn"):
        assert after[name] - before[name] == sa_counters.get(name, 0), name


def kernel_socket(crossing, family_of, port):
    """What an IKE daemon has open, so that the kernel does not answer with ICMP."""
    with crossing.gw.inside():
        one = socket.socket(socket.AF_INET6 if ":" in family_of else socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("::" if ":" in family_of else "", port))
    return one


def damaged(data, at):
    return data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1:]


@BOTH
def test_every_damaged_byte_fails_the_icv(crossing, peer):
    esp = good(peer)
    # Behind SPI and sequence number: IV, ciphertext and the ICV itself.
    packets = [peer.inward.wrap(damaged(esp, at)) for at in range(8, len(esp))]
    expect(crossing, peer, packets, {"esp_icv": len(packets)}, icv=len(packets))


@BOTH
def test_a_forged_high_number_does_not_move_the_window(crossing, peer):
    crossing.probe(peer)
    packets = [peer.inward.wrap(damaged(good(peer, seq=seq), 30))
               for seq in (1000, 5000, 1 << 20, (1 << 31) - 1)]
    expect(crossing, peer, packets, {"esp_icv": 4}, icv=4)


@BOTH
def test_another_key(crossing, peer):
    peer.seal.aead, right = type(peer.seal.aead)(bytes(32)), peer.seal.aead
    packet = peer.inward.wrap(good(peer))
    peer.seal.aead = right
    expect(crossing, peer, [packet], {"esp_icv": 1}, icv=1)


@BOTH
def test_unknown_spi(crossing, peer):
    spis = [256, 0xABCDEF, 0x80000000, 0xFFFFFFFF, peer.spi_out, peer.spi_in ^ 0x01000000]
    packets = [peer.inward.wrap(good(peer, spi=spi)) for spi in spis]
    expect(crossing, peer, packets, {"esp_no_sa": len(spis)})


@BOTH
def test_reserved_spi(crossing, peer):
    # 0 in UDP is the non-ESP marker and belongs to the IKE daemon: test_kernel.py.
    spis = [1, 2, 127, 255] if peer.udp else [0, 1, 127, 255]
    packets = [peer.inward.wrap(good(peer, spi=spi)) for spi in spis]
    expect(crossing, peer, packets, {"esp_spi_reserved": 4})


@BOTH
def test_replayed(crossing, peer):
    packets = []
    for _ in range(10):
        packets.append(peer.inward.wrap(peer.seal.seal(peer.inner_in(4))))
    crossing.peers.send(*packets)
    assert len(crossing.hosts.receive(10)) == 10
    expect(crossing, peer, packets + packets[::-1], {"esp_replay": 20}, replay=20)


@BOTH
@pytest.mark.parametrize("esn", (False, True))
def test_below_the_window(crossing, peer_number, outer, udp, esn):
    """With ESN a low number can only mean the next 2^32 (RFC 4303 A2.2), and so the ICV fails."""
    peer = Peer(crossing, peer_number(), outer, udp, esn)
    old = [peer.inward.wrap(good(peer)) for _ in range(3)]
    peer.seal.seq = 5000
    crossing.probe(peer)
    if esn:
        expect(crossing, peer, old, {"esp_icv": 3}, icv=3)
    else:
        expect(crossing, peer, old, {"esp_window": 3}, window=3)


@BOTH
def test_cut_at_every_byte(crossing, peer):
    """The IP header tells the shorter length, so that only ESP can notice."""
    esp = good(peer)
    cut = [esp[:size] for size in range(len(esp))]
    packets = [peer.inward.wrap(one) for one in cut]
    # SPI, number, IV, the smallest trailer and the ICV: 36 bytes, in steps of 4.
    long_enough = [one for one in cut if len(one) >= 36 and len(one) % 4 == 0]
    expect(crossing, peer, packets,
           {"esp_short": len(cut) - len(long_enough), "esp_icv": len(long_enough)},
           icv=len(long_enough),
           malformed=sum(len(one) >= 16 for one in cut) - len(long_enough))


@BOTH
def test_wrong_padding(crossing, peer):
    inner = peer.inner_in(4, payload=bytes(2))  # 22 bytes and 2 of trailer: no padding needed
    nh = IPV4
    trailers = [
        bytes([2, 2, 3, 4, 4, nh]),  # 1, 2, 3, 4 is right
        bytes([0, 0, 0, 0, 4, nh]),
        bytes([1, 2, 3, 5, 4, nh]),
        bytes(range(255, 3, -1)) + bytes([252, nh]),
        bytes([255, nh]),  # more padding than there is packet
        bytes([24, nh]),
    ]
    packets = [peer.inward.wrap(peer.seal.seal(inner, trailer=trailer)) for trailer in trailers]
    expect_authentic(crossing, peer, packets, {"esp_padding": len(packets)}, malformed=len(packets))


def expect_authentic(crossing, peer, packets, reasons, **sa_counters):
    """Bad packets of the real peer: they are authentic, so the window does move."""
    before = crossing.gateway.sa("in", peer.spi_in)["counters"]
    # The probes come behind them.
    assert crossing.drops_of(peer, packets) == reasons
    after = crossing.gateway.sa("in", peer.spi_in)["counters"]
    for name in ("replay", "window", "icv", "malformed", "selector", "ecn"):
        assert after[name] - before[name] == sa_counters.get(name, 0), name


@BOTH
def test_long_right_padding_is_taken(crossing, peer):
    inner = peer.inner_in(4, payload=bytes(2))
    for size in (0, 4, 8, 100, 252):
        peer.send(inner, pad=bytes(range(1, size + 1)))
    assert crossing.hosts.receive(5) == 5 * [wire.forwarded(inner)], crossing.gateway.drops()


@BOTH
def test_wrong_next_header(crossing, peer):
    packets = [peer.inward.wrap(peer.seal.seal(peer.inner_in(4), next_header=nh))
               for nh in (0, 1, 6, 17, 50, 58, 255)]
    expect_authentic(crossing, peer, packets, {"esp_next_header": 7}, malformed=7)


@BOTH
def test_malformed_inner_packet(crossing, peer):
    four, six = peer.inner_in(4, payload=bytes(40)), peer.inner_in(6, payload=bytes(40))
    bad = [
        (b"", IPV4), (b"\x45", IPV4), (four[:19], IPV4), (four[:-1], IPV4),
        (six[:39], IPV6), (six[:-1], IPV6), (six[:1], IPV6),
        (four, IPV6), (six, IPV4),
        (b"\x35" + four[1:], IPV4), (b"\x44" + four[1:], IPV4), (b"\x4f" + four[1:24], IPV4),
        (four[:2] + struct.pack("!H", 19) + four[4:], IPV4),
        (four[:10] + b"\xde\xad" + four[12:], IPV4),
        (four[:2] + struct.pack("!H", 9000) + four[4:], IPV4),
        (six[:4] + struct.pack("!H", 9000) + six[6:], IPV6),
    ]
    packets = [peer.inward.wrap(peer.seal.seal(inner, next_header=nh)) for inner, nh in bad]
    expect_authentic(crossing, peer, packets, {"esp_inner": len(bad)}, malformed=len(bad))


@BOTH
def test_dummy_packets_are_discarded_silently(crossing, peer):
    """RFC 4303 2.6: any content, no audit."""
    contents = [b"", b"\0", bytes(1200), b"not an IP packet", peer.inner_in(4)]
    packets = [peer.inward.wrap(peer.seal.seal(content, next_header=DUMMY)) for content in contents]
    expect_authentic(crossing, peer, packets, {"esp_dummy": len(contents)})


@BOTH
def test_tfc_padding_is_stripped_by_the_inner_length(crossing, peer):
    sent = []
    for family in (4, 6):
        for size, tfc in ((0, 1), (0, 3), (1, 100), (500, 700), (1300, 2)):
            packet = peer.inner_in(family, payload=bytes(range(256)) * 6)[:(20 if family == 4 else 40) + size]
            packet = peer.inner_in(family, payload=packet[20 if family == 4 else 40:])
            peer.send(packet, tfc=tfc)
            sent.append(wire.forwarded(packet))
    assert crossing.hosts.receive(len(sent)) == sent, crossing.gateway.drops()


@BOTH
def test_inner_packet_outside_the_selectors(crossing, peer_number, outer, udp):
    number = peer_number()
    selectors = [
        {"local": f"10.1.{number}.0/24", "remote": f"10.2.{number}.0/24"},
        {"local": f"fd00:1:{number:x}::1-fd00:1:{number:x}::ff", "remote": f"fd00:2:{number:x}::/48",
         "protocol": "tcp", "local_ports": "80", "remote_ports": "1024-2048"},
    ]
    peer = Peer(crossing, number, outer, udp, sa_in={"selectors": selectors})
    v4, v6 = (peer.remote_host(4), peer.host(4)), (peer.remote_host(6), peer.host(6))

    def tcp(sport, dport):
        return struct.pack("!HHIIBBHHH", sport, dport, 0, 0, 0x50, 2, 0, 0, 0)

    right = [wire.ip_packet(*v4, 253, b"x"), wire.ip_packet(*v6, 6, tcp(1024, 80)),
             wire.ip_packet(*v6, 6, tcp(2048, 80))]
    for packet in right:
        peer.send(packet)
    assert crossing.hosts.receive(3) == [wire.forwarded(packet) for packet in right]

    wrong = [
        wire.ip_packet("10.99.0.1", v4[1], 253, b"x"),
        wire.ip_packet(v4[0], "10.1.250.9", 253, b"x"),
        wire.ip_packet(v4[1], v4[0], 253, b"x"),
        wire.ip_packet(*v6, 6, tcp(1023, 80)), wire.ip_packet(*v6, 6, tcp(2049, 80)),
        wire.ip_packet(*v6, 6, tcp(1024, 81)), wire.ip_packet(*v6, 17, tcp(1024, 80)),
        wire.ip_packet(v6[0], peer.host(6, 0x100), 6, tcp(1024, 80)),
        wire.ip_packet(*v6, 6, b""),
        # A later fragment: its ports are unknown.
        wire.ip_packet(*v6, 44, struct.pack("!BBHI", 6, 0, 64, 7) + tcp(1024, 80)),
    ]
    packets = [peer.inward.wrap(peer.seal.seal(packet)) for packet in wrong]
    expect_authentic(crossing, peer, packets, {"esp_selector": len(wrong)}, selector=len(wrong))


@BOTH
def test_nat_keepalives_end_here(crossing, peer):
    way = Outer(peer.inward.src, peer.inward.dst, 4500, 4500)
    packets = [way.wrap(b"\xff")] * 3
    expect(crossing, peer, packets, {"nat_keepalive": 3})


@pytest.mark.parametrize("outer, udp", [(4, False), (4, True), (6, False), (6, True)])
def test_fragments_of_esp(crossing, peer):
    """
    RFC 4303 3.4.1: what is still a fragment when ESP sees it is discarded. Fragments
    of UDP are the kernel's, which hands them to whoever listens on 4500: IKE.
    """
    whole = peer.inward.wrap(good(peer, tfc=400), ident=99)
    src, dst = peer.inward.src, peer.inward.dst
    proto = 17 if peer.udp else 50
    if ":" in src:
        body = whole[40:]
        pieces = [wire.ip_packet(src, dst, 44, struct.pack("!BBHI", proto, 0, at | (at + 200 < len(body)), 99)
                                 + body[at:at + 200]) for at in range(0, len(body), 200)]
    else:
        body = whole[20:]
        pieces = [wire.ip_packet(src, dst, proto, body[at:at + 200], ident=99,
                                 fragment=at // 8 | (0x2000 if at + 200 < len(body) else 0))
                  for at in range(0, len(body), 200)]
    with kernel_socket(crossing, src, 4500):
        expect(crossing, peer, pieces, {} if peer.udp else {"esp_fragment": len(pieces)})


@pytest.mark.parametrize("outer, udp", [(4, False), (6, False)])
def test_plaintext_that_policy_protects(crossing, peer):
    """RFC 4301 5.2: it may arrive only through the tunnel."""
    packets = [peer.inner_in(4, payload=b"in the clear"), peer.inner_in(6, payload=b"in the clear"),
               peer.inner_in(4, 17, wire.udp(peer.remote_host(4), peer.host(4), 1, 2, b"clear"))]
    expect(crossing, peer, packets, {"plaintext": 3})


@BOTH
def test_a_wrong_outer_header(crossing, peer):
    """Whoever drops them, the kernel or the datapath, they reach no SA and nobody else."""
    whole = peer.inward.wrap(good(peer))
    if ":" in peer.remote:
        bad = [whole[:4] + struct.pack("!H", len(whole)) + whole[6:],
               b"\x50" + whole[1:], whole[:39], whole[:40], whole[:44]]
    else:
        bad = [whole[:10] + b"\x12\x34" + whole[12:], b"\x44" + whole[1:], b"\x4f" + whole[1:],
               whole[:2] + struct.pack("!H", len(whole) + 40) + whole[4:], whole[:19], whole[:20]]
    before = crossing.gateway.sa("in", peer.spi_in)["counters"]["packets"]
    reasons = crossing.drops_of(peer, bad)
    assert set(reasons) <= {"bad_ip", "bad_frame", "esp_short"}
    assert crossing.gateway.sa("in", peer.spi_in)["counters"]["packets"] == before + 1


@pytest.mark.parametrize("outer, udp", [(4, False)])
def test_ipv4_options_and_ethernet_padding_are_no_obstacle(crossing, peer):
    packet = peer.inner_in(4, payload=b"options")
    plain = peer.inward.wrap(peer.seal.seal(packet))
    options = b"\x01\x01\x01\x00"
    head = b"\x46" + plain[1:2] + struct.pack("!H", len(plain) + 4) + plain[4:10] + b"\0\0" + plain[12:20] + options
    head = head[:10] + struct.pack("!H", wire.checksum(head)) + head[12:]
    crossing.peers.send(head + plain[20:])
    crossing.peers.send_frame(crossing.peers.frame(peer.inward.wrap(peer.seal.seal(packet))) + bytes(17))
    assert crossing.hosts.receive(2) == 2 * [wire.forwarded(packet)], crossing.gateway.drops()


@pytest.mark.parametrize("outer, udp", [(6, False), (6, True)])
def test_ipv6_extension_headers_before_esp(crossing, peer):
    packet = peer.inner_in(4, payload=b"destination options")
    plain = peer.inward.wrap(peer.seal.seal(packet))
    options = bytes([plain[6], 0, 1, 4, 0, 0, 0, 0])
    crossing.peers.send(plain[:4] + struct.pack("!H", len(plain) - 40 + 8) + b"\x3c" + plain[7:40]
                        + options + plain[40:])
    assert crossing.hosts.receive(1) == [wire.forwarded(packet)], crossing.gateway.drops()


@pytest.mark.parametrize("outer, udp", [(4, False)])
def test_plaintext_side_bad_packets(crossing, peer):
    whole = peer.inner_out(4, payload=bytes(100))
    bad = [whole[:10] + b"\x12\x34" + whole[12:], b"\x44" + whole[1:], whole[:60], whole[:19]]
    reasons = crossing.drops_of(peer, bad, side=crossing.hosts)
    assert set(reasons) <= {"bad_ip", "bad_frame"}
