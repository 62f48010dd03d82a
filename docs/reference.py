"""The reference pages of the site, made from the program itself: what they say is what the code has.

mkdocs loads this as a hook. Links to files of the repository lead to the generated page that has their content.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pyoxigraph import Literal, NamedNode, RdfFormat, parse

import kg
from kg.agents.tools import tools_of
from kg.cli import app
from kg.library import Library, Question, read_library
from kg.names import PEV, RDF_TYPE, RDFS, SKOS
from kg.notebook.graph import Graph
from kg.web import analysis, api, exports, graphs, linked_data, operations, sparql
from kg.web.api import question_paths
from kg.web.interface import openapi
from kg.workspace import SETTINGS, Workspace, open_workspace

ROOT = Path(__file__).parents[1]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Returns the files of the site with the generated pages among them."""
    for name, make in PAGES.items():
        files.append(File.generated(config, f"reference/{name}.md", content=make()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Returns a page whose links to files of the repository lead to pages of the site."""
    del config, files
    up = "../" * page.file.src_uri.count("/")
    queries = re.sub(r"\]\(\.\./queries/([\w-]+)\.rq\)", rf"]({up}reference/queries.md#\1)", markdown)
    queries = queries.replace("](../queries/README.md)", f"]({up}reference/queries.md)")
    return queries.replace("](../benchmarks/README.md)", f"]({up}reference/benchmarks.md)")


# The pages


def _cli() -> str:
    group: Any = typer.main.get_command(app)
    lines = [
        "# Command line",
        "",
        "`kg`, also `python -m kg`. Exit codes: 0 done, 1 a finding or an error, 2 wrong usage.",
        "",
    ]
    for name, command in sorted(group.commands.items()):
        lines += [f"## kg {name}", "", command.help or "", ""]
        lines += _table(("argument or option", "default", "meaning"), (_parameter(p) for p in command.params))
    return "\n".join(lines)


def _parameter(parameter: Any) -> tuple[str, str, str]:
    is_option = parameter.param_type_name == "option"
    names = ", ".join(parameter.opts) if is_option else (parameter.metavar or parameter.name or "").upper()
    kind = parameter.type_descriptor.annotation
    choices = [str(choice.value) for choice in kind] if isinstance(kind, type) and issubclass(kind, Enum) else []
    shown = f"`{names}` {', '.join(choices)}"
    default = parameter.default
    plain = default is None or callable(default) or default == () or isinstance(default, bool)
    return shown.strip(), "" if plain else str(getattr(default, "value", default)), getattr(parameter, "help", "") or ""


def _http() -> str:
    document = _openapi()
    lines = ["# HTTP", "", "Errors are `application/problem+json` (RFC 9457).", ""]
    for path, methods in sorted(document["paths"].items()):
        # The questions have a page of their own.
        if path.startswith("/api/queries/"):
            continue
        for method, operation in methods.items():
            lines += [f"## {method.upper()} {path}", "", operation.get("summary", ""), ""]
            rows = [(f"`{p['name']}`", "yes" if p.get("required") else "", _told(p)) for p in operation["parameters"]]
            lines += _table(("parameter", "required", "meaning"), rows)
    return "\n".join(lines)


def _told(parameter: Mapping[str, Any]) -> str:
    default = parameter.get("schema", {}).get("default")
    return parameter.get("description", "") + ("" if default is None else f" Default: {default}.")


def _openapi() -> dict[str, Any]:
    from fastapi import FastAPI

    service = FastAPI(title="Policy evidence", version=kg.__version__)
    for part in (operations, sparql, graphs, api, analysis, exports, linked_data):
        service.include_router(part.router)
    return openapi(service, question_paths(_library().listed))


def _python() -> str:
    lines = [
        "# Python",
        "",
        "`kg.open()` gives a graph: a release of this machine, or with an address that of a service.",
        "",
    ]
    for name, member in inspect.getmembers_static(Graph):
        function = getattr(member, "fget", None) or getattr(member, "func", None) or member
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        signature = str(inspect.signature(function)).replace("(self, ", "(").replace("(self)", "()")
        shown = name if function is not member else f"{name}{signature}"
        told = _as_markdown(inspect.getdoc(function) or "")
        lines += [f"## {name}", "", f"`g.{shown}`".replace("'", ""), "", told, ""]
    return "\n".join(lines)


def _as_markdown(docstring: str) -> str:
    """Returns a docstring in which each section is a paragraph, and each of its entries an item."""
    text = re.sub(r"(?m)^(Args|Returns|Raises|Attributes):$", r"\n**\1**\n", docstring)
    return re.sub(r"(?m)^    (?=\S)", "- ", text)


def _queries() -> str:
    lines = [
        "# Questions and queries",
        "",
        "Each runs unchanged in any SPARQL tool; its `VALUES` block is where values go in.",
        "",
    ]
    for name, question in sorted(_library().questions.items()):
        lines += [
            f"## {name} {{#{name}}}",
            "",
            question.summary or question.fact("purpose"),
            "",
            *_parameters(question),
        ]
        lines += _table(("column", "type", "meaning"), [(f"`{c.name}`", c.type, c.help) for c in question.columns])
        lines += ["```sparql", question.text.rstrip(), "```", ""]
    return "\n".join(lines)


def _parameters(question: Question) -> list[str]:
    rows = [(f"`{p.name}`", p.type, p.mode, ", ".join(p.example)) for p in question.parameters]
    return _table(("parameter", "type", "how many", "example"), rows)


def _tools() -> str:
    lines = [
        "# Tools of the Model Context Protocol",
        "",
        "As `kg mcp` and `/mcp` list them: [how to use them](../agents.md).",
        "",
    ]
    for tool in tools_of(_library().listed):
        properties: Any = tool.schema["properties"]
        required: Any = tool.schema.get("required", [])
        rows = [(f"`{n}`", "yes" if n in required else "", _shape(s)) for n, s in properties.items()]
        lines += [f"## {tool.name}", "", tool.description, "", *_table(("argument", "required", "meaning"), rows)]
    return "\n".join(lines)


def _shape(shape: Mapping[str, Any]) -> str:
    kind = shape.get("type") or " or ".join(shape.get("enum", ()))
    return ": ".join(part for part in (kind, shape.get("description")) if part)


def _settings() -> str:
    rows = [(f"`{s.variable}`", "not set" if s.default is None else str(s.default), s.unit, s.help) for s in SETTINGS]
    words = "Environment variables, or keys of `kg.toml` in small letters without `KG_`; the environment comes first."
    return "\n".join(["# Settings", "", words, "", *_table(("variable", "default", "unit", "meaning"), rows)])


def _ontology() -> str:
    facts: dict[str, dict[str, list[str]]] = {}
    for quad in parse(path=str(_workspace().ontology), format=RdfFormat.TURTLE):
        if isinstance(quad.subject, NamedNode) and isinstance(quad.object, NamedNode | Literal):
            facts.setdefault(quad.subject.value, {}).setdefault(quad.predicate.value, []).append(quad.object.value)
    lines = ["# Ontology", "", f"Classes and properties of `{PEV}`.", ""]
    for title, wanted in (("Classes", "Class"), ("Properties", "Property")):
        lines += [f"## {title}", ""]
        terms = [
            t
            for t, f in sorted(facts.items())
            if t.startswith(PEV) and any(k.endswith(wanted) for k in f.get(RDF_TYPE, ()))
        ]
        for term in terms:
            lines += _term(term, facts[term])
    return "\n".join(lines)


def _term(iri: str, facts: Mapping[str, list[str]]) -> Iterator[str]:
    curie = _workspace().prefixes.curie
    yield from (
        f"### {curie(iri)}",
        "",
        " ".join(facts.get(SKOS + "definition") or facts.get(RDFS + "comment") or ()),
        "",
    )
    for name in ("subClassOf", "subPropertyOf", "domain", "range"):
        if facts.get(RDFS + name):
            yield f"- {name}: {', '.join(f'`{curie(value)}`' for value in facts[RDFS + name])}"
    yield ""


def _benchmarks() -> str:
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    return text.replace("](../docs/", "](../")


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Returns a table of Markdown; none where there are no rows."""
    written = [f"| {' | '.join(row)} |" for row in rows]
    return [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *written, ""] if written else []


def _workspace() -> Workspace:
    return open_workspace(ROOT)


def _library() -> Library:
    found = _workspace()
    return read_library(found.root / "queries", found.prefixes)


PAGES: Mapping[str, Callable[[], str]] = {
    "cli": _cli,
    "http": _http,
    "python": _python,
    "queries": _queries,
    "tools": _tools,
    "settings": _settings,
    "ontology": _ontology,
    "benchmarks": _benchmarks,
}
