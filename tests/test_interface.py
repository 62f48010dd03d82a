"""The interface as its OpenAPI document tells it, tried with thousands of generated requests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from attacked import open_target
from services import TOKEN

EXAMPLES = 6


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["release", "scratch"])
def test_generated_requests_meet_no_fault_of_ours_and_no_answer_that_is_not_documented(
    mode: str, release_folder: Path, tmp_path: Path
) -> None:
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run"),
        *("--checks", "not_a_server_error,status_code_conformance,content_type_conformance"),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES), "--seed", "1"),
        *("--generation-database", "none", "--suppress-health-check", "all"),
        *("--continue-on-failure", "--no-shrink", "--no-color"),
    ]
    if mode == "scratch":
        command += ["--header", f"Authorization: Bearer {TOKEN}"]
    with open_target(mode, release_folder, tmp_path, KG_QUERY_TIME_LIMIT_MS="5000") as target:
        # Its own report and cache are none of ours.
        done = subprocess.run(
            [*command, f"{target.service.address}/openapi.json"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        target.bystander.assert_answered()
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]
    generated = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert generated and int(generated[1]) == int(generated[2]) > 100
