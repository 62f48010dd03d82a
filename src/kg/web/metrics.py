"""Numbers for Prometheus: requests, latencies, lanes, kills, cache, release."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# Paths with a name in them are counted by their first part, so that the number of series stays small.
_WHOLE = frozenset({"/", "/sparql", "/graphs", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics"})


class Metrics:
    """The counters of one service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "kg_requests", "Requests answered", ["method", "path", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "kg_request_seconds", "Time to the end of the answer", ["path"], registry=self._registry
        )
        self._gauges: dict[str, Gauge] = {}
        self._readings: Mapping[str, Callable[[], float]] = {}

    def watch(self, readings: Mapping[str, Callable[[], float]]) -> None:
        """Reads these numbers whenever the metrics are asked for: name of the gauge to its reading."""
        self._readings = readings
        for name in readings:
            self._gauges[name] = Gauge(name, name.removeprefix("kg_").replace("_", " "), registry=self._registry)

    def request(self, method: str, path: str, status: int, seconds: float) -> None:
        """Counts a request that is done."""
        whole = path in _WHOLE or (path.startswith("/api/") and path.count("/") == 2)
        shown = path if whole else f"/{path.split('/')[1]}/…"
        self._requests.labels(method, shown, str(status)).inc()
        self._seconds.labels(shown).observe(seconds)

    def text(self) -> bytes:
        """Returns all numbers in Prometheus' text format."""
        for name, reading in self._readings.items():
            self._gauges[name].set(reading())
        return generate_latest(self._registry)
