# SPDX-License-Identifier: BSD-3-Clause
"""
What espctl prints and how it ends, against a running gateway. Golden files ignore
numbers; ESPALIER_GOLDEN=write makes them anew.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest
from lab import gateway, netns
from lab.crossing import Crossing, Peer

GOLDEN = pathlib.Path(__file__).parent / "golden"
BESIDE = gateway.ESPCTL.parent


@pytest.fixture(scope="module")
def crossing(module_lab):
    one = Crossing(module_lab)
    first, _ = Peer(one, 1, 4, sa_out={"soft_bytes": 1 << 40, "hard_bytes": 1 << 41}), Peer(one, 2, 6)
    call = one.gateway.call
    call("tunnel.add", name="idle", device="", local="192.0.2.1", remote="203.0.113.9", trap=True)
    call("policy.add", name="branch", action="protect", tunnel="idle", trap=True,
         selector={"local": "10.1.0.0/16", "remote": "10.66.0.0/16", "protocol": "tcp", "remote_ports": 443})
    call("policy.add", name="no-smtp", action="discard", priority=5,
         selector={"remote": "10.67.0.0/16", "local": "10.1.0.0/16"})
    one.first = first
    one.probe(first)
    one.probe_out(first)
    replayed = first.inward.wrap(first.seal.seal(first.inner_in(4), seq=1))
    one.peers.send(replayed)
    one.gateway.at_rest()
    return one


def run(crossing, *arguments, env=None, **more):
    """Standard output and error apart, and the status."""
    command = [gateway.ESPCTL, "--socket", crossing.gateway.socket, *arguments]
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=30,
                          env={**os.environ, **(env or {})}, **more)


def without_numbers(text):
    """Digits, units behind them and the widths that follow from them are no matter."""
    text = re.sub(r"\b\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b", "MAC", text)
    text = re.sub(r"/tmp/\S+", "PATH", text)
    text = re.sub(r"\S+ \(pid \d+, uid \d+\)", "ACTOR", text)
    text = re.sub(r"\d+(\.\d+)?( (B|KiB|MiB|GiB|TiB)\b|[kMGT]\b)?(\dd\d\dh|h\d\dm|m\d\ds)?", "#", text)
    return re.sub(r" +", " ", text)


VIEWS = {
    "tunnel": ("tunnel",), "tunnel-t1": ("tunnel", "t1"), "tunnel-show": ("tunnel", "show", "idle"),
    "tunnel-log": ("tunnel", "log", "t1"), "sa": ("sa",), "policy": ("policy",), "port": ("port",),
    "counters": ("counters",), "drops": ("drops", "zeros=no"), "info": ("info",), "top": ("top",),
    "session": ("session",), "explain-protect": ("explain", "10.1.1.2", "10.2.1.2", "udp", "53"),
    "explain-held": ("explain", "10.1.1.2", "10.66.0.9", "tcp", "443"),
    "explain-drop": ("explain", "10.1.1.2", "10.67.0.9"), "help": ("--help",),
    "help-sa-add": ("sa", "add", "--help"), "log-level": ("log", "level"),
}


@pytest.mark.parametrize("name", VIEWS)
def test_golden(crossing, name):
    done = run(crossing, *VIEWS[name])
    assert done.returncode == (1 if name == "explain-drop" else 0), done.stderr
    said = without_numbers(done.stdout)
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("ESPALIER_GOLDEN") == "write":
        file.write_text(said)
    assert said == file.read_text()


@pytest.mark.parametrize("words", [words for name, words in VIEWS.items() if not name.startswith("help")],
                         ids=[name for name in VIEWS if not name.startswith("help")])
def test_json(crossing, words):
    if words == ("top",):
        return
    done = run(crossing, "--json", *words)
    assert isinstance(json.loads(done.stdout), dict)
    assert "\033" not in done.stdout


@pytest.mark.parametrize("words, status", (
    (("tunnel", "list"), 0), (("tunnel", "get", "name=nowhere"), 1), (("tunnel", "nowhere"), 1),
    (("tunnels",), 2), (("tunnel", "ad", "x"), 2), (("tunnel", "add", "colour=red"), 2), ((), 2),
    (("--wrong",), 2), (("--timeout", "0", "info"), 2), (("--colour", "pink", "info"), 2),
    (("--watch=0", "info"), 2), (("--watch", "sa", "flush"), 2), (("explain", "10.1.1.2"), 2),
    (("events", "sa.sfot"), 2), (("call", "no.method"), 1), (("explain", "10.1.1.2", "10.67.0.9"), 1)))
def test_exit_status(crossing, words, status):
    done = run(crossing, *words)
    assert done.returncode == status, (done.stdout, done.stderr)
    assert done.stderr or status == 0 or words[:1] == ("explain",)


def test_no_gateway(tmp_path):
    done = subprocess.run([gateway.ESPCTL, "--socket", tmp_path / "none", "info"], capture_output=True, text=True)
    assert done.returncode == 3 and "none" in done.stderr


def test_colours_only_where_they_can_be_seen(crossing):
    assert "\033" not in run(crossing, "tunnel").stdout
    coloured = run(crossing, "--colour", "always", "tunnel").stdout
    assert "\033[32mup\033[0m" in coloured and "\033[31mdown\033[0m" in coloured
    plain = re.sub(r"\033\[\d*m", "", coloured)
    assert without_numbers(plain) == without_numbers(run(crossing, "--colour", "never", "tunnel").stdout)


def test_watch_repeats(crossing):
    done = run(crossing, "--watch=0.1", "--frames", "3", "drops", "zeros=no")
    assert done.returncode == 0 and done.stdout.count("REASON") == 3
    done = run(crossing, "--watch=0.1", "--frames", "2", "--json", "info")
    assert done.stdout.count('"tsc_hz"') == 2
    done = run(crossing, "--watch=0.1", "--frames", "2", "top")
    assert done.stdout.count("TUNNEL ") == 2


def follow(crossing, *words):
    process = subprocess.Popen([gateway.ESPCTL, "--socket", crossing.gateway.socket, *words],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    info = crossing.gateway.call("gateway.info")["clients"]
    netns.wait_until(lambda: crossing.gateway.call("gateway.info")["clients"] >= info, "espctl is connected")
    time.sleep(0.3)
    return process


@pytest.mark.parametrize("json_lines", (False, True))
def test_events_follow_until_ctrl_c(crossing, json_lines):
    process = follow(crossing, *(["--json"] if json_lines else []), "events", "tunnel.state", "tunnel=evt")
    crossing.gateway.call("tunnel.add", name="evt", device="", local="192.0.2.1", remote="203.0.113.8")
    crossing.gateway.add_sa("in", "evt", 0x7777, bytes(range(36)))
    line = process.stdout.readline()
    if json_lines:
        event = json.loads(line)
        assert (event["event"], event["tunnel"], event["state"]) == ("tunnel.state", "evt", "half")
    else:
        assert re.match(r"\d{4}-\S+Z  tunnel.state +tunnel evt  state half  was down  reason SA added  actor \S+", line)
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 0
    crossing.gateway.call("tunnel.delete", name="evt")


def test_a_closed_pipe_ends_it(crossing):
    done = subprocess.run(f"{gateway.ESPCTL} --socket {crossing.gateway.socket} --watch=0.1 drops | head -1",
                          shell=True, capture_output=True, text=True, timeout=20)
    assert done.stdout.startswith("REASON")


class Terminal:
    """espctl in a real terminal of a given size."""

    def __init__(self, crossing, columns, rows, *words):
        self.name = f"espalier-test-{os.getpid()}-{columns}"
        command = " ".join([str(gateway.ESPCTL), "--socket", str(crossing.gateway.socket), *words])
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), f"{command}; echo status $?; sleep 60")
        self.tmux("set-option", "-g", "remain-on-exit", "on")

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-L", self.name, "-f", "/dev/null", *arguments],
                              capture_output=True, text=True, timeout=10).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p").rstrip("\n").splitlines()

    def wait_for(self, text):
        def seen():
            screen = self.screen()
            return screen if any(text in line for line in screen) else None
        return netns.wait_until(seen, f"{text!r} on the screen", 10, 0.1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tmux("kill-server")


@pytest.mark.parametrize("columns, rows", ((80, 24), (200, 50)))
def test_top_in_a_terminal(crossing, columns, rows):
    with Terminal(crossing, columns, rows, "top") as terminal:
        screen = terminal.wait_for("TUNNEL")
        assert len(screen) <= rows and max(len(line) for line in screen) <= columns
        text = "\n".join(screen)
        for word in ("espalier", "workers", "ports", "drops/s", "t1", "idle", "IN bit/s", "OUT bit/s"):
            assert word in text, word
        assert ("REMOTE" in text) == (columns == 200)
        # Traffic shows up as a rate.
        for _ in range(30):
            crossing.hosts.send(*[crossing.first.inner_out(4, payload=bytes(1000)) for _ in range(30)])
            time.sleep(0.05)
        row = next(line for line in terminal.screen() if line.startswith("t1"))
        assert any(float(n.rstrip("kM")) > 0 for n in row.split()[2:6]), row
        terminal.tmux("resize-window", "-x", "120", "-y", "30")
        wide = netns.wait_until(lambda: [line for line in terminal.screen() if "SINCE" in line],
                                "a column more after the window has grown", 5, 0.1)
        assert "REMOTE" not in wide[0]
        terminal.tmux("send-keys", "q")
        screen = terminal.wait_for("status")
        # The screen from before is back.
        assert screen[0] == "status 0"


def test_top_ends_with_ctrl_c(crossing):
    with Terminal(crossing, 81, 24, "top") as terminal:
        terminal.wait_for("TUNNEL")
        terminal.tmux("send-keys", "C-c")
        time.sleep(1)
        assert not any("TUNNEL" in line for line in terminal.screen())


def test_top_does_not_survive_its_gateway(lab):
    crossing = Crossing(lab)
    with Terminal(crossing, 82, 24, "top") as terminal:
        terminal.wait_for("TUNNEL")
        crossing.gateway.stop()
        assert any("espctl:" in line for line in terminal.wait_for("status 3"))


def complete(crossing, line):
    """What bash would offer for `line`."""
    words = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in words)
    script = (f"PATH={BESIDE}:$PATH; export ESPALIER_SOCKET={crossing.gateway.socket}; . {BESIDE}/espctl.bash; "
              f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _espctl; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    return set(subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=20).stdout.split())


def test_completion(crossing):
    assert {"tunnel", "sa", "policy", "events", "explain", "top", "info", "call"} <= complete(crossing, "espctl ")
    assert complete(crossing, "espctl tun") == {"tunnel"}
    assert {"add", "list", "log", "show", "t1", "t2", "idle"} <= complete(crossing, "espctl tunnel ")
    assert {"t1", "idle", "name="} <= complete(crossing, "espctl tunnel log ")
    assert {"direction=", "spi=", "key=", "hard_bytes="} <= complete(crossing, "espctl --json sa add ")
    assert "selector.remote=" in complete(crossing, "espctl policy add sel")
    assert complete(crossing, "espctl events sa.s") == {"sa.soft"}
    assert complete(crossing, "espctl --js") == {"--json"}
    assert complete(crossing, "espctl call session.") >= {"session.open", "session.list"}


def test_the_manual(crossing):
    page = BESIDE / "espctl.1"
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page], capture_output=True, text=True,
                          env={**os.environ, "MANWIDTH": "80", "PAGER": "cat"})
    assert done.returncode == 0 and done.stderr == ""
    for word in ("explain", "sa add", "tunnel reset", "session sweep", "EXIT STATUS", "sa.mapping"):
        assert word in done.stdout, word
