"""Which paths there are, and which methods each takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Mount, compile_path

# What a path is counted as that no route knows, so that strangers cannot make up new series.
OTHER = "other"
_KNOWN_PATHS = 1024


class RouteTable:
    """The routes of an application, to be asked by path."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        found: list[tuple[re.Pattern[str], str, frozenset[str]]] = []
        for route in iter_route_contexts(routes):
            if isinstance(route.original_route, Mount):
                path, methods = f"{route.original_route.path}/{{path:path}}", frozenset({"GET"})
            elif route.path is None:
                continue
            else:
                path, methods = route.path, frozenset(route.methods or ())
            pattern, template, _ = compile_path(path)
            found.append((pattern, template, methods | ({"HEAD"} if "GET" in methods else set())))
        self._routes = found
        self.template = lru_cache(_KNOWN_PATHS)(self._template)

    def _template(self, path: str) -> str:
        """Returns the path as it was declared, such as `/graphs/{path}`; `other` where there is no route."""
        return next((template for pattern, template, _ in self._routes if pattern.match(path)), OTHER)

    def methods(self, path: str) -> list[str]:
        """Returns the methods a path takes, in the order of their names; none where there is no route."""
        taken = {name for pattern, _, methods in self._routes if pattern.match(path) for name in methods}
        return sorted(taken | {"OPTIONS"}) if taken else []
