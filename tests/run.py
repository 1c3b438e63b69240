# SPDX-License-Identifier: BSD-3-Clause
"""Runs the suites of scripts/test and adds up what they say."""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

import checks

TOP = pathlib.Path(__file__).resolve().parents[1]
LOGS = TOP / "build" / "test-logs"


@dataclasses.dataclass
class Result:
    name: str
    passed: bool
    log: str = ""


def command(*arguments, log, seconds, env=None):
    """Run to the end or the time limit; output to `log`. Returns the exit status."""
    LOGS.mkdir(parents=True, exist_ok=True)
    with open(LOGS / f"{log}.log", "wb") as out:
        process = subprocess.Popen([str(a) for a in arguments], cwd=TOP, stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                                   env={**os.environ, **(env or {})})
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            out.write(f"\nno end after {seconds} s\n".encode())
            return stop(process)
        except BaseException:
            stop(process)
            raise


def stop(process):
    """First as Ctrl-C would, so that namespaces are removed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(10)
    return process.wait()


def text_of(log, last=12000):
    return (LOGS / f"{log}.log").read_text(errors="replace")[-last:]


def build(kind):
    status = command(TOP / "scripts/build", kind, log=f"build-{kind}", seconds=900)
    return Result(f"build {kind}", status == 0, text_of(f"build-{kind}"))


def meson_tests(directory, log):
    """Each cmocka test counts; an executable that says nothing of the kind counts as one."""
    command("meson", "test", "-C", directory, "--no-rebuild", "--print-errorlogs",
            log=log, seconds=600)
    results = []
    file = directory / "meson-logs" / "testlog.json"
    for line in file.read_text().splitlines() if file.exists() else []:
        one = json.loads(line)
        said = one.get("stdout", "") + one.get("stderr", "")
        ok = re.findall(r"^\[ +OK \] (.+)$", said, re.M)
        bad = set(re.findall(r"^\[ +FAILED +\] (?!\d+ test)([^\s:]+)", said, re.M))
        passed = one["result"] in ("OK", "EXPECTEDFAIL")
        if passed and not ok:
            ok = ["all"]
        if not passed and not bad:
            bad = {one["result"]}
        results += [Result(f"{one['name']} {name}", True) for name in ok if name not in bad]
        results += [Result(f"{one['name']} {name}", False, said[-6000:]) for name in sorted(bad)]
    return results or [Result("meson test", False, text_of(log))]


def pytest(folder, log, seconds, *options, env=None):
    xml_file = LOGS / f"{log}.xml"
    xml_file.unlink(missing_ok=True)
    command("/usr/bin/python3", "-B", "-m", "pytest", TOP / "tests" / folder, f"--junitxml={xml_file}",
            "-q", *options, log=log, seconds=seconds, env=env)
    if not xml_file.exists():
        return [Result(f"pytest {folder}", False, text_of(log))]
    results = []
    for case in xml.etree.ElementTree.parse(xml_file).iter("testcase"):
        trouble = [child for child in case if child.tag in ("failure", "error", "skipped")]
        # A skipped test has not passed: every package that a test needs is installed.
        said = "\n".join(f"{child.get('message', '')}\n{child.text or ''}" for child in case)
        results.append(Result(f"{case.get('classname')} {case.get('name')}", not trouble, said[-9000:]))
    return results or [Result(f"pytest {folder}", False, text_of(log))]


def unit(_):
    yield from meson_tests(TOP / "build", "unit")


def sanitize(_):
    result = build("sanitize")
    yield result
    if result.passed:
        yield from meson_tests(TOP / "build-sanitize", "sanitize")
        env = {"ESPALIER_BUILD": str(TOP / "build-sanitize"),
               "LSAN_OPTIONS": f"suppressions={TOP}/tests/lsan.supp"}
        for one in pytest("interop", "sanitize-interop", 900, env=env):
            yield Result(f"sanitized gateway: {one.name}", one.passed, one.log)


def interop(arguments):
    yield from pytest("interop", "interop", 900, *arguments.pytest)


def system(arguments):
    yield from pytest("system", "system", 900, *arguments.pytest)


def espctl(arguments):
    yield from pytest("espctl", "espctl", 300, *arguments.pytest)


def demo(_):
    status = command(TOP / "scripts/demo", "--seconds", 2, log="demo", seconds=240)
    said = text_of("demo", 100_000)
    lines = re.findall(r"^(PASS|FAIL)  (.*)$", said, re.M)
    for verdict, name in lines:
        yield Result(f"demo: {name}", verdict == "PASS", "" if verdict == "PASS" else said)
    clean = status == 0 and not re.search(r"esp-demo-", subprocess.run(
        ["ip", "netns", "list"], capture_output=True, text=True).stdout)
    yield Result("demo ends with status 0 and leaves no namespace", clean, said)


def bench(_):
    keys = {"direction", "size", "sas", "natt", "esn", "packets", "cycles_per_packet",
            "aead_cycles_per_packet", "tsc_hz", "mpps_per_core", "gbps_per_core"}
    for direction in ("encap", "decap"):
        status = command(TOP / "build/bench/datapath", "--direction", direction, "--size", 512,
                         "--seconds", 1, "--json", log=f"bench-{direction}", seconds=60)
        said = text_of(f"bench-{direction}")
        objects = [line for line in said.splitlines() if line.startswith("{")]
        figures = json.loads(objects[0]) if len(objects) == 1 else {}
        yield Result(f"bench {direction} prints its figures",
                     status == 0 and keys <= set(figures)
                     and 0 < figures["aead_cycles_per_packet"] < figures["cycles_per_packet"], said)


def fuzz(_):
    status = command(TOP / "scripts/fuzz", 12, log="fuzz", seconds=600)
    said = text_of("fuzz")
    for verdict, name in re.findall(r"^(PASS|FAIL) (\w+)", said, re.M):
        yield Result(f"fuzz: {name}", verdict == "PASS", said)
    yield Result("fuzz ends with status 0", status == 0, said)


def docs(_):
    for name, complaints in checks.documentation(TOP):
        yield Result(f"docs: {name}", not complaints, "\n".join(complaints))


def style(_):
    for name, complaints in checks.style(TOP):
        yield Result(f"style: {name}", not complaints, "\n".join(complaints))


def compilers(_):
    for kind in ("gcc", "clang"):
        yield build(kind)


SUITES = {
    "unit": (unit, "cmocka tests beside the source"),
    "docs": (docs, "links, bad input, names in the documentation"),
    "interop": (interop, "ESP against scapy, the reference and tshark"),
    "system": (system, "running gateways: rekey, fail closed, queues, restart"),
    "espctl": (espctl, "what espctl prints and how it ends, in a terminal and without"),
    "demo": (demo, "scripts/demo"),
    "bench": (bench, "build/bench/datapath"),
    "sanitize": (sanitize, "unit and interop tests with ASan and UBSan"),
    "fuzz": (fuzz, "scripts/fuzz"),
    "style": (style, "format, licences, scripts"),
    "compilers": (compilers, "gcc and clang without a warning"),
}
CI_ONLY = ("style", "compilers")
QUICK = ("unit", "docs", "interop")


def chosen(arguments):
    if arguments.only:
        return arguments.only
    if arguments.quick:
        return QUICK
    return [name for name in SUITES if arguments.ci or name not in CI_ONLY]


def parse():
    parser = argparse.ArgumentParser(
        prog="scripts/test", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Runs the tests and ends with the line 'N passed, N failed'.",
        epilog="suites:\n" + "\n".join(f"  {name:10} {text}" for name, (_, text) in SUITES.items()))
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    parser.add_argument("--ci", action="store_true", help=f"also {', '.join(CI_ONLY)}")
    parser.add_argument("--only", action="append", choices=SUITES, metavar="SUITE",
                        help="only this suite; may stand several times")
    parser.add_argument("pytest", nargs="*", help="after --: options for pytest, such as -k rekey")
    return parser.parse_args()


def main():
    arguments = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    everything = []
    for name in ("build", *chosen(arguments)):
        start = time.monotonic()
        results = [build("release")] if name == "build" else list(SUITES[name][0](arguments))
        everything += results
        failed = [result for result in results if not result.passed]
        for result in failed:
            print(f"\n--- FAILED {result.name}\n{result.log.rstrip()}\n---")
        print(f"{name:10} {len(results) - len(failed):5} passed {len(failed):4} failed "
              f"{time.monotonic() - start:6.0f} s", flush=True)
        if name == "build" and failed:
            break
    failed = [result for result in everything if not result.passed]
    if failed:
        print("\nfailed:")
        for result in failed:
            print(f"  {result.name}")
    print(f"{len(everything) - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
