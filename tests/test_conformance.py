"""The W3C suites against a scratch dataset, over HTTP, as a stranger would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT, running_service

EXCEPTIONS = ROOT / "tests" / "conformance-exceptions.txt"
SUITES = "query,syntax,update,update-syntax,csv-tsv,json,protocol,gsp,gsp-direct,service-desc"


@pytest.fixture(scope="module")
def harness() -> Path:
    """The script that runs the suites; tests that need it skip where it is not at hand."""
    folder = os.environ.get("KG_TEST_CONFORMANCE")
    script = Path(folder or "", "sparql_conformance.py")
    if not folder or not script.is_file():
        pytest.skip("the W3C suites are not at hand: KG_TEST_CONFORMANCE is not set")
    return script


@pytest.mark.slow
def test_only_the_named_exceptions_fail(harness: Path, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("tester a-token\n", encoding="utf-8")
    with running_service("--scratch", str(tmp_path / "data"), "--token-file", str(tokens)) as address:
        paths = ["--query", "/sparql", "--update", "/sparql", "--gsp", "/graphs"]
        command = [sys.executable, str(harness), "--base-url", address, *paths, "--token", "a-token"]
        command += ["--suites", SUITES, "--expect-fail", str(EXCEPTIONS)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "expected to fail but did not" not in done.stdout
    assert re.search(r"^passed 539 of 549$", done.stdout, re.MULTILINE), done.stdout[-400:]


def test_every_exception_is_explained() -> None:
    lines = [line for line in EXCEPTIONS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    explained = re.findall(r"\| (\d+) \|", (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8"))
    assert all(len(line.split()) > 3 for line in lines)
    assert sum(map(int, explained)) == len(lines) == 10
