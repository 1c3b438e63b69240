# SPDX-License-Identifier: BSD-3-Clause
"""A control socket that remembers what it is asked, for tests of what the plugin asks."""

import json
import os
import socketserver
import threading
import time

from lab import netns


class Refusal(Exception):
    def __init__(self, code, message, field=None):
        super().__init__(message)
        self.error = {"code": code, "message": message, "data": {"field": field} if field else {}}


class Fake:
    """
    Keeps tunnels, policies and SAs as the gateway would, without their meaning. `asked`
    is every request of a client: (method, params). `refuse` maps methods to a Refusal.
    """

    def __init__(self, lab, short):
        self.lab = lab
        self.socket = lab.directory / f"{short}.fake"
        self.lock = threading.RLock()
        self.asked = []
        self.refuse = {}
        self.silent = threading.Event()
        self.server = None
        self.forget()
        self.start()
        lab.closing.append(self.stop)

    def forget(self):
        self.tunnels, self.policies, self.sas, self.spis = {}, {}, {}, set()
        self.next_spi = 0xc0000000 + int.from_bytes(os.urandom(3), "big") * 16
        self.use = {}

    def start(self):
        fake = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                with fake.lock:
                    fake.clients.add(self)
                self.seq = 0
                self.subscribed = False
                try:
                    for line in self.rfile:
                        fake.answer(self, json.loads(line))
                except (ConnectionError, OSError, ValueError):
                    pass
                with fake.lock:
                    fake.clients.discard(self)

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True
            request_queue_size = 64

        self.clients = set()
        self.socket.unlink(missing_ok=True)
        self.server = Server(str(self.socket), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        if self.server is None:
            return
        self.server.shutdown()
        self.server.server_close()
        self.server = None
        self.socket.unlink(missing_ok=True)
        with self.lock:
            for client in list(self.clients):
                try:
                    client.connection.shutdown(2)
                except OSError:
                    pass

    def restart(self):
        """As after a crash: nothing is left."""
        self.stop()
        with self.lock:
            self.forget()
        self.start()

    def answer(self, client, request):
        while self.silent.is_set():
            time.sleep(0.02)
        batch = request if isinstance(request, list) else [request]
        answers = [self.one(client, r) for r in batch]
        self.send(client, answers if isinstance(request, list) else answers[0])

    def send(self, client, message):
        with self.lock:
            client.wfile.write(json.dumps(message).encode() + b"\n")
            client.wfile.flush()

    def one(self, client, request):
        method, params = request["method"], request.get("params", {})
        with self.lock:
            self.asked.append((method, params))
            try:
                if method in self.refuse:
                    raise self.refuse[method]
                if method == "events.subscribe":
                    client.subscribed = True
                result = getattr(self, method.replace(".", "_"))(**params)
                return {"jsonrpc": "2.0", "id": request["id"], "result": result}
            except Refusal as refusal:
                return {"jsonrpc": "2.0", "id": request["id"], "error": refusal.error}

    def event(self, event, **members):
        with self.lock:
            for client in self.clients:
                if client.subscribed:
                    client.seq += 1
                    self.send(client, {"jsonrpc": "2.0", "method": "event", "params": {
                        "event": event, "seq": client.seq, "time": "2026-11-21T03:04:05.678Z", **members}})

    # ---- Methods. ----

    def gateway_info(self):
        return {"version": "fake", "pid": 1}

    def session_open(self, name, grace=0):
        return {"session": 1, "resumed": False, "marked": {}}

    def session_get(self):
        return {"installed": {"sas": len(self.sas), "tunnels": len(self.tunnels),
                              "policies": len(self.policies), "spis": len(self.spis)}}

    def session_sweep(self):
        return {"deleted": {}}

    def events_subscribe(self, events):
        return {"events": events}

    def spi_alloc(self):
        self.next_spi += 1
        self.spis.add(self.next_spi)
        return {"spi": self.next_spi}

    def spi_release(self, spi, missing_ok=False):
        self.spis.discard(spi)
        return {"released": True}

    def tunnel_add(self, name, exist_ok=False, **settings):
        have = self.tunnels.get(name)
        if have is not None and not (exist_ok and have == settings):
            raise Refusal(3, f"there is a tunnel {name} already", "name")
        self.tunnels[name] = settings
        return {"created": have is None, "name": name, "device": settings.get("device", name)}

    def tunnel_get(self, name):
        if name not in self.tunnels:
            raise Refusal(2, f"there is no tunnel {name}", "name")
        return {"name": name, "trap": False, "device": name, **self.tunnels[name]}

    def tunnel_delete(self, name, missing_ok=False):
        self.tunnels.pop(name, None)
        return {"deleted": True}

    def policy_add(self, name, exist_ok=False, **settings):
        have = self.policies.get(name)
        if have is not None and not (exist_ok and have == settings):
            raise Refusal(3, f"there is a policy {name} already", "name")
        if "tunnel" in settings and settings["tunnel"] not in self.tunnels:
            raise Refusal(2, f"there is no tunnel {settings['tunnel']}", "tunnel")
        self.policies[name] = settings
        return {"created": have is None, "id": 1, "name": name}

    def policy_delete(self, name, missing_ok=False):
        self.policies.pop(name, None)
        return {"deleted": True}

    @staticmethod
    def key(direction, spi, remote=None, tunnel=None):
        return (direction, spi, remote if direction == "out" else None)

    def sa_add(self, direction, spi, tunnel, **settings):
        if tunnel not in self.tunnels:
            raise Refusal(2, f"there is no tunnel {tunnel}", "tunnel")
        self.sas[self.key(direction, spi, settings.get("remote"))] = {
            "direction": direction, "spi": spi, "tunnel": tunnel, **settings}
        self.spis.discard(spi)
        return {"created": True, "direction": direction, "spi": spi, "worker": 0}

    def sa_delete(self, direction, spi, remote=None, tunnel=None, reason=None, missing_ok=False):
        if remote is None and direction == "out":
            remote = next((r for d, s, r in self.sas if d == "out" and s == spi), None)
        return {"deleted": self.sas.pop(self.key(direction, spi, remote), None) is not None}

    def sa_update(self, direction, spi, remote=None, new_local=None, new_remote=None, **udp):
        sa = self.sas.pop(self.key(direction, spi, remote), None)
        if sa is None:
            raise Refusal(2, f"there is no SA 0x{spi:08x}", "spi")
        sa.update({"local": new_local or sa["local"], "remote": new_remote or sa["remote"], **udp})
        self.sas[self.key(direction, spi, sa["remote"])] = sa
        return sa

    def sa_query(self, direction, spi, remote=None, tunnel=None):
        sa = self.sas.get(self.key(direction, spi, remote))
        if sa is None:
            raise Refusal(2, f"there is no SA 0x{spi:08x}", "spi")
        return {"packets": 0, "bytes": 0, **self.use.get((direction, spi), {})}

    def sa_list(self, tunnel=None, limit=100, after=None):
        items = [{**sa, "age": 0, "lifetime": {}, "counters": {"bytes": 0, "packets": 0}}
                 for sa in self.sas.values() if tunnel in (None, sa["tunnel"])]
        for item in items:
            item.pop("key")
        start = int(after or 0)
        page = {"items": items[start:start + limit]}
        if len(items) > start + limit:
            page["next"] = str(start + limit)
        return page

    # ---- What tests look at. ----

    def params(self, method, **like):
        """Parameters of every request of that method that has these members."""
        with self.lock:
            return [p for m, p in self.asked if m == method and all(p.get(k) == v for k, v in like.items())]

    def methods(self, *but):
        with self.lock:
            return [m for m, _ in self.asked if m not in ("gateway.info", *but)]

    def waits_for(self, condition, what, seconds=10):
        def check():
            with self.lock:
                return condition()
        return netns.wait_until(check, what, seconds)
