"""Numbers for Prometheus: requests, latencies, lanes, kills, cache, release.

The number of series is bounded whatever strangers send: a path counts as the route that takes it,
and unknown paths and methods count as `other`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kg import __version__

# When a series began doubles their number and is of no use here.
disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations

Readings = Mapping[str, Callable[[], float]]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_OTHER = "other"
# From a look-up in memory to the longest query that a time limit lets through.
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
# What is read from others at the moment of asking: what it means, and whether it only ever grows.
_READ = {
    "kg_release_swaps": ("Releases taken over while running", True),
    "kg_release_in_memory": ("1 while the release is held in memory for queries", False),
    "kg_cache_hits": ("Answers given from memory", True),
    "kg_cache_misses": ("Answers that had to be found", True),
    "kg_queries_killed": ("Queries ended for time, or for a client that left", True),
    "kg_queries_fast": ("Queries running in the fast lane", False),
    "kg_queries_slow": ("Queries running in the slow lane", False),
    "kg_queries_waiting": ("Queries waiting for a worker", False),
}


class Metrics:
    """The counters of one service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "kg_http_requests", "Requests answered", ["method", "path", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "kg_http_request_seconds",
            "Time to the end of the answer",
            ["path"],
            registry=self._registry,
            buckets=_BUCKETS_S,
        )
        self.in_flight = Gauge("kg_http_requests_in_flight", "Requests being answered", registry=self._registry)
        ProcessCollector(registry=self._registry)
        # To find the series of a request costs more than to count it.
        self._series = lru_cache(1024)(self._find_series)
        self._read: _Read | None = None

    def watch(self, readings: Readings, release: Callable[[], str | None]) -> None:
        """Reads numbers whenever the metrics are asked for.

        Args:
            readings: the name of each to its reading.
            release: gives the id of the release that is served, None where none is.
        """
        if self._read is not None:
            self._registry.unregister(self._read)
        self._read = _Read(readings, release)
        self._registry.register(self._read)

    def request(self, method: str, template: str, status: int, seconds: float) -> None:
        """Counts a request that is done.

        Args:
            template: the path as its route declares it.
        """
        requests, times = self._series(method if method in _METHODS else _OTHER, template, status)
        requests.inc()
        times.observe(seconds)

    def _find_series(self, method: str, template: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(method, template, str(status)), self._seconds.labels(template)

    def text(self, accept: str) -> tuple[bytes, str]:
        """Returns all numbers in the format that is preferred, Prometheus' own or OpenMetrics, and its media type."""
        encode, media_type = choose_encoder(accept)
        return encode(self._registry), media_type


class _Read(Collector):
    """Numbers that others keep."""

    def __init__(self, readings: Readings, release: Callable[[], str | None]) -> None:
        self._readings = readings
        self._release = release
        self._last: dict[str, float] = {}
        self._sum: dict[str, float] = {}

    def describe(self) -> Iterator[Metric]:
        """Yields nothing: what there is can be read only once the service is open."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        for name, reading in self._readings.items():
            words, grows = _READ.get(name, (name, False))
            if grows:
                yield CounterMetricFamily(name, words, self._grown(name, reading()))
            else:
                yield GaugeMetricFamily(name, words, reading())
        release = GaugeMetricFamily("kg_release_info", "What is served, and by which version", labels=_INFO)
        release.add_metric([self._release() or "", __version__], 1)
        yield release

    def _grown(self, name: str, value: float) -> float:
        """Returns a sum that never falls: with a new release the workers, and what they counted, begin anew."""
        last = self._last.get(name, 0)
        self._last[name] = value
        self._sum[name] = self._sum.get(name, 0) + (value - last if value >= last else value)
        return self._sum[name]


_INFO = ["release", "version"]
