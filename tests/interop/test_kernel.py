# SPDX-License-Identifier: BSD-3-Clause
"""What is not for the datapath reaches ordinary sockets of the gateway's kernel."""

import socket
import struct
import time

import pytest
from lab import wire
from lab.crossing import LOCAL, Peer

PEER = {4: "203.0.113.200", 6: "2001:db8:2::c8"}


def listener(namespace, family, port):
    """A UDP socket in the gateway's namespace, as an IKE daemon opens it."""
    with namespace.inside():
        one = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET, socket.SOCK_DGRAM)
    one.bind((LOCAL[family], port))
    one.settimeout(2)
    namespace.lab.closing.append(one.close)
    return one


def datagram(family, sport, dport, payload):
    return wire.ip_packet(PEER[family], LOCAL[family], 17,
                          wire.udp(PEER[family], LOCAL[family], sport, dport, payload))


@pytest.mark.parametrize("family", (4, 6))
def test_ike_on_500_and_behind_the_marker_on_4500(crossing, family):
    on_500, on_4500 = listener(crossing.gw, family, 500), listener(crossing.gw, family, 4500)
    with on_500, on_4500:
        crossing.peers.send(datagram(family, 500, 500, b"IKE_SA_INIT"),
                            datagram(family, 4500, 4500, bytes(4) + b"IKE_AUTH"))
        assert on_500.recv(2048) == b"IKE_SA_INIT"
        assert on_4500.recv(2048) == bytes(4) + b"IKE_AUTH"


@pytest.mark.parametrize("family", (4, 6))
def test_a_long_ike_message_in_fragments(crossing, family):
    """Fragments of UDP to us may hold ESP or IKE: IKE has to arrive whole."""
    message = bytes(4) + bytes(range(256)) * 12
    whole = datagram(family, 4500, 4500, message)
    body = whole[20:] if family == 4 else whole[40:]
    pieces = []
    for at in range(0, len(body), 1200):
        more = at + 1200 < len(body)
        part = body[at:at + 1200]
        if family == 4:
            pieces.append(wire.ip_packet(PEER[4], LOCAL[4], 17, part, ident=77,
                                         fragment=at // 8 | (0x2000 if more else 0)))
        else:
            pieces.append(wire.ip_packet(PEER[6], LOCAL[6], 44,
                                         struct.pack("!BBHI", 17, 0, at | more, 77) + part))
    with listener(crossing.gw, family, 4500) as ike:
        crossing.peers.send(*pieces)
        assert ike.recv(8192) == message


@pytest.mark.parametrize("family", (4, 6))
def test_ping_of_the_gateways_outer_address(crossing, family):
    if family == 4:
        echo = struct.pack("!BBHHH", 8, 0, 0, 1, 1) + b"ping"
        echo = echo[:2] + struct.pack("!H", wire.checksum(echo)) + echo[4:]
        proto = 1
    else:
        echo = struct.pack("!BBHHH", 128, 0, 0, 1, 1) + b"ping"
        pseudo = wire.packed(PEER[6]) + wire.packed(LOCAL[6]) + struct.pack("!IHBB", len(echo), 0, 0, 58)
        echo = echo[:2] + struct.pack("!H", wire.checksum(pseudo + echo)) + echo[4:]
        proto = 58
    crossing.peers.send(wire.ip_packet(PEER[family], LOCAL[family], proto, echo))
    answer, = crossing.peers.receive(1)
    assert answer[-4:] == b"ping"
    assert answer[20 if family == 4 else 40] == (0 if family == 4 else 129)


@pytest.mark.parametrize("family", (4, 6))
def test_tcp_to_the_gateway_itself(crossing, family):
    syn = struct.pack("!HHIIBBHHH", 40000, 22, 1, 0, 0x50, 2, 1000, 0, 0)
    src, dst = wire.packed(PEER[family]), wire.packed(LOCAL[family])
    pseudo = src + dst + struct.pack("!IHBB", len(syn), 0, 0, 6)
    syn = syn[:16] + struct.pack("!H", wire.checksum(pseudo + syn)) + syn[18:]
    crossing.peers.send(wire.ip_packet(PEER[family], LOCAL[family], 6, syn))
    reset, = crossing.peers.receive(1)
    header = 20 if family == 4 else 40
    assert reset[header + 13] & 0x04, "nobody listens: the kernel answers with RST"


def test_arp_is_answered_by_the_kernel(crossing):
    me, gw = crossing.peers.mac, crossing.peers.to
    request = struct.pack("!HHBBH6s4s6s4s", 1, 0x800, 6, 4, 1, me, wire.packed("192.0.2.77"),
                          bytes(6), wire.packed("192.0.2.1"))
    crossing.peers.drain()
    crossing.peers.send_frame(b"\xff" * 6 + me + b"\x08\x06" + request)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        try:
            frame = crossing.peers.socket.recv(2048)
        except BlockingIOError:
            time.sleep(0.01)
            continue
        if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\x02":
            assert frame[22:28] == gw
            return
    raise AssertionError("no answer to ARP")


def test_none_of_this_was_counted_as_a_drop(crossing):
    crossing.gateway.at_rest()
    assert crossing.gateway.drops() == {}


def test_packets_for_an_inner_address_of_the_gateway_reach_its_kernel(crossing, peer_number):
    """Decapsulated, and answered through the tunnel again."""
    peer = Peer(crossing, peer_number(), 4, udp=True)
    for family, address in ((4, f"10.1.{peer.index}.1/32"), (6, f"fd00:1:{peer.index:x}::1/128")):
        crossing.gw.address("lo", address)
        src, dst = peer.remote_host(family), peer.host(family, 1)
        request = wire.ip_packet(src, dst, 17, wire.udp(src, dst, 3333, 4444, b"hello"))
        with crossing.gw.inside():
            one = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET, socket.SOCK_DGRAM)
        with one:
            one.bind((dst, 4444))
            one.settimeout(2)
            peer.send(request)
            text, sender = one.recvfrom(100)
            assert (text, sender[:2]) == (b"hello", (src, 3333))
            one.sendto(b"and back", (src, 3333))
            ip, = crossing.peers.receive(1)
            assert peer.opened(ip).inner[-8:] == b"and back"
