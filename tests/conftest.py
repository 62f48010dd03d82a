"""What the tests share: this repository's release, built once, and a real service over it."""

from __future__ import annotations

import gc
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from fastapi import FastAPI

from engines import stop_shared
from kg.answers import Answers
from kg.cli import main
from kg.evidence import read_texts
from kg.release.build import build
from kg.release.opened import Release, open_release
from kg.web.app import create_app
from kg.web.logs import JsonLines
from kg.web.pages import is_built
from kg.web.serving import Serving
from kg.workspace import Settings, Workspace, open_workspace, read_settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]

# The gate says the same of the same code, however busy the machine is; `pytest --hypothesis-profile=explore` looks
# further.
_PATIENT = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("gate", _PATIENT, derandomize=True)
hypothesis.settings.register_profile("explore", _PATIENT, max_examples=2000)
hypothesis.settings.load_profile("gate")


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> None:
    """The settings of whoever runs the tests must not change what they find."""
    for name in [name for name in os.environ if name.startswith("KG_") and not name.startswith("KG_TEST_")]:
        del os.environ[name]


def pytest_collection_finish() -> None:
    """Spares the collector of garbage what the tests have loaded: builds call it, and each call took a second."""
    gc.collect()
    gc.freeze()


_PLACES = logging._srcfile


@pytest.fixture(autouse=True)
def _no_log_left_behind() -> Iterator[None]:
    """A service that a test runs in this process sets up its log; the next test is to have none."""
    yield
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler.formatter, JsonLines)]:
        root.removeHandler(handler)
        root.setLevel(logging.WARNING)
        logging.captureWarnings(capture=False)
        logging.logThreads = logging.logProcesses = logging.logMultiprocessing = True
        logging._srcfile = _PLACES
        for name in ("uvicorn", "asyncio"):
            logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture(autouse=True, scope="session")
def _no_engine_left_behind() -> Iterator[None]:
    """The engines that tests share end with the last of them."""
    yield
    stop_shared()


@pytest.fixture(scope="session")
def settings() -> Settings:
    return read_settings()


@pytest.fixture(scope="session")
def workspace() -> Workspace:
    return open_workspace(ROOT)


@pytest.fixture(scope="session")
def release_folder(tmp_path_factory: pytest.TempPathFactory, workspace: Workspace, settings: Settings) -> Path:
    """The release of this repository, built once for all tests (the rules have tests of their own)."""
    return build(workspace, settings, tmp_path_factory.mktemp("release") / "release", check="none").directory.root


@pytest.fixture(scope="session")
def release(release_folder: Path) -> Iterator[Release]:
    opened = open_release(release_folder)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def answers(release: Release, settings: Settings) -> Answers:
    """The front door, without texts."""
    return Answers(release, read_texts(None), settings)


@pytest.fixture(scope="session")
def texts_folder() -> Path:
    """The folder of the five texts; tests that need it skip where it is not at hand."""
    folder = os.environ.get("KG_TEST_TEXTS")
    if not folder or not Path(folder).is_dir():
        pytest.skip("the texts are not at hand: KG_TEST_TEXTS is not set")
    return Path(folder)


def application(release: Release, settings: Settings, texts: Path | None = None) -> FastAPI:
    """The web application over a release; it is opened and closed by a TestClient used with `with`."""
    held = settings if texts is None else replace(settings, texts=str(texts))
    return create_app(Serving(release.directory.root, held))


@contextmanager
def running_service(*arguments: str) -> Iterator[str]:
    """Yields the address of a `kg serve` of its own on a free port; it is stopped at the end."""
    command = [sys.executable, "-m", "kg", "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Serving on "), f"the service did not start: {line!r}"
            yield line.removeprefix("Serving on ").strip().rstrip("/")
        finally:
            process.terminate()
            process.wait(timeout=60)


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# Nothing that would ask the network for anything but what a page asks for.
_CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what drives a browser: its driver keeps an event loop running, so it has a process of its own."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def built_front_end() -> None:
    """The bundled front end; tests that need it skip where it is not built."""
    if not is_built():
        pytest.skip("the front end is not built: python hatch_build.py")


@pytest.fixture(scope="session")
def browser(built_front_end: None, chromium: Browser) -> Browser:
    """A real browser; tests that need it skip where there is none, or where the front end is not built."""
    return chromium


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real browser, for pages that need no front end; one in a process, as its driver allows no second."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=_CHROMIUM_FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def service(release_folder: Path) -> Iterator[str]:
    """The address of a service over this repository's release."""
    with running_service("--release", str(release_folder)) as address:
        yield address


@pytest.fixture(scope="session")
def held(release_folder: Path, texts_folder: Path) -> Iterator[str]:
    """The address of a service that holds the texts, so that quotes can be shown."""
    with running_service("--release", str(release_folder), "--texts", str(texts_folder)) as address:
        yield address


@pytest.fixture
def kg_command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., dict[str, object]]:
    """Runs a command of `kg` in this process and returns the JSON that it prints."""

    def run(*arguments: object) -> dict[str, object]:
        monkeypatch.setattr(sys, "argv", ["kg", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        captured = capfd.readouterr()
        assert (caught.value.code or 0, captured.err) == (0, "")
        found: dict[str, object] = json.loads(captured.out)
        return found

    return run
