# SPDX-License-Identifier: BSD-3-Clause
"""What the plugin asks of the gateway when charon negotiates: two charons, two fake gateways."""

import signal
import time

import pytest
from fake import Fake, Refusal
from lab import charon, netns

LOCAL, REMOTE = "192.0.2.1", "192.0.2.2"
NET = {"local_ts": "10.1.0.0/24", "remote_ts": "10.2.0.0/24"}


def mirrored(child):
    return {**child, **{a: child[b] for a, b in (("local_ts", "remote_ts"), ("remote_ts", "local_ts")) if b in child}}


class Pair:
    """A is the side that tests look at; `a` and `b` are the fake gateways."""

    def __init__(self, lab, settings=None, plugin=None):
        self.ns_a, self.ns_b = lab.namespace("a"), lab.namespace("b")
        lab.link(self.ns_a, "wan", self.ns_b, "wan")
        self.ns_a.address("wan", f"{LOCAL}/24", "192.0.2.11/24")
        self.ns_b.address("wan", f"{REMOTE}/24")
        self.a, self.b = Fake(lab, "a"), Fake(lab, "b")
        self.ike_a = charon.Charon(self.ns_a, self.a, settings=settings, plugin=plugin)
        self.ike_b = charon.Charon(self.ns_b, self.b)

    def load(self, children, name="hq", other=None, **more):
        other = other or {}
        self.ike_a.load({name: charon.connection(LOCAL, REMOTE, children, **more)})
        self.ike_b.load({name: charon.connection(
            REMOTE, LOCAL, {key: {**mirrored(value), "start_action": "none"} for key, value in children.items()},
            **{**more, **other})})

    def up(self, children=None, child="net", **more):
        self.load(children or {"net": NET}, **more)
        self.ike_a.initiate(child)


@pytest.fixture
def pair(lab):
    return Pair(lab)


def test_a_tunnel_comes_up_and_goes(pair):
    pair.up()
    tunnel = pair.a.tunnels["hq.net"]
    assert (tunnel["local"], tunnel["remote"], tunnel["device"]) == (LOCAL, REMOTE, "")
    sas = {sa["direction"]: sa for sa in pair.a.sas.values()}
    theirs = {sa["direction"]: sa for sa in pair.b.sas.values()}
    # Each side has the other's keys and SPIs, the right way round.
    for mine, other in (("in", "out"), ("out", "in")):
        for member in ("spi", "key", "esn", "algorithm"):
            assert sas[mine][member] == theirs[other][member]
        assert (sas[mine]["local"], sas[mine]["remote"]) == (theirs[other]["remote"], theirs[other]["local"])
    assert sas["in"]["key"] != sas["out"]["key"] and len(sas["in"]["key"]) == 72
    assert sas["in"]["esn"] is True and sas["in"]["udp"] is False and sas["in"]["replay_window"] == 32
    assert sas["in"]["selectors"] == [{"local": "10.1.0.0/24", "remote": "10.2.0.0/24", "family": "ipv4"}]
    # Only one of the two soft limits in seconds is what charon wants, but hard ones are on both.
    assert all(3600 <= sa["hard_add_time"] <= 3960 for sa in sas.values())
    policy, = pair.a.policies.values()
    assert policy["action"] == "protect" and policy["tunnel"] == "hq.net"
    assert policy["selector"] == {"local": "10.1.0.0/24", "remote": "10.2.0.0/24", "family": "ipv4"}
    # The SPI that was reserved is the one of the SA; none is left over.
    assert not pair.a.spis and not pair.b.spis

    pair.ike_a.terminate("--ike", "hq")
    pair.b.waits_for(lambda: not pair.b.sas and not pair.b.policies, "the peer has deleted everything")
    assert not pair.a.sas and not pair.a.policies
    assert {p["reason"] for p in pair.a.params("sa.delete")} == {"IKE_SA terminated here"}
    assert {p["reason"] for p in pair.b.params("sa.delete")} == {"peer deleted the IKE_SA"}
    # Its state can still be looked at.
    assert "hq.net" in pair.a.tunnels


def test_a_rekey_makes_before_it_breaks(pair):
    pair.up()
    before = len(pair.a.asked)
    pair.ike_a.swanctl("--rekey", "--child", "net")
    pair.b.waits_for(lambda: len(pair.b.sas) == 2 and pair.b.params("sa.delete", direction="in"), "the old SAs go", 5)
    pair.a.waits_for(lambda: len(pair.a.sas) == 2, "the old SAs go", 5)
    order = [(m, p.get("direction")) for m, p in pair.a.asked[before:] if m in ("sa.add", "sa.delete")]
    assert order == [("sa.add", "in"), ("sa.add", "out"), ("sa.delete", "out"), ("sa.delete", "in")]
    # The peer, which answers, sends with the new one only after the old one is to go.
    order = [(m, p.get("direction")) for m, p in pair.b.asked if m in ("sa.add", "sa.delete")][2:]
    assert order == [("sa.add", "in"), ("sa.add", "out"), ("sa.delete", "out"), ("sa.delete", "in")]
    for fake in (pair.a, pair.b):
        assert len(fake.policies) == 1 and not fake.params("policy.delete")
        assert len({sa["tunnel"] for sa in fake.sas.values()}) == 1


@pytest.mark.parametrize("direction", ("in", "out"))
def test_lifetimes_rekey_and_end(pair, direction):
    pair.up({"net": {**NET, "rekey_bytes": 500000, "life_bytes": 600000, "rand_bytes": 0, "rekey_packets": 7000,
                     "life_packets": 8000, "rand_packets": 0, "rekey_time": "100s", "life_time": "120s", "rand_time": 0}})
    first = {sa["direction"]: sa for sa in pair.a.sas.values()}
    for sa in first.values():
        assert (sa["soft_bytes"], sa["hard_bytes"]) == (500000, 600000)
        assert (sa["soft_packets"], sa["hard_packets"]) == (7000, 8000)
        assert sa["hard_add_time"] == 120
    assert first["in"]["soft_add_time"] == 100
    sa = first[direction]
    pair.a.event("sa.soft", limit="bytes", **{k: sa[k] for k in ("tunnel", "direction", "spi", "local", "remote")})
    pair.a.waits_for(lambda: len(pair.a.params("sa.add")) == 4, "new SAs")
    pair.a.waits_for(lambda: len(pair.a.sas) == 2, "the old ones are deleted")
    assert sa["spi"] not in {spi for _, spi, _ in pair.a.sas}
    # A hard limit deletes the CHILD_SA and makes another one.
    second = next(one for (d, _, _), one in pair.a.sas.items() if d == direction)
    pair.a.event("sa.hard", limit="bytes", **{k: second[k] for k in ("tunnel", "direction", "spi", "local", "remote")})
    pair.ike_a.waits_for("creating delete job")
    pair.a.waits_for(lambda: second not in pair.a.sas.values(), "it is deleted")


def test_a_trap_brings_the_tunnel_up(pair):
    pair.load({"net": {**NET, "start_action": "trap"}})
    policy, = pair.a.policies.items()
    name, settings = policy
    assert settings["trap"] is True and settings["tunnel"] == "hq.net" and not pair.a.sas
    assert pair.a.tunnels["hq.net"]["trap"] is True
    # Traffic of something else, or of no trap, is not asked for.
    pair.a.event("acquire", tunnel="nothing", packet={"local": "10.1.0.7", "remote": "10.2.0.9", "protocol": 17})
    pair.a.event("acquire", tunnel="hq.net", policy=name, packet={
        "local": "10.1.0.7", "remote": "10.2.0.9", "protocol": 17, "local_port": 1000, "remote_port": 53})
    pair.a.waits_for(lambda: len(pair.a.sas) == 2, "SAs")
    assert pair.ike_a.waits_for(r"10\.1\.0\.7/32\[udp/1000\] === 10\.2\.0\.9/32\[udp/(53|domain)\]")
    # The SAs' policy is the trap's.
    assert list(pair.a.policies) == [name]
    pair.ike_a.terminate("--child", "net")
    pair.a.waits_for(lambda: not pair.a.sas, "no SAs")
    assert list(pair.a.policies) == [name], "the trap stays"
    pair.ike_a.swanctl("--uninstall", "--child", "net")
    assert not pair.a.policies


def test_a_trap_for_a_tunnel_that_is_up(pair):
    pair.up()
    (old, settings), = pair.a.policies.items()
    assert settings["trap"] is False
    pair.ike_a.swanctl("--install", "--child", "net")
    (new, settings), = pair.a.policies.items()
    assert settings["trap"] is True and new != old
    order = [(m, p["name"]) for m, p in pair.a.asked if m in ("policy.add", "policy.delete")]
    assert order == [("policy.add", old), ("policy.add", new), ("policy.delete", old)]


def test_any_to_any_has_a_device(pair):
    pair.up({"hq": {"local_ts": "0.0.0.0/0,::/0", "remote_ts": "0.0.0.0/0,::/0"}}, child="hq")
    assert pair.a.tunnels == {"hq": {"local": LOCAL, "remote": REMOTE, "device": "hq", "trap": False}}
    assert not pair.a.policies
    assert all("selectors" not in sa for sa in pair.a.sas.values())


def test_a_tunnel_of_the_configuration_file_is_used(pair):
    for fake in (pair.a, pair.b):
        fake.tunnels["hq.net"] = {"device": "vti7", "mtu": 1400, "trap": False}
    pair.up()
    assert len(pair.a.sas) == 2 and not pair.a.policies
    assert pair.a.tunnels["hq.net"] == {"device": "vti7", "mtu": 1400, "trap": False}


def test_several_children(pair):
    pair.load({"one": NET, "two": {"local_ts": "10.1.1.0/24,10.1.2.0/24", "remote_ts": "10.2.1.0/24[udp/53]"}})
    pair.ike_a.initiate("one")
    pair.ike_a.initiate("two")
    assert set(pair.a.tunnels) == {"hq.one", "hq.two"} and len(pair.a.sas) == 4
    assert len(pair.a.policies) == 3
    two = [p["selector"] for p in pair.a.policies.values() if p["tunnel"] == "hq.two"]
    assert {s["local"] for s in two} == {"10.1.1.0/24", "10.1.2.0/24"}
    assert all(s["protocol"] == 17 and s["remote_ports"] == "53-53" and s["local_ports"] == "any" for s in two)
    pair.ike_a.terminate("--child", "one")
    pair.a.waits_for(lambda: len(pair.a.sas) == 2 and len(pair.a.policies) == 2, "the other stays")


def test_narrow_policies_are_asked_first(pair):
    pair.load({"wide": {"local_ts": "10.1.0.0/16", "remote_ts": "10.0.0.0/8"},
               "narrow": {"local_ts": "10.1.0.0/24", "remote_ts": "10.2.0.0/24"}})
    pair.ike_a.initiate("wide")
    pair.ike_a.initiate("narrow")
    priority = {p["tunnel"]: p["priority"] for p in pair.a.policies.values()}
    assert priority["hq.narrow"] < priority["hq.wide"]


def test_shunts(pair):
    pair.load({"net": NET, "clear": {"mode": "pass", "local_ts": "10.1.0.9/32", "remote_ts": "10.2.0.0/24",
                                     "start_action": "trap"},
               "never": {"mode": "drop", "local_ts": "10.1.0.0/24", "remote_ts": "10.3.0.0/24", "start_action": "trap"}})
    pair.ike_a.initiate("net")
    by_action = {p["action"]: p for p in pair.a.policies.values()}
    assert set(by_action) == {"bypass", "discard", "protect"}
    assert by_action["bypass"]["priority"] < by_action["protect"]["priority"] < by_action["discard"]["priority"]
    assert "tunnel" not in by_action["bypass"]


@pytest.mark.parametrize("proposal,named", (
    ("aes256-sha256", "AES_CBC with a key of 256 bits and HMAC_SHA2_256_128"),
    ("aes192gcm16", "AES_GCM_16 with a key of 192 bits"),
    ("aes256gcm8", "AES_GCM_8 with a key of 256 bits")))
def test_other_algorithms_are_refused_by_name(pair, proposal, named):
    pair.load({"net": {**NET, "esp_proposals": proposal}})
    pair.ike_a.initiate("net", check=False)
    # It is the answering side that installs first.
    pair.ike_b.waits_for(rf"refused {named}, which the gateway does not have; set esp_proposals")
    for fake in (pair.a, pair.b):
        fake.waits_for(lambda: not fake.sas and not fake.spis and not fake.policies, "nothing is left")


def test_aes128_and_no_esn(pair):
    pair.up({"net": {**NET, "esp_proposals": "aes128gcm16-noesn", "replay_window": 0, "copy_df": "no", "copy_dscp": "no"}})
    sas = {sa["direction"]: sa for sa in pair.a.sas.values()}
    assert all(sa["algorithm"] == "aes128gcm16" and len(sa["key"]) == 40 and not sa["esn"] for sa in sas.values())
    assert sas["in"]["replay_window"] == 0 and sas["out"]["df"] == "clear" and sas["out"]["dscp"] == 0


def test_udp_encapsulation(pair):
    pair.up(encap="yes")
    for sa in pair.a.sas.values():
        assert sa["udp"] is True and (sa["local_port"], sa["remote_port"]) == (4500, 4500)


def test_a_new_nat_mapping_moves_the_sas(pair):
    pair.up(encap="yes")
    sa = next(sa for sa in pair.b.sas.values() if sa["direction"] == "in")
    pair.b.event("sa.mapping", tunnel=sa["tunnel"], spi=sa["spi"], local=REMOTE, remote=LOCAL,
                 new_remote="192.0.2.11", udp=True, new_port=40123)
    pair.b.waits_for(lambda: len(pair.b.params("sa.update")) == 2, "both SAs are updated")
    for sa in pair.b.sas.values():
        assert sa["remote"] == "192.0.2.11" and sa["remote_port"] == 40123 and sa["udp"] is True
    # Traffic went on meanwhile: the policy was never away.
    assert len(pair.b.policies) == 1 and not pair.b.params("policy.delete")
    before = len(pair.b.asked)
    pair.ike_b.terminate("--ike", "hq", "--force", "--timeout", 1, check=False)
    pair.b.waits_for(lambda: not pair.b.sas, "they are found under their new address")
    assert {p["remote"] for m, p in pair.b.asked[before:] if m == "sa.delete" and p["direction"] == "out"} == {"192.0.2.11"}


def test_mobike_moves_the_sas(pair):
    pair.ns_a.sysctl(net__ipv4__conf__wan__promote_secondaries=1)
    pair.load({"net": NET})
    connection = pair.ike_a.conf["connections"]["hq"]
    pair.ike_a.load({"hq": {**connection, "local_addrs": "%any"}})
    pair.ike_a.initiate("net")
    pair.ns_a.ip("address", "delete", f"{LOCAL}/24", "dev", "wan")
    pair.a.waits_for(lambda: len(pair.a.params("sa.update")) >= 2, "our SAs have moved", 20)
    pair.b.waits_for(lambda: {sa["remote"] for sa in pair.b.sas.values()} == {"192.0.2.11"}, "the peer's have", 20)
    assert {sa["local"] for sa in pair.a.sas.values()} == {"192.0.2.11"}
    assert len(pair.a.policies) == 1 and not pair.a.params("policy.delete")
    pair.ike_a.swanctl("--rekey", "--child", "net")
    pair.a.waits_for(lambda: len(pair.a.params("sa.add")) == 4, "new SAs")
    assert set(pair.a.tunnels) == {"hq.net"}, "it is the same tunnel"


def test_use_times_are_true(pair):
    """charon asks a peer whether it is there only when nothing has come from it."""
    pair.load({"net": NET}, dpd_delay="1s")
    pair.ike_a.initiate("net")
    sa = next(sa for sa in pair.a.sas.values() if sa["direction"] == "in")
    other = next(sa for sa in pair.b.sas.values() if sa["direction"] == "in")
    end = time.monotonic() + 4
    since = (pair.ike_a.mark(), pair.ike_b.mark())
    while time.monotonic() < end:
        for fake, one in ((pair.a, sa), (pair.b, other)):
            fake.use[("in", one["spi"])] = {"packets": 9, "bytes": int(time.monotonic() * 100),
                                            "last_used_ms": int(time.monotonic() * 1000)}
        time.sleep(0.1)
    quiet = pair.ike_a.text()[since[0]:] + pair.ike_b.text()[since[1]:]
    assert "sending DPD request" not in quiet
    # Whoever asks first saves the other the question.
    netns.wait_until(lambda: "sending DPD request" in pair.ike_a.text()[since[0]:] + pair.ike_b.text()[since[1]:],
                     "they ask when nothing comes", 5)
    listed = pair.ike_a.swanctl("--list-sas")
    assert ", 9 packets" in " ".join(listed.split()) and "9 packets," in listed


def test_a_silent_gateway_holds_nobody_up(pair):
    pair.load({"one": NET, "two": {"local_ts": "10.1.1.0/24", "remote_ts": "10.2.1.0/24"}})
    pair.ike_a.initiate("one")
    pair.ike_a.initiate("two")
    pair.a.silent.set()
    start = time.monotonic()
    pair.ike_a.swanctl("--list-sas")
    assert time.monotonic() - start < 2
    start = time.monotonic()
    pair.ike_a.terminate("--child", "one", check=False)
    assert time.monotonic() - start < 3
    pair.a.silent.clear()
    pair.a.waits_for(lambda: len(pair.a.sas) == 2 and len(pair.a.policies) == 1,
                     "what could not be told is told later")
    pair.ike_a.waits_for("the gateway answers again")
    pair.ike_a.swanctl("--rekey", "--child", "two")
    pair.a.waits_for(lambda: len(pair.a.params("sa.add")) == 6, "it is used again")


def test_a_gateway_that_comes_late(pair):
    pair.a.stop()
    pair.load({"net": {**NET, "start_action": "trap"}})
    assert not pair.a.policies
    pair.a.start()
    pair.a.waits_for(lambda: len(pair.a.policies) == 1 and "hq.net" in pair.a.tunnels, "the trap", 5)
    pair.a.event("acquire", tunnel="hq.net", packet={"local": "10.1.0.7", "remote": "10.2.0.9", "protocol": 1})
    pair.a.waits_for(lambda: len(pair.a.sas) == 2, "SAs")


def test_a_restarted_gateway_is_filled_again(pair):
    pair.load({"net": {**NET, "start_action": "trap"}, "two": {"local_ts": "10.1.1.0/24", "remote_ts": "10.2.1.0/24"}})
    pair.ike_a.initiate("net")
    pair.ike_a.initiate("two")
    before = {sa["key"] for sa in pair.a.sas.values()}
    start = time.monotonic()
    pair.a.restart()
    pair.a.waits_for(lambda: len(pair.a.sas) == 4, "new SAs of both", 10)
    took = time.monotonic() - start
    assert took < 2, f"{took:.2f} s"
    # Never a key that was used before.
    assert not before & {sa["key"] for sa in pair.a.sas.values()}
    assert set(pair.a.tunnels) == {"hq.net", "hq.two"} and len(pair.a.policies) == 2
    methods = pair.a.methods()
    restarted = len(methods) - methods[::-1].index("events.subscribe")
    assert methods.index("policy.add", restarted) < methods.index("sa.add", restarted), "traps first"
    # The peer has not lost anything, and deletes the old ones.
    pair.b.waits_for(lambda: len(pair.b.sas) == 4, "the peer's old ones go", 5)


def test_leftovers_of_a_crashed_charon(lab):
    pair = Pair(lab, plugin={"grace": 4})
    pair.up()
    old = set(pair.a.sas)
    pair.ike_a.kill()
    assert set(pair.a.sas) == old, "traffic carries on"
    pair.ike_a.start()
    pair.ike_a.waits_for("objects of an earlier charon")
    pair.ike_a.load(pair.ike_a.conf["connections"])
    assert set(pair.a.sas) == old
    pair.ike_a.initiate("net")
    pair.a.waits_for(lambda: len(pair.a.sas) == 2 and not old & set(pair.a.sas), "replaced ones are deleted")
    assert not pair.a.params("session.sweep")
    pair.a.waits_for(lambda: pair.a.params("session.sweep"), "after the time of grace all others go", 10)
    # What is wanted was confirmed before.
    methods = pair.a.methods()
    swept = methods.index("session.sweep")
    assert methods[swept - 3:swept].count("sa.update") == 2


def test_reset(pair):
    pair.up()
    old = set(pair.a.sas)
    with pair.a.lock:
        pair.a.sas.clear()
    pair.a.event("tunnel.reset", tunnel="hq.net", reason="operator", actor="espctl (pid 1, uid 0)")
    pair.a.waits_for(lambda: len(pair.a.sas) == 2, "new SAs")
    assert not old & set(pair.a.sas)
    pair.b.waits_for(lambda: len(pair.b.sas) == 2, "the peer has deleted its old ones")


def test_a_refused_sa_leaves_nothing(pair):
    pair.a.refuse["sa.add"] = Refusal(4, "512 SAs are the limit of this gateway", "spi")
    pair.load({"net": NET})
    pair.ike_a.initiate("net", check=False)
    pair.ike_a.waits_for("inbound SA: 512 SAs are the limit of this gateway, field spi")
    pair.a.waits_for(lambda: not pair.a.spis and not pair.a.policies, "nothing is left")
    del pair.a.refuse["sa.add"]
    pair.ike_a.initiate("net")
    assert len(pair.a.sas) == 2


def test_many_peers_of_one_connection(lab):
    hub = Pair(lab)
    third = lab.namespace("c")
    # All three on one wire: B is the hub.
    hub.ns_b.ip("link", "add", "name", "br", "type", "bridge")
    lab.link(third, "wan", hub.ns_b, "c")
    third.address("wan", "192.0.2.3/24")
    hub.ns_b.ip("address", "flush", "dev", "wan")
    for device in ("wan", "c"):
        hub.ns_b.ip("link", "set", "dev", device, "master", "br")
    hub.ns_b.ip("link", "set", "dev", "br", "up")
    hub.ns_b.address("br", f"{REMOTE}/24")
    fake = Fake(lab, "c")
    ike_c = charon.Charon(third, fake)
    net = {"local_ts": "0.0.0.0/0", "remote_ts": "0.0.0.0/0"}
    hub.ike_b.load({"branches": charon.connection(REMOTE, "%any", {"net": net}, remote_id="%any")})
    hub.ike_a.load({"hq": charon.connection(LOCAL, REMOTE, {"net": net}, local_id="paris.example")})
    ike_c.load({"hq": charon.connection("192.0.2.3", REMOTE, {"net": net}, local_id="lyon.example")})
    hub.ike_a.initiate("net")
    ike_c.initiate("net")
    assert {name: t["remote"] for name, t in hub.b.tunnels.items()} == {
        "branches.net@paris.example": LOCAL, "branches.net@lyon.example": "192.0.2.3"}
    by_tunnel = {sa["tunnel"]: sa["remote"] for sa in hub.b.sas.values()}
    assert by_tunnel == {"branches.net@paris.example": LOCAL, "branches.net@lyon.example": "192.0.2.3"}
    assert len({t["device"] for t in hub.b.tunnels.values()}) == 2
    ike_c.terminate("--ike", "hq")
    hub.b.waits_for(lambda: set(hub.b.tunnels) == {"branches.net@paris.example"}, "it goes with its peer")


def test_charon_ends_in_time(pair):
    pair.up()
    pair.a.silent.set()
    start = time.monotonic()
    assert pair.ike_a.stop(signal.SIGTERM) == 0
    assert time.monotonic() - start < 8
    pair.a.silent.clear()


def test_no_gateway_at_all(lab):
    """charon runs, and says what is missing; nothing falls back to the kernel."""
    pair = Pair(lab)
    pair.a.stop()
    pair.load({"net": NET})
    pair.ike_a.initiate("net", check=False)
    pair.ike_a.waits_for("kernel-espalier: reserving an SPI: .*cannot|kernel-espalier: reserving an SPI: ")
    assert pair.ns_a.ip("xfrm", "state").strip() == "" and pair.ns_a.ip("xfrm", "policy").strip() == ""
    netns.wait_until(lambda: pair.ike_a.process.running(), "charon runs on")
