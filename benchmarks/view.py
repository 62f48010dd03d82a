"""How fast the graph view draws, in a real browser without a graphics card.

    python benchmarks/view.py

Prints how long a graph of 500 and of 5,000 things takes from the page's start to a picture at rest, and
how long one frame takes while it is moved and zoomed; then how large the explorer's first page is and when it can
be used. Needs Debian's chromium and the built front end.
"""

from __future__ import annotations

import gzip
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from kg.notebook.drawing import page_of

SIZES = {500: 1.0, 5000: 6.0}
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
MOST_FIRST_PAGE_BYTES = 300_000
KINDS = ["pev:Theme", "pev:Barrier", "pev:Recommendation", "pev:Finding", "org:Organization"]
BASES = ["said", "judged", "inferred", "reference"]
_FRAMES = """async () => {
    const canvas = document.querySelector('canvas.picture'), box = canvas.getBoundingClientRect();
    const send = (kind, x) => canvas.dispatchEvent(new PointerEvent(kind, {pointerId: 1, button: 0, bubbles: true,
        clientX: box.x + 5 + x, clientY: box.y + 5}));
    canvas.setPointerCapture = () => {};
    send('pointerdown', 0);
    const started = performance.now();
    for (let i = 1; i <= 12; i++) { send('pointermove', 10 * i); await new Promise(requestAnimationFrame); }
    const moved = (performance.now() - started) / 12;
    send('pointerup', 120);
    await new Promise(resolve => setTimeout(resolve, 1000));
    const wheel = {deltaY: -60, clientX: box.x + 300, clientY: box.y + 200, cancelable: true};
    const begun = performance.now();
    for (let i = 0; i < 12; i++) {
        canvas.dispatchEvent(new WheelEvent('wheel', wheel));
        await new Promise(requestAnimationFrame);
    }
    return [moved, (performance.now() - begun) / 12];
}"""


def graph(count: int) -> dict[str, object]:
    """Returns the data of a page: things in a net that is denser around some of them."""
    chance = random.Random(1)
    entities = [
        {"iri": f"n{i}", "curie": f"n{i}", "label": f"Thing number {i}", "type": KINDS[i % len(KINDS)]}
        for i in range(count)
    ]
    links = [
        {"from": f"n{i}", "link": "l", "to": f"n{int(i * chance.random() ** 2)}", "label": "blocks"}
        | {"basis": BASES[i % len(BASES)], "origins": []}
        for i in range(1, count)
        for _ in range(2)
    ]
    return {
        "title": f"{count} things",
        "release": "0" * 64,
        "entities": entities,
        "links": links,
        "steps": [{"op": "add", "nodes": [entity["iri"] for entity in entities]}],
        "places": {},
        "details": {},
        "dates": {},
        "arrangement": {"kind": "force"},
    }


def measure_graph(browser: Browser, count: int, most_s: float) -> bool:
    """Prints the figures of one size and tells whether it is drawn in time."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "page.html")
        file.write_text(page_of(f"{count} things", "0" * 64, graph(count), ""), encoding="utf-8")
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        started = time.perf_counter()
        page.goto(file.as_uri())
        page.locator(f"canvas.picture[data-drawn='{count}']").wait_for(timeout=60_000)
        drawn = time.perf_counter() - started
        page.locator("canvas.picture[data-at-rest='true']").wait_for(timeout=120_000)
        rest = time.perf_counter() - started
        moved, zoomed = page.evaluate(_FRAMES)
        page.close()
    print(
        f"{count:>6} things: drawn after {drawn:.2f} s (at most {most_s} s), "
        f"at rest after {rest:.2f} s, {moved:.0f} ms a frame while moved, {zoomed:.0f} while zoomed"
    )
    return drawn <= most_s


def measure_first_page(browser: Browser) -> bool:
    """Prints how large the explorer's first page is, and when its search can be used."""
    command = [sys.executable, "-m", "kg", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().removeprefix("Serving on ").strip()
            page = browser.new_page()
            sizes: list[int] = []
            page.on("response", lambda answer: sizes.append(len(gzip.compress(answer.body()))))
            started = time.perf_counter()
            page.goto(address)
            page.get_by_role("combobox").first.wait_for()
            usable = time.perf_counter() - started
            page.wait_for_load_state("networkidle")
        finally:
            process.terminate()
    print(
        f"first page: {sum(sizes) / 1000:.0f} KB gzipped (at most {MOST_FIRST_PAGE_BYTES / 1000:.0f}), "
        f"usable after {usable:.2f} s (at most 1 s)"
    )
    return sum(sizes) <= MOST_FIRST_PAGE_BYTES and usable <= 1


def main() -> int:
    """Returns 0 when every figure keeps its bound."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        kept = [measure_graph(browser, count, most_s) for count, most_s in SIZES.items()]
        kept.append(measure_first_page(browser))
        browser.close()
    print(json.dumps({"kept": all(kept)}))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    raise SystemExit(main())
