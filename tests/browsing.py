"""A page in a real browser that is watched: what it asks for, what it complains of, how it looks."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Request

ROOT = Path(__file__).parents[1]
# Pictures for people to look at; git ignores them.
SCREENSHOTS = Path(os.environ.get("KG_TEST_SCREENSHOTS") or Path(__file__).parent / "screenshots")
_AXE = ROOT / "src" / "kg" / "web" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
# Long enough for a machine that is busy with something else; only what fails waits for it.
PATIENCE_MS = 60_000


class Watched:
    """A page and everything about it that must not be."""

    def __init__(self, context: BrowserContext, service: str) -> None:
        self.service = service
        context.set_default_timeout(PATIENCE_MS)
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.outside: list[str] = []
        self.waiting: set[Request] = set()
        self.page.on("console", lambda message: self._heard(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("requestfinished", self._answered)
        self.page.on("requestfailed", self._answered)

    def _heard(self, kind: str, text: str) -> None:
        # A 404 or 400 that the page shows as such is logged by the browser too.
        if kind in {"error", "warning"} and not text.startswith("Failed to load resource"):
            self.complaints.append(text)

    def _asked(self, request: Request) -> None:
        self.waiting.add(request)
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != urlsplit(self.service).netloc:
            self.outside.append(request.url)

    def _answered(self, request: Request) -> None:
        self.waiting.discard(request)

    def open(self, path: str) -> Page:
        """Goes to a path of the service and returns the page."""
        self.page.goto(self.service + path)
        return self.page

    def quiet(self, wait_ms: int) -> None:
        """Waits until so long after now, and then until everything that was asked for is answered."""
        self.page.wait_for_timeout(wait_ms)
        while self.waiting:
            self.page.wait_for_timeout(20)

    def settled(self, count: int | None = None) -> None:
        """Waits until the graph is drawn and at rest, with so many things in it, or with any."""
        wanted = ":not([data-drawn='0'])" if count is None else f"[data-drawn='{count}']"
        self.page.locator(f"canvas.picture[data-at-rest='true']{wanted}").wait_for()

    @property
    def drawn(self) -> int:
        """How many things are drawn now."""
        return int(self.page.locator("canvas.picture").get_attribute("data-drawn") or 0)

    def more_than(self, count: int) -> None:
        """Waits until more things are drawn than so many, and nothing is on its way."""
        self.page.wait_for_function(
            """([canvas, count]) => canvas.dataset.atRest === 'true' && Number(canvas.dataset.drawn) > count""",
            arg=[self.page.locator("canvas.picture").element_handle(), count],
        )

    def place(self, thing: str, kind: str = "place") -> tuple[float, float]:
        """Returns where a thing or link is drawn, in pixels of the page."""
        canvas = self.page.locator("canvas.picture")
        at = canvas.evaluate(f"(canvas, name) => canvas.graphPicture.{kind}(name)", thing)
        box = canvas.bounding_box()
        assert at and box, f"{thing} is not drawn"
        return box["x"] + at["x"], box["y"] + at["y"]

    def look(self, name: str) -> None:
        """Takes a picture of the page for people."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def barriers(self) -> list[str]:
        """Returns what stands in the way of people with disabilities, as axe-core finds it."""
        # Evaluated from outside the page, which the page's policy does not concern.
        self.page.evaluate(_AXE.read_text(encoding="utf-8"))
        found = cast(dict[str, Any], self.page.evaluate("() => axe.run()"))
        serious = [v for v in found["violations"] if v["impact"] in {"serious", "critical"}]
        return [f"{v['id']}: {json.dumps([n['html'][:160] for n in v['nodes'][:3]])}" for v in serious]


@contextmanager
def watched(browser: Browser, service: str, *, complaints: bool = True) -> Iterator[Watched]:
    """Yields a page; when it is done with, it must have asked nothing of others and had no error.

    Args:
        browser: what opens it.
        service: whom alone it may ask.
        complaints: whether what the page complains of counts; another program's page has its own.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    try:
        made = Watched(context, service)
        yield made
        assert not (complaints and made.complaints), made.complaints
        assert not made.outside, made.outside
    finally:
        context.close()


@contextmanager
def running_notebooks(module: str, *arguments: str, health: str) -> Iterator[str]:
    """Yields the address of another program that shows notebooks, started on a free port.

    Args:
        module: the program, as `python -m` knows it.
        arguments: for it; `{port}` in them is the port.
        health: the path at which it answers once it is up.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", module, *(argument.format(port=port) for argument in arguments)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address + health, process)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            assert process.poll() is None, f"{process.args!r} ended"
            time.sleep(0.25)
        else:
            return
    raise AssertionError(f"{address} does not answer")
