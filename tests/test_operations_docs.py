"""docs/operations.md and the files beside it say what is so: settings, metrics, units, image, proxy."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.main import get_command

from conftest import ROOT, application
from kg.cli.program import app
from kg.engines.worker import LEAST_MEMORY_MB
from kg.release.opened import Release
from kg.web.limits import read_rates
from kg.workspace import SETTINGS, Setting, Settings

DOCS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))


def _row(setting: Setting) -> str:
    default = setting.default
    shown = "not set" if default is None else f"{default:,}" if isinstance(default, int) else default
    return f"| `{setting.variable}` | {shown} | {setting.unit} | {setting.help} |"


def _table(heading: str) -> list[str]:
    """Returns the rows of the table below a heading."""
    section = DOCS.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("| `")]


# Settings


def test_every_setting_stands_in_the_table_as_the_program_has_it() -> None:
    assert _table("Settings") == [_row(setting) for setting in SETTINGS]


def test_kg_settings_prints_every_setting_with_its_meaning() -> None:
    done = subprocess.run([sys.executable, "-m", "kg", "settings"], capture_output=True, text=True, check=True)
    for setting in SETTINGS:
        assert re.search(rf"^{setting.variable} = .*{re.escape(setting.help)}  \[default\]$", done.stdout, re.MULTILINE)


def test_a_setting_that_is_named_anywhere_in_the_docs_is_one() -> None:
    files = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(p for p in DEPLOY.iterdir() if p.is_file())]
    known = {setting.variable for setting in SETTINGS} | {"KG_TEST_CONFORMANCE", "KG_TEST_TEXTS"}
    named = {name for path in files for name in re.findall(r"\bKG_[A-Z_]+\b", path.read_text(encoding="utf-8"))}
    assert named <= known


def test_the_least_memory_of_a_worker_is_the_one_that_is_told() -> None:
    assert f"less counts as {LEAST_MEMORY_MB:,}" in DOCS


def test_the_rates_that_are_shown_can_be_read() -> None:
    shown = re.search(r"`KG_RATE_LIMIT` \(`([^`]+)`, or several: `([^`]+)`\)", DOCS)
    assert shown is not None
    assert [len(read_rates(text)) for text in shown.groups()] == [1, 2]


# Metrics


def test_every_metric_stands_in_the_table(release: Release, settings: Settings) -> None:
    with TestClient(application(release, settings)) as client:
        client.get("/api/release")
        text = client.get("/metrics").text
    exposed = set(re.findall(r"^# HELP (\w+) ", text, re.MULTILINE))
    documented = [row.split("`")[1] for row in _table("Metrics")]
    assert len(documented) == len(set(documented))
    assert set(documented) == exposed


# Files to copy


def _value(unit: Path, name: str) -> str:
    (found,) = re.findall(rf"^{name}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    return str(found)


def _is_a_command(arguments: list[str]) -> None:
    """Refuses a command line that the program would refuse for its words; runs nothing."""
    name, *rest = arguments
    command = get_command(app).commands[name]  # type: ignore[attr-defined]  # the program is a group of commands
    command.make_context(name, list(rest))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_a_command_that_there_is(unit: Path) -> None:
    program, *arguments = _value(unit, "ExecStart").split()
    assert program == "/opt/policy-evidence/bin/kg"
    _is_a_command(arguments)


def test_the_commands_in_the_text_are_ones_that_there_are() -> None:
    (writable,) = re.findall(r"^ExecStart=/opt/policy-evidence/bin/kg (.+)$", DOCS, re.MULTILINE)
    _is_a_command(writable.split())


def test_the_unit_waits_longer_than_the_service_drains(settings: Settings) -> None:
    assert int(_value(DEPLOY / "policy-evidence.service", "TimeoutStopSec")) * 1000 > settings.drain_time_limit_ms
    assert _value(DEPLOY / "policy-evidence.service", "KillMode") == "mixed"


def test_the_unit_allows_files_for_all_connections(settings: Settings) -> None:
    assert int(_value(DEPLOY / "policy-evidence.service", "LimitNOFILE")) >= settings.max_connections + 1024


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_has_nothing_to_say_against_a_unit(unit: Path, tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not installed")
    # The program it names is not installed here; every other line is looked at as it is.
    copy = tmp_path / unit.name
    program = Path(sys.executable)
    copy.write_text(
        unit.read_text(encoding="utf-8").replace("/opt/policy-evidence/bin/kg", str(program)), encoding="utf-8"
    )
    done = subprocess.run([verify, "verify", str(copy)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_image_is_made_of_files_that_there_are_and_runs_a_command_that_there_is(settings: Settings) -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    assert "--constraint constraints.txt ." in text and (ROOT / "constraints.txt").is_file()
    (words,) = re.findall(r"^CMD \[(.*)\]$", text, re.MULTILINE)
    _is_a_command(re.findall(r'"([^"]+)"', words))
    (python,) = re.findall(r"^ARG PYTHON=python:3\.(\d+)-slim$", text, re.MULTILINE)
    assert int(python) >= 11
    (stop_s,) = re.findall(r"--stop-timeout (\d+)", text)
    assert int(stop_s) * 1000 > settings.drain_time_limit_ms


def test_the_proxy_lets_through_what_the_service_takes(settings: Settings) -> None:
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    (body_mib,) = re.findall(r"client_max_body_size (\d+)m;", text)
    (head_kib,) = re.findall(r"large_client_header_buffers 8 (\d+)k;", text)
    (wait_s,) = re.findall(r"proxy_read_timeout (\d+)s;", text)
    assert int(body_mib) << 20 >= settings.max_upload_bytes
    assert int(head_kib) << 10 >= settings.max_header_bytes
    assert int(wait_s) * 1000 > settings.query_time_limit_ms


def test_the_files_that_the_docs_name_are_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", DOCS)
    assert links
    assert all((ROOT / "docs" / link).exists() for link in links)
