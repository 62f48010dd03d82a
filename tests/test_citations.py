"""An answer can be cited: as text, BibTeX and CSL-JSON, in Python, on the command line and over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import polars as pl
import pytest

from kg.answers import Answers
from kg.citations import Citation, address_of_query, address_of_question, citation_of
from kg.errors import BadParameter, Forbidden, UnknownName
from kg.names import Prefixes
from kg.notebook.doors import LocalDoor
from kg.notebook.graph import Graph
from kg.release.jsonld import Context
from kg.web.exports import FORMATS

DAY = date(2026, 3, 9)
QUESTION = address_of_question("barriers-blocking-theme", [("theme", "Finance")])
HARD = 'SELECT ?s { # {a comment}\n ?s ?p "100% {a_b} & \\\\ ~^#$" }'


def fields_of(entry: str) -> dict[str, str]:
    """Returns the fields of a BibTeX entry, read by its braces as BibTeX does."""
    fields, depth, name, value = {}, 0, "", ""
    for character in entry[entry.index(",") + 1 : entry.rindex("}")]:
        depth += (character == "{") - (character == "}")
        assert depth >= 0
        if depth == 0 and character == ",":
            fields[name.strip(" =\n")] = value[1:]
            name = value = ""
        elif depth:
            value += character
        elif character != "}":
            name += character
    assert depth == 0
    return fields


def test_a_citation_has_release_query_permalink_and_date(answers: Answers) -> None:
    found = citation_of(answers, QUESTION, "https://kg.example", DAY)

    permalink = f"https://kg.example{QUESTION}&release={answers.release_id}"
    assert found.permalink == permalink
    question = next(q for q in answers.questions() if q.name == "barriers-blocking-theme")
    for part in (
        answers.release_id,
        "barriers-blocking-theme theme=Finance",
        permalink,
        "2026-03-09",
        question.summary,
    ):
        assert str(part) in found.text
    assert found.csl["URL"] == permalink and found.csl["version"] == answers.release_id
    assert found.csl["accessed"] == {"date-parts": [[2026, 3, 9]]} and found.csl["type"] == "dataset"
    bibtex = fields_of(found.bibtex)
    assert (bibtex["url"], bibtex["version"], bibtex["urldate"]) == (permalink, answers.release_id, "2026-03-09")
    assert found.bibtex.startswith("@misc{" + found.key + ",")


def test_an_older_release_in_the_address_gives_way_to_the_one_that_answers(answers: Answers) -> None:
    found = citation_of(answers, f"{QUESTION}&release=0123456789", accessed=DAY)
    assert parse_qs(urlsplit(found.permalink).query)["release"] == [answers.release_id]


def test_what_bibtex_reads_as_commands_is_written_so_that_it_does_not(answers: Answers) -> None:
    found = citation_of(answers, address_of_query(HARD), accessed=DAY)
    note = fields_of(found.bibtex)["note"]

    assert r"100\% \textbraceleft{}a\_b\textbraceright{} \&" in note
    assert not re.search(r"(?<!\\)[%&_#$]", note)
    assert parse_qs(urlsplit(found.permalink).query)["query"] == [HARD]
    assert found.csl["note"] == f"Query: {HARD}"


def test_the_same_answer_has_the_same_key_and_another_another(answers: Answers) -> None:
    keys = [
        citation_of(answers, address, accessed=day).key
        for address, day in (
            (QUESTION, DAY),
            (QUESTION, date(2027, 1, 1)),
            (address_of_question("barriers-blocking-theme", [("theme", "Workforce")]), DAY),
        )
    ]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("/api/compare?theme=Finance", "Compare: Finance."),
        ("/?view=connect&from=COSLA&to=Finance", "Connect: COSLA and Finance."),
        ("/sparql?query=ASK+%7B%7D", "Rows of a SPARQL query."),
    ],
)
def test_other_answers_and_views_are_cited_by_what_they_are_about(answers: Answers, address: str, title: str) -> None:
    assert citation_of(answers, address).title == title


@pytest.mark.parametrize(
    "address", ["http://evil.example/api/compare", "//evil.example/", "/sparql", "/etc/passwd", "x", "http://[", ""]
)
def test_what_is_no_address_of_an_answer_is_refused(answers: Answers, address: str) -> None:
    with pytest.raises(BadParameter, match="answer: "):
        citation_of(answers, address)


def test_a_question_that_is_not_there_is_not_cited(answers: Answers) -> None:
    with pytest.raises(UnknownName):
        citation_of(answers, "/api/queries/no-such?x=1")


@pytest.mark.parametrize("given", ["them=Finance", "theme=Nope", ""])
def test_a_question_that_has_no_such_answer_is_not_cited(answers: Answers, given: str) -> None:
    with pytest.raises((BadParameter, UnknownName)):
        citation_of(answers, f"/api/queries/barriers-blocking-theme?{given}")


def test_an_update_is_not_cited(answers: Answers) -> None:
    with pytest.raises(Forbidden):
        citation_of(answers, address_of_query("DROP ALL"))


def test_a_release_without_a_date_is_cited_by_the_day_it_was_read() -> None:
    found = Citation("Title.", "ab" * 32, "ASK {}", "/sparql", None, DAY)
    assert fields_of(found.bibtex)["year"] == "2026" and "issued" not in found.csl and "built" not in found.text


# Where they are had


def test_tables_and_paths_are_cited_in_python(answers: Answers) -> None:
    g = Graph(LocalDoor(answers))
    table = g.ask("barriers-blocking-theme", theme="Finance")

    assert QUESTION.partition("?")[0] in g.cite(table) and answers.release_id in g.cite(table)
    assert "/api/connections?" in json.loads(g.cite(g.connect("COSLA", "Finance"), "csl"))["URL"]
    assert g.cite(g.sparql("SELECT * { ?s a pev:Theme }"), "bibtex").startswith("@misc{")
    assert "Compare: Finance" in g.cite("/api/compare?theme=Finance")


def test_the_command_prints_what_the_api_returns(
    kg_command: Callable[..., dict[str, Any]], service: str, release_folder: Any
) -> None:
    told = kg_command(
        "cite", "barriers-blocking-theme", "theme=Finance", "--format", "json", "--service", service,
        "--release", release_folder,
    )  # fmt: skip
    reply = httpx2.get(f"{service}/api/cite", params={"answer": QUESTION})
    assert reply.json() == told
    # The permalink gives the answer that is cited.
    assert httpx2.get(told["permalink"]).json() == httpx2.get(f"{service}{QUESTION}").json()


@pytest.mark.parametrize(
    ("style", "media_type"),
    [
        ("text", "text/plain; charset=utf-8"),
        ("bibtex", "application/x-bibtex"),
        ("csl", "application/vnd.citationstyles.csl+json"),
    ],
)
def test_each_style_has_its_media_type(service: str, style: str, media_type: str) -> None:
    reply = httpx2.get(f"{service}/api/cite", params={"answer": QUESTION, "format": style})
    assert (reply.status_code, reply.headers["content-type"]) == (200, media_type)
    assert httpx2.get(f"{service}/api/cite", params={"answer": "x"}).status_code == 400


@pytest.mark.parametrize("path", ["/api/nonesuch", "/api/export"])
def test_an_address_at_which_the_service_has_nothing_is_not_cited(service: str, path: str) -> None:
    reply = httpx2.get(f"{service}/api/cite", params={"answer": f"{path}?theme=Finance"})
    assert reply.status_code == 400
    assert path in reply.json()["detail"] and "/openapi.json lists" in reply.json()["detail"]


@pytest.mark.parametrize(
    "address", ["/", "/?view=path&from=COSLA", "/sparql?query=ASK%7B%7D", "/api/gaps#x", "/api/queries"]
)
def test_every_other_answer_is_cited_over_http(service: str, address: str) -> None:
    assert httpx2.get(f"{service}/api/cite", params={"answer": address}).status_code == 200


# The release over HTTP


@pytest.mark.parametrize("shape", FORMATS)
def test_each_format_is_given_over_http_as_the_command_writes_it(service: str, answers: Answers, shape: str) -> None:
    from kg.release.export import write_export

    reply = httpx2.get(f"{service}/api/export/{shape}")
    media_type, suffix = FORMATS[shape]

    assert reply.status_code == 200
    assert reply.headers["content-type"].partition(";")[0] == media_type
    name = f"policy-evidence-{answers.release_id[:12]}.{suffix}"
    assert reply.headers["content-disposition"] == f'attachment; filename="{name}"'
    if shape == "parquet":
        import io

        expected = pl.read_parquet(io.BytesIO(write_export(answers.opened, shape)))
        assert pl.read_parquet(io.BytesIO(reply.content)).equals(expected)
    elif media_type == "application/zip":
        assert reply.content.startswith(b"PK")
    else:
        assert reply.content == write_export(answers.opened, shape)
    again = httpx2.get(f"{service}/api/export/{shape}", headers={"If-None-Match": reply.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_format_that_is_not_there_names_those_there_are(service: str) -> None:
    reply = httpx2.get(f"{service}/api/export/xml")
    assert reply.status_code == 404 and "nquads" in reply.json()["detail"]


def test_an_export_that_passes_the_limit_is_refused_and_the_next_is_not(release_folder: Any, settings: Any) -> None:
    from dataclasses import replace

    from starlette.testclient import TestClient

    from conftest import application
    from kg.release.opened import open_release

    release = open_release(release_folder)
    with TestClient(application(release, replace(settings, max_answer_bytes=20_000))) as client:
        refused = client.get("/api/export/csv")
        assert refused.status_code == 413 and refused.json()["limit"] == "KG_MAX_ANSWER_BYTES"
        assert client.get("/api/export/datacite").status_code == 200
    release.close()


def test_a_readable_document_keeps_its_context() -> None:
    context = Context({"id": "@id", "ex": "http://e/"}, Prefixes({"ex": "http://e/"}))
    assert json.loads(context.write_dataset([])) == {"@context": {"@version": 1.1}, "@graph": []}
