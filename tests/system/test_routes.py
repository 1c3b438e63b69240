# SPDX-License-Identifier: BSD-3-Clause
"""Routes and neighbours are the kernel's; changes while running lose nothing."""

import contextlib
import time

from lab import netns, sites, stream, wire
from lab.crossing import Crossing, Peer


def test_changes_under_load_lose_nothing(lab):
    two = sites.Sites(lab)
    two.connect()
    source, sink = sites.HOST[4]
    mac = two.inet.mac("a")
    with stream.Stream(two.host_a, source, two.host_b, sink, rate=3000) as one:
        one.arrived()
        for round_ in range(10):
            # To the peer by another route to the same place, and back.
            two.gw_a.ip("route", "replace", "198.51.100.0/24", "via", "192.0.2.254")
            two.gw_a.ip("route", "replace", "198.51.100.1/32", "via", "192.0.2.254")
            two.gw_a.ip("route", "add", "10.200.0.0/16", "dev", "site-b")
            two.gw_a.neighbour("wan", "192.0.2.254", mac)
            time.sleep(0.05)
            two.gw_a.ip("route", "delete", "198.51.100.1/32")
            two.gw_a.ip("route", "delete", "198.51.100.0/24")
            two.gw_a.ip("route", "delete", "10.200.0.0/16")
            two.gw_a.ip("neighbour", "change", "192.0.2.254", "lladdr", mac, "dev", "wan", "nud", "reachable")
            time.sleep(0.05)
    one.lossless()


def test_a_route_decides_into_which_tunnel(lab):
    crossing = Crossing(lab)
    first, second = Peer(crossing, 1, 4), Peer(crossing, 2, 6, udp=True)
    packet = wire.ip_packet(first.host(4), "10.77.0.1", 253, b"which way")
    for name, peer in (("t1", first), ("t2", second), ("t1", first)):
        crossing.gw.ip("route", "replace", "10.77.0.0/16", "dev", name)

        def through_this_one():
            """Packets go the old way until the change is followed; those another peer has to open."""
            crossing.hosts.send(packet)
            for ip in crossing.peers.receive(1, seconds=0.1):
                with contextlib.suppress(Exception):
                    return peer.opened(ip)
            return None

        opened = netns.wait_until(through_this_one, "the route is followed")
        assert opened.inner == wire.forwarded(packet)
        crossing.peers.receive(seconds=0.2)
    crossing.gw.ip("route", "delete", "10.77.0.0/16")
    time.sleep(0.3)
    crossing.hosts.send(packet)
    assert crossing.peers.receive(1, seconds=0.3) == []


def test_the_more_specific_route_wins_as_in_the_kernel(lab):
    crossing = Crossing(lab)
    first, second = Peer(crossing, 1, 4), Peer(crossing, 2, 4)
    crossing.gw.ip("route", "add", "10.77.0.0/16", "dev", "t1")
    crossing.gw.ip("route", "add", "10.77.5.0/24", "dev", "t2")
    crossing.gw.ip("route", "add", "10.77.0.0/16", "dev", "t2", "metric", "500")
    time.sleep(0.3)
    for target, peer in (("10.77.4.255", first), ("10.77.5.0", second), ("10.77.5.255", second), ("10.77.6.0", first)):
        packet = wire.ip_packet(first.host(4), target, 253, b"longest match")
        crossing.hosts.send(packet)
        ip, = crossing.peers.receive(1)
        assert peer.opened(ip).inner == wire.forwarded(packet), target


def test_a_neighbours_new_mac_is_used(lab):
    crossing = Crossing(lab)
    peer = Peer(crossing, 1, 4)
    crossing.probe_out(peer)
    new = "02:00:00:00:00:99"
    crossing.peers_ns.ip("link", "set", "dev", "wan", "promisc", "on")
    crossing.gw.neighbour("wan", "192.0.2.2", new)

    def to():
        crossing.hosts.send(peer.inner_out(4, payload=b"where to"))
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            try:
                frame = crossing.peers.socket.recv(4096)
            except BlockingIOError:
                time.sleep(0.005)
                continue
            if frame[12:14] == b"\x08\x00" and frame[23] == 50:
                return frame[:6].hex(":")
        return None

    netns.wait_until(lambda: to() == new, "frames go to the new address")


def test_unknown_next_hops_are_resolved_and_the_first_packet_is_not_lost(lab):
    """The kernel asks by ARP and ND; packets wait for the answer, bounded and counted."""
    two = sites.Sites(lab)
    two.connect()
    for namespace in (two.gw_a, two.gw_b):
        for family in ("-4", "-6"):
            namespace.ip(family, "neighbour", "flush", "dev", "lan")
            namespace.ip(family, "neighbour", "flush", "dev", "wan")
    for family in (4, 6):
        said = two.host_a.run("ping", "-c", 3, "-i", 0.2, "-W", 2, sites.HOST[family][1])
        assert " 3 received" in said, said


def test_a_next_hop_that_never_answers(lab):
    two = sites.Sites(lab)
    two.connect()
    one = stream.udp_socket(two.host_b, "10.2.0.2")
    with one:
        for number in range(2000):
            one.sendto(b"anybody there", (f"10.1.0.{50 + number % 100}", 9))
    netns.wait_until(lambda: sum(two.a.drops().get(name, 0) for name in
                                 ("neigh_unresolved", "neigh_queue")) == 2000,
                     f"each of them is counted: {two.a.drops()}", seconds=20)
    assert two.a.at_rest()["held"] == 0
    said = two.host_a.run("ping", "-c", 3, "-i", 0.2, sites.HOST[4][1])
    assert " 3 received" in said, said


def test_a_flood_of_route_changes_is_survived(lab):
    """Thousands of changes at once overflow the netlink socket: a full resync follows."""
    crossing = Crossing(lab)
    peer = Peer(crossing, 1, 4)
    batch = lab.directory / "batch"
    batch.write_text("".join(f"route add 10.{100 + n // 65536}.{n // 256 % 256}.{n % 256}/32 dev t1\n"
                             for n in range(20000)))
    crossing.gw.ip("-batch", batch)
    packet = wire.ip_packet(peer.host(4), "10.100.78.31", 253, b"the last one")
    ip = netns.wait_until(lambda: (crossing.hosts.send(packet), crossing.peers.receive(1, seconds=0.2))[1],
                          "the last route of the flood is followed")[0]
    assert peer.opened(ip).inner == wire.forwarded(packet)
    crossing.gw.ip("route", "flush", "dev", "t1", "root", "10.100.0.0/16")
    time.sleep(0.5)
    crossing.peers.receive(seconds=0.3)
    netns.wait_until(lambda: (crossing.hosts.send(packet), not crossing.peers.receive(1, seconds=0.2))[1],
                     "the routes are gone here too")
    crossing.probe(peer)
