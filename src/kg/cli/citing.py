"""`kg cite`."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from kg import wire
from kg.cli.console import out, print_json
from kg.cli.program import ReleaseOption, WorkspaceOption, app, opened_answers, parameters_of
from kg.errors import BadParameter


class Style(StrEnum):
    """How a citation is written."""

    text = "text"
    bibtex = "bibtex"
    csl = "csl"
    json = "json"


@app.command("cite")
def cite(
    name: Annotated[str | None, typer.Argument(help="A question whose answer is cited.")] = None,
    values: Annotated[list[str] | None, typer.Argument(help="param=value …")] = None,
    sparql: Annotated[str | None, typer.Option(help="A SPARQL query instead.")] = None,
    address: Annotated[str | None, typer.Option(help="An address instead, as /api/compare?theme=Finance.")] = None,
    service: Annotated[str, typer.Option(help="The service where the answer can be had again.")] = "",
    style: Annotated[Style, typer.Option("--format")] = Style.text,
    workspace: WorkspaceOption = None,
    release: ReleaseOption = None,
) -> None:
    """Print how to cite an answer: release, query, permalink, date."""
    from kg.citations import address_of_query, address_of_question, citation_of

    given = [(key, value) for key, several in parameters_of(values or ()).items() for value in several]
    asked = [
        *([] if name is None else [address_of_question(name, given)]),
        *([] if sparql is None else [address_of_query(sparql)]),
        *([] if address is None else [address]),
    ]
    if len(asked) != 1:
        raise BadParameter("give one of: a question, --sparql, --address.")
    with opened_answers(workspace, release) as answers:
        found = citation_of(answers, asked[0], service.rstrip("/"))
    if style is Style.json:
        print_json(wire.citation(found))
    elif style is Style.csl:
        out.print(json.dumps(found.csl, ensure_ascii=False, indent=2), markup=False)
    else:
        out.print((found.text if style is Style.text else found.bibtex).rstrip(), markup=False)
