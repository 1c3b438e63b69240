# SPDX-License-Identifier: BSD-3-Clause
"""
host A - gateway A - internet - gateway B - host B, all kernels but the gateways'
datapath: the topology of scripts/demo.
"""

from .gateway import Gateway, fresh_key
from .netns import wait_until

PORTS = [{"name": "lan", "device": "lan", "role": "protected"},
         {"name": "wan", "device": "wan", "role": "unprotected"}]
OUTER = {4: ("192.0.2.1", "198.51.100.1"), 6: ("2001:db8:a::1", "2001:db8:b::1")}
INNER = {4: ("10.1.0.0/24", "10.2.0.0/24"), 6: ("fd00:1::/64", "fd00:2::/64")}
HOST = {4: ("10.1.0.2", "10.2.0.2"), 6: ("fd00:1::2", "fd00:2::2")}


class Sites:
    def __init__(self, lab, config=None, queues=1):
        self.lab = lab
        self.host_a, self.gw_a, self.inet, self.gw_b, self.host_b = (
            lab.namespace(name) for name in ("hosta", "gwa", "inet", "gwb", "hostb"))
        lab.link(self.host_a, "lan", self.gw_a, "lan", queues=queues)
        lab.link(self.gw_a, "wan", self.inet, "a", queues=queues)
        lab.link(self.inet, "b", self.gw_b, "wan", queues=queues)
        lab.link(self.gw_b, "lan", self.host_b, "lan", queues=queues)
        self.host_a.address("lan", "10.1.0.2/24", "fd00:1::2/64")
        self.gw_a.address("lan", "10.1.0.1/24", "fd00:1::1/64")
        self.gw_a.address("wan", "192.0.2.1/24", "2001:db8:a::1/64")
        self.inet.address("a", "192.0.2.254/24", "2001:db8:a::fe/64")
        self.inet.address("b", "198.51.100.254/24", "2001:db8:b::fe/64")
        self.gw_b.address("wan", "198.51.100.1/24", "2001:db8:b::1/64")
        self.gw_b.address("lan", "10.2.0.1/24", "fd00:2::1/64")
        self.host_b.address("lan", "10.2.0.2/24", "fd00:2::2/64")
        for router in (self.gw_a, self.inet, self.gw_b):
            router.forward()
        for namespace, v4, v6, mtu in (
                (self.host_a, "10.1.0.1", "fd00:1::1", 1400), (self.host_b, "10.2.0.1", "fd00:2::1", 1400),
                (self.gw_a, "192.0.2.254", "2001:db8:a::fe", 1500),
                (self.gw_b, "198.51.100.254", "2001:db8:b::fe", 1500)):
            namespace.ip("route", "add", "default", "via", v4, "mtu", mtu)
            namespace.ip("route", "add", "default", "via", v6, "mtu", mtu)
        ports = [{**port, "queues": queues} for port in PORTS]
        self.a = Gateway(self.gw_a, {"ports": ports, **(config or {})})
        self.b = Gateway(self.gw_b, {"ports": ports, **(config or {}), "workers": {
            "lcores": [1], "idle": "sleep", **(config or {}).get("workers", {})}})
        self.sas = []

    def connect(self, outer=4, **more):
        """One route-based tunnel between the gateways for both inner families."""
        a, b = OUTER[outer]
        self.a.add_tunnel("site-b", a, b, [INNER[4][1], INNER[6][1]])
        self.b.add_tunnel("site-a", b, a, [INNER[4][0], INNER[6][0]])
        self.rekey(**more)
        self.warm()

    def warm(self):
        """Let every next hop be resolved: packets that wait for one may be late, or too many."""
        for family in (4, 6):
            wait_until(lambda: " 1 received" in self.host_a.run(
                "ping", "-c", 1, "-W", 1, HOST[family][1], check=False), f"an answer of {HOST[family][1]}")

    def rekey(self, **more):
        """
        New SAs, make before break: both inbound ones first, then the outbound ones.
        The old ones stay until forget(). Returns the old ones.
        """
        old, self.sas = self.sas, []
        for sender, send_tunnel, receiver, receive_tunnel in (
                (self.a, "site-b", self.b, "site-a"), (self.b, "site-a", self.a, "site-b")):
            key, spi = fresh_key(), receiver.call("spi.alloc")["spi"]
            receiver.add_sa("in", receive_tunnel, spi, key, **more)
            self.sas.append((sender, send_tunnel, receiver, spi, key))
        for sender, tunnel, _, spi, key in self.sas:
            sender.add_sa("out", tunnel, spi, key, **more)
        return old

    @staticmethod
    def forget(old):
        for sender, tunnel, receiver, spi, _ in old:
            sender.call("sa.delete", direction="out", spi=spi, tunnel=tunnel)
            receiver.call("sa.delete", direction="in", spi=spi)
