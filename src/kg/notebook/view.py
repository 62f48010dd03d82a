"""The interactive view of a graph in a notebook: the explorer's, as a widget.

It asks through its kernel what it wants to know: a message names an address of the API and its
parameters, the reply is what the API returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import anywidget
import traitlets

from kg import wire
from kg.errors import BadParameter, KgError
from kg.notebook.drawing import Drawing, built

# What the view may ask, and nothing else.
_ASKED = frozenset({"link", "neighbours", "subgraph"})
_STATUS = 400


class View(anywidget.AnyWidget):
    """A graph to click through; `selected` holds the IRIs of what is selected in it."""

    graph = traitlets.Dict().tag(sync=True)
    selected = traitlets.List(traitlets.Unicode()).tag(sync=True)
    # The class of the still picture that stands in for this view until it runs.
    stands_in = traitlets.Unicode().tag(sync=True)

    def __init__(self, drawing: Drawing) -> None:
        # As text: of a path that is given to one widget only the name would reach the browser.
        self._esm = built("widget.js").read_text(encoding="utf-8")
        self._css = built("view.css").read_text(encoding="utf-8")
        self.drawing = drawing
        super().__init__(graph=drawing.graph, stands_in=f"kg-still-{uuid4().hex}")
        self.on_msg(lambda _widget, content, _buffers: self.send(self.reply(content)))

    def reply(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the reply to a message of the view: `{id, answer}`, or `{id, problem}`."""
        try:
            if message["ask"] not in _ASKED:
                raise BadParameter(f"ask: {message['ask']!r} is none of {', '.join(sorted(_ASKED))}.")
            given = {_python(name): value for name, value in message["parameters"].items()}
            return {"id": message["id"], "answer": self.drawing.door.get(message["ask"], **given)}
        except KgError as error:
            return {"id": message["id"], "problem": wire.problem(error, _STATUS)}

    def to_html(self, *arguments: Any, **options: Any) -> str:
        """Returns a page that shows the graph by itself; see `Drawing.to_html`."""
        return self.drawing.to_html(*arguments, **options)

    def to_svg(self) -> str:
        """Returns a still picture."""
        return self.drawing.to_svg()

    def _ipython_display_(self) -> None:
        """Shows the view; and, where no script will ever run (an export, a review), the still picture.

        Who knows no widgets takes the picture that comes with the view. Who knows them but has none
        running (a page made by nbconvert) shows the one below it, which a running view puts away.
        """
        from IPython.display import HTML, display

        data, metadata = self._repr_mimebundle_() or ({}, {})
        display({**data, "image/svg+xml": self.to_svg()}, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]  # IPython's own
        display(HTML(f'<div class="{self.stands_in}">{self.drawing._repr_html_()}</div>'))  # type: ignore[no-untyped-call]


def _python(name: str) -> str:
    """Returns a parameter's name as Python can write it."""
    return f"{name}_" if name in {"from", "type"} else name
