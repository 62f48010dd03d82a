"""Releases published beside a service that many ask: the benchmark, in small."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from conftest import ROOT


@pytest.mark.slow
@pytest.mark.alone
def test_no_answer_mixes_two_releases_and_none_is_an_error() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "load.py")]
    command += ["--clients", "8", "--seconds", "5", "--releases", "2", "--reports", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "no error, no answer that mixes two releases" in done.stdout
    found = re.search(r"^(\d+) requests, .* 3 releases, (\d) seen in answers$", done.stdout, re.MULTILINE)
    assert found is not None
    assert int(found[1]) > 50
    assert int(found[2]) == 3
