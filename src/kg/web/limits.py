"""How much one client may ask: a sliding window over its requests.

A client is an IPv4 address, or an IPv6 network of 64 bits, which is what one subscriber is given.
"""

from __future__ import annotations

import ipaddress
import math
import time
from functools import lru_cache

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from kg.errors import BadParameter, OverloadError
from kg.web.operations import PROBES
from kg.web.problems import problem

_SETTING = "KG_RATE_LIMIT"
_IPV6_PREFIX = 64


class RateLimit:
    """Refuses with 429 what a client sends beyond its rate; probes are not counted.

    Raises:
        BadParameter: the rate cannot be read.
    """

    def __init__(self, app: ASGIApp, rate: str) -> None:
        self._app = app
        self._rates = read_rates(rate)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        client = client_of(scope["client"][0] if scope.get("client") else "")
        passed = next((rate for rate in self._rates if not self._limiter.hit(rate, client)), None)
        if passed is None:
            await self._app(scope, receive, send)
            return
        wait_s = self._wait_s(passed, client)
        words = f"More than {passed} came from your address; the setting {_SETTING} bounds it. Wait {wait_s} s."
        response = problem(OverloadError(words, limit=_SETTING), 429)
        response.headers["Retry-After"] = str(wait_s)
        await response(scope, receive, send)

    def _wait_s(self, rate: RateLimitItem, client: str) -> int:
        return max(1, math.ceil(self._limiter.get_window_stats(rate, client).reset_time - time.time()))


def read_rates(text: str) -> list[RateLimitItem]:
    """Returns the rates that a setting names, such as `600/minute` or `20/second; 600/minute`.

    >>> [str(rate) for rate in read_rates("20/second; 600/minute")]
    ['20 per 1 second', '600 per 1 minute']

    Raises:
        BadParameter: it is no rate, or allows nothing.
    """
    try:
        rates = parse_many(text)
    except ValueError as error:
        raise BadParameter(f"{_SETTING}: {text!r} is no rate; write such as 600/minute.") from error
    if any(rate.amount < 1 for rate in rates):
        raise BadParameter(f"{_SETTING}: {text!r} would refuse every request.")
    return rates


@lru_cache(maxsize=4096)
def client_of(address: str) -> str:
    """Returns what counts as one client.

    >>> client_of("192.0.2.7"), client_of("2001:db8:1:2:3:4:5:6"), client_of("::ffff:192.0.2.7")
    ('192.0.2.7', '2001:db8:1:2::/64', '192.0.2.7')
    """
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    mapped = known.ipv4_mapped
    return str(mapped or ipaddress.ip_network((known, _IPV6_PREFIX), strict=False))
