# SPDX-License-Identifier: BSD-3-Clause
"""charon in a namespace: strongSwan's IKE daemon, with our plugin or a dataplane of its own."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

from .gateway import BUILD
from .netns import wait_until

PLUGIN = BUILD / "app" / "charon" / "libstrongswan-kernel-espalier.so"
PLUGINS = pathlib.Path("/usr/lib/ipsec/plugins")
CRYPTO = "random nonce openssl pem pkcs1 pkcs8 pubkey x509 constraints kdf"
PSK = "0sFpZAZqEN6Ti9sqt4ZP5EWcqx"

# A first configuration, which tests change: text of swanctl.conf from nested dicts.
def swanctl(tree, depth=0):
    lines = []
    for key, value in tree.items():
        pad = "  " * depth
        if isinstance(value, dict):
            lines += [f"{pad}{key} {{", *swanctl(value, depth + 1), f"{pad}}}"]
        else:
            lines.append(f"{pad}{key} = {value}")
    return lines if depth else "\n".join(lines) + "\n"


def connection(local, remote, child, auth="psk", local_id=None, remote_id=None, **more):
    """One connection with the children `child` (name: settings)."""
    children = {name: {"esp_proposals": "aes256gcm16-esn", "mode": "tunnel", **settings}
                for name, settings in child.items()}
    return {"version": 2, "proposals": "aes256gcm16-prfsha256-ecp256",
            "local_addrs": local, "remote_addrs": remote,
            "local": {"auth": auth, "id": local_id or local},
            "remote": {"auth": auth, "id": remote_id or remote},
            "children": children, **more}


class Charon:
    """
    `gateway`: anything with `socket`, the control socket that our plugin uses; None: the
    userspace dataplane kernel-libipsec, which always sends ESP in UDP and has no ESN.
    `settings` go to strongswan.conf's section of the daemon, `plugin` to that of our plugin.
    """

    def __init__(self, namespace, gateway=None, settings=None, plugin=None, start=True):
        self.namespace = namespace
        self.lab = namespace.lab
        self.gateway = gateway
        self.directory = self.lab.directory / f"{namespace.short}.charon"
        self.directory.mkdir(exist_ok=True)
        self.vici = f"unix://{self.directory}/vici"
        self.log = self.directory / "log"
        self.settings = settings or {}
        self.plugin = plugin or {}
        self.process = None
        self.conf = {}
        if start:
            self.start()

    def strongswan_conf(self):
        kernel = "kernel-espalier!" if self.gateway else "kernel-libipsec"
        plugins = {"vici": {"socket": self.vici}, "bypass-lan": {"load": "no"}}
        if self.gateway:
            plugins["kernel-espalier"] = {"socket": self.gateway.socket, **self.plugin}
        else:
            plugins["kernel-libipsec"] = {"load": "yes"}
        section = {"load_modular": "no", "load": f"{CRYPTO} {kernel} kernel-netlink socket-default vici updown",
                   "install_routes": "no" if self.gateway else "yes", "routing_table": 0 if self.gateway else 220,
                   "delete_rekeyed_delay": 1,
                   "filelog": {"file": {"path": self.log, "flush_line": "yes", "default": 1, "knl": 2,
                                        "append": "yes", "time_format": "%H:%M:%S", "time_add_ms": "yes"}},
                   "journal": {"default": -1}, "plugins": plugins, **self.settings}
        return swanctl({"charon-systemd": section, "swanctl": {"load": CRYPTO}})

    def start(self):
        conf = self.directory / "strongswan.conf"
        conf.write_text(self.strongswan_conf())
        mounted = self.directory / "plugins"
        if self.gateway and not mounted.exists():
            shutil.copytree(PLUGINS, mounted)
            shutil.copy(PLUGIN, mounted)
        mount = f"mount --bind {mounted} {PLUGINS} && " if self.gateway else ""
        self.process = self.namespace.spawn(
            "sh", "-c", f"{mount}exec /usr/sbin/charon-systemd",
            env={"STRONGSWAN_CONF": str(conf), **({"ASAN_OPTIONS": "detect_leaks=0"} if "ASAN_OPTIONS" in os.environ else {})})
        wait_until(lambda: (self.directory / "vici").exists() or not self.process.running(),
                   "charon listens")
        assert self.process.running(), self.text() + self.process.text()

    def stop(self, number=signal.SIGTERM):
        status = self.process.stop(number, 20)
        (self.directory / "vici").unlink(missing_ok=True)
        return status

    def kill(self):
        return self.stop(signal.SIGKILL)

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def swanctl(self, *arguments, check=True, seconds=60):
        done = subprocess.run(
            ["ip", "netns", "exec", self.namespace.name, "swanctl", *map(str, arguments), "--uri", self.vici],
            env={**os.environ, "STRONGSWAN_CONF": str(self.directory / "strongswan.conf")},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
        if check and done.returncode != 0:
            raise AssertionError(f"swanctl {' '.join(map(str, arguments))}: status {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}\n{self.text()[-6000:]}")
        return done.stdout

    def load(self, connections, secrets=None, **more):
        """Replace the configuration."""
        self.conf = {"connections": connections,
                     "secrets": secrets if secrets is not None else {"ike-psk": {"secret": PSK}}, **more}
        file = self.directory / "swanctl.conf"
        file.write_text(swanctl(self.conf))
        return self.swanctl("--load-all", "--noprompt", "--file", file)

    def certificates(self, files, name):
        """load() then finds ca.crt, NAME.crt and NAME.key of that directory (see pki())."""
        for folder, file in (("x509ca", "ca.crt"), ("x509", f"{name}.crt"), ("private", f"{name}.key")):
            (self.directory / folder).mkdir(exist_ok=True)
            shutil.copy(pathlib.Path(files) / file, self.directory / folder)

    def initiate(self, child, check=True, seconds=10):
        return self.swanctl("--initiate", "--child", child, "--timeout", seconds, check=check)

    def terminate(self, *arguments, check=True):
        return self.swanctl("--terminate", *arguments, check=check)

    def sas(self):
        """CHILD_SAs as `swanctl --list-sas --raw` has them: a list of dicts."""
        found = []
        text = self.swanctl("--list-sas", "--raw")
        for block in re.findall(r"child-sas \{(.*?)\}\}\} ?$", text.replace("\n", "\n"), re.M | re.S):
            for name, body in re.findall(r"([^\s{}]+) \{([^{}]*(?:\[[^\]]*\][^{}]*)*)\}?", block):
                one = dict(re.findall(r"([\w-]+)=([^\s{}\[\]]+)", body))
                if "spi-in" in one:
                    found.append({"key": name, **one})
        return found

    def children(self):
        """How many CHILD_SAs are installed, as the human list says."""
        return len(re.findall(r", INSTALLED, ", self.swanctl("--list-sas")))

    def waits_for(self, pattern, seconds=10, since=0):
        """The match of a regular expression in what charon logs after `since` characters."""
        return wait_until(lambda: re.search(pattern, self.text()[since:]), f"{pattern} in charon's log", seconds)

    def mark(self):
        return len(self.text())


def pki(directory, *names):
    """A CA, and for each name a key and certificate: files NAME.key, NAME.crt, ca.crt in it."""
    def run(*command):
        return subprocess.run(["pki", *command], check=True, capture_output=True).stdout

    def key(name):
        file = pathlib.Path(directory) / f"{name}.key"
        file.write_bytes(run("--gen", "--type", "ecdsa", "--size", "256", "--outform", "pem"))
        return file

    directory = pathlib.Path(directory)
    ca = key("ca")
    (directory / "ca.crt").write_bytes(run("--self", "--ca", "--in", str(ca), "--type", "ecdsa",
                                           "--dn", "CN=ca", "--outform", "pem"))
    for name in names:
        mine = key(name)
        public = directory / f"{name}.pub"
        public.write_bytes(run("--pub", "--in", str(mine), "--type", "ecdsa"))
        (directory / f"{name}.crt").write_bytes(
            run("--issue", "--cacert", str(directory / "ca.crt"), "--cakey", str(ca), "--in", str(public),
                "--dn", f"CN={name}", "--san", name, "--outform", "pem"))
