"""Builds the workspace, starts the service on the release, and prints how long each took and what memory it holds idle.

Linux only: memory is read from /proc. Shared pages are counted once, in proportion to who shares them (PSS); the sum
of the resident sets (RSS) counts them once a process.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from statistics import median

KG = [sys.executable, "-m", "kg"]


def main() -> None:
    """Prints one line a figure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3, help="of each measurement, whose median is told")
    options.add_argument("--idle-s", type=float, default=10, help="wait so long before memory is read")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        release = Path(folder) / "release"
        print(f"kg build            {median([built_in(release) for _ in range(given.rounds)]):.2f} s")
        started = [started_in(release, given.idle_s) for _ in range(given.rounds)]
    print(f"kg serve to /readyz {median([seconds for seconds, _ in started]):.2f} s")
    pss, rss = started[-1][1]
    print(f"idle for {given.idle_s:g} s       {pss / 1024:.0f} MB (sum of resident sets {rss / 1024:.0f} MB)")


def built_in(release: Path) -> float:
    """Returns the seconds of a build that takes nothing over."""
    start = time.perf_counter()
    subprocess.run([*KG, "build", "--anew", "--quiet", "--out", str(release)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def started_in(release: Path, idle_s: float) -> tuple[float, tuple[int, int]]:
    """Returns the seconds from the command to the first `ready`, and what the idle process tree holds."""
    start = time.perf_counter()
    command = [*KG, "serve", "--release", str(release), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as service:
        assert service.stdout is not None
        address = service.stdout.readline().split()[-1]
        try:
            while not is_ready(address):
                time.sleep(0.01)
            seconds = time.perf_counter() - start
            time.sleep(idle_s)
            memory = memory_of_tree(service.pid)
        finally:
            service.terminate()
    return seconds, memory


def is_ready(address: str) -> bool:
    """Tells whether the service says that it answers."""
    try:
        with urllib.request.urlopen(f"{address}readyz") as reply:
            return int(reply.status) == 200
    except urllib.error.URLError:
        return False


def memory_of_tree(root: int) -> tuple[int, int]:
    """Returns (PSS, RSS) in KiB of a process and all below it, added up."""
    parents = dict(parent_of(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    tree = {root}
    while below := {child for child, parent in parents.items() if parent in tree} - tree:
        tree |= below
    rows = [line.split() for pid in tree for line in memory_of(pid)]
    return total(rows, "Pss:"), total(rows, "Rss:")


def memory_of(pid: int) -> list[str]:
    """Returns what the kernel says of the memory of a process, nothing when it has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return []


def parent_of(pid: int) -> tuple[int, int]:
    """Returns a process and its parent, 0 when it has ended meanwhile."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace").rpartition(")")[2]
    except OSError:
        return pid, 0
    return pid, int(after_name.split()[1])


def total(rows: list[list[str]], key: str) -> int:
    """Returns the sum of the lines of one kind."""
    return sum(int(row[1]) for row in rows if row[0] == key)


if __name__ == "__main__":
    main()
