#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What `meson install` puts down is enough to build and run example.c, in C and in C++.

install_test.py MESON BUILD SOURCE: installs the client into a directory of its own,
compiles with pkg-config, and runs the program against a gateway made of a few lines.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

RESULTS = {"session.open": {"session": 1}, "spi.alloc": {"spi": 0xabcd1234},
           "tunnel.add": {"created": True}, "sa.add": {"created": True},
           "events.subscribe": {"events": []}}
EVENT = {"jsonrpc": "2.0", "method": "event",
         "params": {"event": "tunnel.state", "seq": 1, "tunnel": "paris", "state": "up"}}
FAREWELL = {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": "good bye"}}


def serve(listener, requests):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=serve_one, args=(connection, requests), daemon=True).start()


def serve_one(connection, requests):
    def say(what):
        connection.sendall(json.dumps(what).encode() + b"\n")

    with connection, connection.makefile("r") as lines:
        for line in lines:
            request = json.loads(line)
            requests.append(request)
            say({"jsonrpc": "2.0", "id": request["id"], "result": RESULTS[request["method"]]})
            if request["method"] == "events.subscribe":
                say(EVENT)
                say(FAREWELL)
                return


def main():
    meson, build, source = sys.argv[1:4]
    with tempfile.TemporaryDirectory(prefix="espalier-install-") as directory:
        top = pathlib.Path(directory)
        subprocess.run([meson, "install", "-C", build, "--no-rebuild", "--quiet", "--destdir",
                        directory, "--tags", "client,devel"], check=True)
        [pc] = top.rglob("espalier-client.pc")
        [header] = top.rglob("espalier/client.h")
        [library] = top.rglob("libespalier-client.so")
        prefix = header.parents[2]
        flags = subprocess.run(
            ["pkg-config", f"--define-variable=prefix={prefix}", "--cflags", "--libs",
             "espalier-client"],
            check=True, capture_output=True, text=True,
            env={**os.environ, "PKG_CONFIG_PATH": str(pc.parent)}).stdout.split()

        warnings = ["-Wall", "-Wextra", "-Werror", "-pedantic"]
        subprocess.run([os.environ.get("CC", "cc"), "-std=c99", *warnings, "-o", top / "example",
                        pathlib.Path(source) / "example.c", *flags], check=True)
        (top / "header.cc").write_text("#include <espalier/client.h>\n"
                                       "int main() { espalier_close(nullptr); }\n")
        subprocess.run(["c++", "-std=c++11", *warnings, "-o", top / "header", top / "header.cc",
                        *flags], check=True)

        where = {**os.environ, "LD_LIBRARY_PATH": str(library.parent),
                 "ESPALIER_SOCKET": str(top / "socket")}
        subprocess.run([top / "header"], check=True, env=where)
        requests = []
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(where["ESPALIER_SOCKET"])
            listener.listen()
            threading.Thread(target=serve, args=(listener, requests), daemon=True).start()
            ran = subprocess.run([top / "example"], env=where, capture_output=True, text=True,
                                 timeout=60)

    methods = [r["method"] for r in requests]
    assert methods == ["session.open", "tunnel.add", "spi.alloc", "sa.add", "sa.add",
                       "events.subscribe"], methods
    inbound, outbound = requests[3]["params"], requests[4]["params"]
    assert inbound["spi"] == 0xabcd1234 and inbound["direction"] == "in", inbound
    assert outbound["key"] == "02" + 35 * "00" and outbound["hard_add_time"] == 3600, outbound
    first, event = ran.stdout.splitlines()
    assert first == "tunnel paris receives on SPI 0xabcd1234", ran.stdout
    assert json.loads(event) == EVENT["params"], event
    assert "good bye" in ran.stderr and ran.returncode == 0, ran


if __name__ == "__main__":
    main()
