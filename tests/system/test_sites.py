# SPDX-License-Identifier: BSD-3-Clause
"""The demo's topology: real TCP, UDP and ICMP of kernels between two gateways."""

import hashlib
import itertools
import os
import re
import socket
import threading

import pytest
from lab import netns, sites, stream

NAT = """table ip lab {
    chain out {
        type nat hook postrouting priority srcnat
        oifname "b" ip saddr 192.0.2.0/24 udp sport 4500 masquerade to :61234
    }
}
"""


@pytest.fixture(scope="module")
def two(module_lab):
    return sites.Sites(module_lab)


@pytest.fixture
def joined(two, outer, udp):
    """The tunnel between the sites, gone afterwards."""
    two.connect(outer, udp=udp)
    yield two
    two.a.call("tunnel.delete", name="site-b")
    two.b.call("tunnel.delete", name="site-a")


def transfer(two, family, size):
    """`size` random bytes over TCP from host A to B and their hash back."""
    source, sink = sites.HOST[family]
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    with two.host_b.inside():
        server = socket.create_server((sink, 7000), family=kind)
    server.settimeout(20)
    data = os.urandom(size)
    seen = []

    def serve():
        connection, _ = server.accept()
        connection.settimeout(20)
        digest = hashlib.sha256()
        while chunk := connection.recv(1 << 16):
            digest.update(chunk)
        connection.sendall(digest.digest())
        connection.close()
        seen.append(True)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with two.host_a.inside():
            client = socket.socket(kind, socket.SOCK_STREAM)
        client.settimeout(20)
        client.connect((sink, 7000))
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        answer = client.recv(32)
        client.close()
    finally:
        thread.join()
        server.close()
    assert answer == hashlib.sha256(data).digest()


WAYS = pytest.mark.parametrize("outer, udp", itertools.product((4, 6), (False, True)))


@WAYS
def test_ping_tcp_and_udp(joined):
    for family in (4, 6):
        source, sink = sites.HOST[family]
        said = joined.host_a.run("ping", "-c", 20, "-i", 0.02, "-s", 1200, sink)
        assert " 20 received" in said, said
        transfer(joined, family, 4_000_000)
        with stream.Stream(joined.host_b, sink, joined.host_a, source, rate=3000) as one:
            one.arrived()
            threading.Event().wait(1)
        one.lossless()
    out, back = (gateway.tunnel(name)["totals"]
                 for gateway, name in ((joined.a, "site-b"), (joined.b, "site-a")))
    assert out["packets_out"] == back["packets_in"] > 1000
    assert out["packets_in"] == back["packets_out"] > 1000
    assert joined.a.at_rest()["difference"] == joined.b.at_rest()["difference"] == 0


@pytest.mark.parametrize("outer, udp", [(4, True)])
def test_through_a_nat(joined):
    joined.inet.run("nft", "-f", "-", stdin=NAT)
    try:
        for sender, tunnel, _, spi, _ in joined.sas:
            if sender is joined.b:
                sender.call("sa.update", direction="out", spi=spi, tunnel=tunnel,
                            new_remote="198.51.100.254", remote_port=61234)
        for family in (4, 6):
            said = joined.host_a.run("ping", "-c", 10, "-i", 0.02, sites.HOST[family][1])
            assert " 10 received" in said, said
            transfer(joined, family, 1_000_000)
    finally:
        joined.inet.run("nft", "delete", "table", "ip", "lab")


@pytest.mark.parametrize("outer, udp", [(4, False), (6, True)])
def test_a_packet_too_big_for_the_tunnel_is_told_to_the_sender(joined):
    joined.host_a.ip("route", "replace", "default", "via", "10.1.0.1")
    joined.host_a.ip("-6", "route", "replace", "default", "via", "fd00:1::1")
    try:
        for family in (4, 6):
            sink = sites.HOST[family][1]
            size = 1500 - (28 if family == 4 else 48)
            said = joined.host_a.run("ping", f"-{family}", "-M", "do", "-c", 2, "-W", 1, "-s", size, sink,
                                     check=False)
            told = re.search(r"mtu[ =]+(\d+)", said, re.I)
            assert told, said
            fits = int(told.group(1))
            assert 1380 <= fits < 1500
            said = joined.host_a.run("ping", f"-{family}", "-M", "do", "-c", 2, "-W", 1, "-s",
                                     fits - (28 if family == 4 else 48), sink, check=False)
            assert " 2 received" in said, said
            transfer(joined, family, 1_000_000)
    finally:
        for family in (4, 6):
            joined.host_a.ip(f"-{family}", "route", "replace", "default", "via",
                             ("10.1.0.1", "fd00:1::1")[family == 6], "mtu", 1400)
            joined.host_a.ip(f"-{family}", "route", "flush", "cache")


@pytest.mark.parametrize("outer, udp", [(4, False)])
def test_the_gateways_own_traffic(joined):
    """`ip route add PREFIX dev TUNNEL` is all it takes; addresses are the gateways' inner ones."""
    for family in (4, 6):
        own_a, own_b = ("10.1.0.1", "10.2.0.1") if family == 4 else ("fd00:1::1", "fd00:2::1")
        host_a, host_b = sites.HOST[family]
        for namespace, source, target in (
                (joined.gw_a, own_a, own_b), (joined.gw_b, own_b, own_a),
                (joined.gw_a, own_a, host_b), (joined.host_a, host_a, own_b), (joined.host_b, host_b, own_a)):
            said = namespace.run("ping", "-c", 5, "-i", 0.05, "-W", 1, "-I", source, target, check=False)
            assert " 5 received" in said, f"{source} to {target}:\n{said}"


@pytest.mark.parametrize("outer, udp", [(4, False)])
def test_the_tunnels_device_goes_with_the_tunnel(joined):
    assert "site-b" in joined.gw_a.devices()
    joined.a.call("tunnel.add", name="another", local="192.0.2.1", remote="198.51.100.77")
    assert "another" in joined.gw_a.devices()
    joined.a.call("tunnel.delete", name="another")
    netns.wait_until(lambda: "another" not in joined.gw_a.devices(), "the device is gone")
