# SPDX-License-Identifier: BSD-3-Clause
"""Checks of the text itself: documentation against the source, style."""

import pathlib
import re
import subprocess


def tracked(top, *patterns):
    """Files under version control, or all there are where there is none (a tarball)."""
    done = subprocess.run(["git", "-c", f"safe.directory={top}", "ls-files", "-z", "--cached", "--others",
                           "--exclude-standard"], cwd=top, capture_output=True, text=True)
    names = done.stdout.split("\0") if done.returncode == 0 else \
        [str(p.relative_to(top)) for p in top.rglob("*") if not str(p.relative_to(top)).startswith("build")]
    files = [top / name for name in names if name and (top / name).is_file()]
    return [file for file in files if not patterns or any(file.match(pattern) for pattern in patterns)]


def run(*command, top):
    """Complaints of a command: none if it succeeds."""
    done = subprocess.run([str(c) for c in command], cwd=top, capture_output=True, text=True)
    return [] if done.returncode == 0 else [(done.stdout + done.stderr)[-8000:] or "failed"]


def dead_links(top):
    for file in tracked(top, "*.md"):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", file.read_text()):
            if "://" not in target and not (file.parent / target).exists():
                yield f"{file.relative_to(top)}: {target} does not exist"


def drop_names(top):
    text = (top / "lib/packet/drop.h").read_text()
    return re.findall(r"^\tX\([A-Z_0-9]+, ([a-z_0-9]+),", text, re.M)


def undocumented_drops(top):
    """docs/bad-input.md speaks of every counter, and of none that does not exist."""
    names = set(drop_names(top))
    said = set(re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+)*)`", (top / "docs/bad-input.md").read_text()))
    for name in sorted(names - said):
        yield f"docs/bad-input.md says nothing of {name}"
    rows = re.findall(r"^\| .* \| ([^|]*) \|$", (top / "docs/bad-input.md").read_text(), re.M)
    for name in sorted({n for row in rows for n in re.findall(r"`([a-z_0-9]+)`", row)} - names):
        yield f"docs/bad-input.md names the counter {name}, which does not exist"


def missing_scripts(top):
    """Commands that the README tells to run are there and executable."""
    for name in set(re.findall(r"\b(scripts/[a-z-]+(?:\.sh)?|\.ci/run)\b", (top / "README.md").read_text())):
        if not (top / name).exists():
            yield f"README.md speaks of {name}"


def stale_config_reference(top):
    done = subprocess.run([top / "build/app/espalierd/espalierd", "--print-config-reference"],
                          capture_output=True, text=True)
    if done.returncode != 0 or done.stdout != (top / "docs/config.md").read_text():
        yield "docs/config.md: espalierd --print-config-reference > docs/config.md makes it anew"


def documentation(top):
    for name, check in (("links", dead_links), ("bad input", undocumented_drops),
                        ("commands of the README", missing_scripts),
                        ("configuration reference", stale_config_reference)):
        yield name, list(check(top))


SOURCE = ("*.c", "*.h", "*.py", "*.sh", "meson.build", "meson_options.txt", "*.yaml")


def without_licence(top):
    scripts = [file for file in tracked(top) if file.parent.name in ("scripts", ".ci") and not file.suffix]
    for file in [*tracked(top, *SOURCE), *scripts]:
        if "SPDX-License-Identifier: " not in "".join(file.open().readlines()[:3]):
            yield f"{file.relative_to(top)}: no SPDX line on top"


def long_files(top):
    """Tables of test vectors may be as long as they are."""
    for file in (file for file in tracked(top, "*.c", "*.h") if not file.name.endswith("_vectors.h")):
        lines = len(file.read_text().splitlines())
        if lines > 500:
            yield f"{file.relative_to(top)}: {lines} lines; which second thing does it do?"


def white_space(top):
    for file in tracked(top, *SOURCE, "*.md"):
        text = file.read_text()
        if re.search(r"[ \t]$", text, re.M):
            yield f"{file.relative_to(top)}: white space at a line's end"
        if text and not text.endswith("\n"):
            yield f"{file.relative_to(top)}: no newline at the end"


def shell_scripts(top):
    return [file for file in tracked(top) if file.suffix == ".sh"
            or (not file.suffix and file.is_file() and file.read_bytes()[:20].startswith((b"#!/bin/", b"#!/usr/bin/env ba")))]


def style(top):
    top = pathlib.Path(top)
    yield "clang-format", run("clang-format", "--dry-run", "-Werror", *tracked(top, "*.c", "*.h"), top=top)
    yield "shellcheck", run("shellcheck", "-x", "-S", "warning", *shell_scripts(top), top=top)
    for name, check in (("SPDX", without_licence), ("length", long_files), ("white space", white_space)):
        yield name, list(check(top))
