"""Requests to an engine, each with an end: in time, in size, and at the host that was named.

SPARQLWrapper has neither a pool nor a limit on what comes back, and follows a redirect wherever it
leads; so requests go over an HTTP client here. What an engine says of an error is passed on.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, cast

import httpx2

from kg.errors import BadParameter, EngineError, EngineSilent, EngineTimeout, LimitError
from kg.workspace import Settings

# Answers up to this size stay in memory.
_IN_MEMORY_BYTES = 1 << 20
# Of an engine's error so much is read, and so much of it shown.
_ERROR_BYTES = 65_536
_SHOWN_CHARACTERS = 600
# A read is tried again after so long.
_PAUSES_S = (0.1, 0.4, 1.6)
_TRY_AGAIN = frozenset({429, 502, 503})
_REDIRECTS = frozenset({301, 302, 307, 308})
_MOST_REDIRECTS = 3
_CONNECTIONS = 16

Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Limits:
    """How long a request may take in all, and how long its answer may be."""

    time_ms: int
    size: int
    time_name: str = "KG_QUERY_TIME_LIMIT_MS"
    size_name: str = "KG_MAX_ANSWER_BYTES"


@dataclass(frozen=True)
class Sent:
    """A request: form fields or a body, and whether it only reads, so that it may be sent again."""

    url: str
    method: str = "POST"
    form: Fields = ()
    parameters: Fields = ()
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    reads: bool = True


@dataclass(frozen=True)
class Got:
    """A whole answer: its status and headers, and a file that holds it, read from the start."""

    status: int
    headers: Mapping[str, str]
    file: IO[bytes]

    def text(self) -> bytes:
        """Returns the answer as bytes."""
        self.file.seek(0)
        return self.file.read()


def auth_of(settings: Settings) -> httpx2.Auth | None:
    """Returns how requests prove who we are.

    Raises:
        BadParameter: the scheme is none that there is, or lacks its name or password.
    """
    scheme, user, password = settings.engine_auth, settings.engine_user, settings.engine_password
    if scheme == "none":
        return None
    if scheme not in {"basic", "bearer", "digest"}:
        raise BadParameter(f"KG_ENGINE_AUTH: {scheme!r} is none of none, basic, bearer, digest.")
    if not password or (not user and scheme != "bearer"):
        missing = "KG_ENGINE_PASSWORD" if not password else "KG_ENGINE_USER"
        raise BadParameter(f"{missing}: is not set, and KG_ENGINE_AUTH is {scheme}.")
    if scheme == "bearer":
        return _Bearer(password)
    assert user is not None
    return httpx2.BasicAuth(user, password) if scheme == "basic" else httpx2.DigestAuth(user, password)


class _Bearer(httpx2.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx2.Request) -> Iterator[httpx2.Request]:  # type: ignore[override]  # nothing is sent back into it
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class Transport:
    """A pool of connections to one engine."""

    def __init__(self, auth: httpx2.Auth | None = None) -> None:
        self._client = httpx2.Client(
            auth=auth,
            trust_env=False,
            follow_redirects=False,
            limits=httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
            headers={"Accept-Encoding": "identity", "User-Agent": "policy-evidence-kg"},
        )

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()

    def send(self, sent: Sent, limits: Limits, allowed: Sequence[int] = ()) -> Got:
        """Returns the whole answer to a request; one that only reads is tried again when the engine is away.

        Args:
            allowed: statuses beside 2xx that are answers.

        Raises:
            EngineSilent: it was not reached, or broke off.
            EngineTimeout: it took too long.
            EngineError: it answered with an error, or sends us to another host.
            LimitError: the answer is too long.
            BadParameter: the address is none.
        """
        deadline = time.monotonic() + limits.time_ms / 1000
        for pause in _PAUSES_S if sent.reads else ():
            try:
                return self._once(sent, limits, deadline, allowed)
            except (EngineSilent, _Away):
                if time.monotonic() + pause >= deadline:
                    raise
            time.sleep(pause)
        return self._once(sent, limits, deadline, allowed)

    def _once(self, sent: Sent, limits: Limits, deadline: float, allowed: Sequence[int]) -> Got:
        url = sent.url
        for _ in range(_MOST_REDIRECTS):
            with _named(url, limits, deadline), self._answering(sent, url, deadline) as response:
                if response.status_code in _REDIRECTS:
                    url = _same_host(url, response)
                    continue
                if not response.is_success and response.status_code not in allowed:
                    raise _error_of(url, response, deadline)
                return Got(response.status_code, dict(response.headers), _whole(url, response, limits, deadline))
        raise EngineError(f"{shown_address(sent.url)} sends us from one address to another.")

    @contextmanager
    def _answering(self, sent: Sent, url: str, deadline: float) -> Iterator[httpx2.Response]:
        left = deadline - time.monotonic()
        if left <= 0:
            raise httpx2.ReadTimeout("no time is left")
        content = sent.body
        headers = dict(sent.headers)
        if content is None and sent.form:
            content = str(httpx2.QueryParams(list(sent.form))).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        parameters = httpx2.QueryParams(list(sent.parameters)) if sent.parameters else None
        request = self._client.build_request(
            sent.method, url, params=parameters, content=content, headers=headers, timeout=left
        )
        response = self._client.send(request, stream=True)
        try:
            yield response
        finally:
            response.close()


class _Away(EngineError):
    """An engine, or what stands before it, said that it is not there now."""


@contextmanager
def _named(url: str, limits: Limits, deadline: float) -> Iterator[None]:
    """Names what went wrong on the way."""
    where = shown_address(url)
    try:
        yield
    except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
        raise BadParameter(f"{where!r} is no address of an engine, such as http://host:port/.") from error
    except httpx2.TransportError as error:
        if isinstance(error, httpx2.TimeoutException) or time.monotonic() > deadline:
            words = f"{where} did not answer within {limits.time_ms} ms ({limits.time_name})."
            raise EngineTimeout(words, limits.time_name) from error
        words = str(error) or type(error).__name__
        raise EngineSilent(f"{where} is not reached, or broke off: {_sentence(words)}") from error


def _whole(url: str, response: httpx2.Response, limits: Limits, deadline: float) -> IO[bytes]:
    """Returns a file with all of an answer."""
    file = cast(IO[bytes], tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES))  # noqa: SIM115 - the caller closes it
    size = 0
    try:
        for part in response.iter_bytes():
            size += len(part)
            if size > limits.size:
                raise LimitError(
                    f"The answer of {shown_address(url)} has over {limits.size} bytes ({limits.size_name}).",
                    limit=limits.size_name,
                )
            if time.monotonic() > deadline:
                raise httpx2.ReadTimeout("the answer takes too long")
            file.write(part)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _same_host(url: str, response: httpx2.Response) -> str:
    """Returns where a redirect leads, which must be the same host: whoever it is has not been named to us.

    Raises:
        EngineError: it leads elsewhere.
    """
    before = httpx2.URL(url)
    after = before.join(response.headers.get("location", ""))
    here, there = shown_address(url), shown_address(str(after))
    if (after.scheme, after.host, after.port) != (before.scheme, before.host, before.port):
        raise EngineError(f"{here} sends us to another host, {there}; that is not followed.")
    if response.status_code in {301, 302} and response.request.method != "GET":
        raise EngineError(f"{here} sends a POST on to {there}; give that address instead.")
    return str(after)


def _error_of(url: str, response: httpx2.Response, deadline: float) -> EngineError:
    read = b""
    for part in response.iter_bytes():
        read += part
        if len(read) > _ERROR_BYTES or time.monotonic() > deadline:
            break
    words = " ".join(read[:_ERROR_BYTES].decode("utf-8", "replace").split())
    shown = words if len(words) <= _SHOWN_CHARACTERS else words[:_SHOWN_CHARACTERS] + "…"
    hint = " KG_ENGINE_AUTH, KG_ENGINE_USER and KG_ENGINE_PASSWORD say who we are." * (response.status_code == 401)
    kind = _Away if response.status_code in _TRY_AGAIN else EngineError
    answered = _sentence(shown or response.reason_phrase)
    return kind(f"{shown_address(url)} answered {response.status_code}: {answered}{hint}")


def _sentence(words: str) -> str:
    """Returns what another program said, ended as a sentence is."""
    return words if words.endswith((".", "…", "!", "?")) else f"{words}."


def shown_address(url: str) -> str:
    """Returns an address without the name and password that it may hold, and without its query."""
    try:
        parts = httpx2.URL(url)
    except httpx2.InvalidURL:
        return url
    return str(parts.copy_with(username=None, password=None, query=None))
