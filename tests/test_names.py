"""CURIE and IRI, labels as they are compared, and slugs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.names import BASE, GRAPH, PEV, Prefixes, folded, prefixes_of_context, slug
from workspaces import CONTEXT, PREFIXES

SMALL = Prefixes(
    {
        "theme": BASE + "theme/",
        "quay": BASE + "theme/quay/",
        "ex": "http://example.org/ns#",
        "ex.two": "http://example.org/two/",
    }
)

LOCALS = st.from_regex(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,12}[A-Za-z0-9_-])?", fullmatch=True)


def test_the_longest_namespace_that_fits_gives_the_prefix() -> None:
    assert SMALL.curie(BASE + "theme/quay/tolls") == "quay:tolls"
    assert SMALL.curie(BASE + "theme/tolls") == "theme:tolls"


def test_a_namespace_itself_has_no_local_name_in_the_prefix_that_it_is() -> None:
    assert SMALL.curie("http://example.org/ns#") == "http://example.org/ns#"
    assert SMALL.curie(BASE + "theme/quay/") == BASE + "theme/quay/"


@pytest.mark.parametrize(
    "local", ["a/b", "a#b", "a.", ".a", "-a", "a b", "é", "a:b", "a%20b", "a(b)", "a,b", "a;", "a'"]
)
def test_a_local_name_that_would_need_an_escape_leaves_the_iri_whole(local: str) -> None:
    iri = "http://example.org/ns#" + local

    assert SMALL.curie(iri) == iri
    assert SMALL.turtle(iri) == f"<{iri}>"


def test_an_iri_of_no_namespace_stays_as_it_is() -> None:
    assert SMALL.curie("https://elsewhere.example/x") == "https://elsewhere.example/x"


@given(prefix=st.sampled_from(sorted(PREFIXES.namespaces)), local=LOCALS)
def test_what_is_shortened_expands_to_what_it_was(prefix: str, local: str) -> None:
    iri = PREFIXES.namespaces[prefix] + local

    assert PREFIXES.iri(PREFIXES.curie(iri)) == iri


@pytest.mark.parametrize(
    ("name", "iri"),
    [
        ("theme:finance", BASE + "theme/finance"),
        ("  theme:finance\n", BASE + "theme/finance"),
        ("quay:a/b", BASE + "theme/quay/a/b"),
        ("ex.two:x", "http://example.org/two/x"),
        ("theme:", BASE + "theme/"),
        ("<http://example.org/x>", "http://example.org/x"),
        ("http://example.org/x", "http://example.org/x"),
        ("urn:isbn:123", "urn:isbn:123"),
        ("nowhere:finance", None),
        ("Theme:finance", None),
        ("Finance", None),
        ("Finance: who pays?", None),
        ("theme:two words", None),
        ("http://example.org/two words", None),
        ("mailto:someone@example.org", None),
        ("", None),
    ],
)
def test_a_name_is_a_curie_an_iri_or_neither(name: str, iri: str | None) -> None:
    assert SMALL.iri(name) == iri


def test_the_header_declares_every_prefix_once_and_sorted() -> None:
    assert SMALL.sparql_header().splitlines() == [
        "PREFIX ex: <http://example.org/ns#>",
        "PREFIX ex.two: <http://example.org/two/>",
        f"PREFIX quay: <{BASE}theme/quay/>",
        f"PREFIX theme: <{BASE}theme/>",
    ]


def test_a_context_declares_the_prefixes_and_its_other_terms_do_not() -> None:
    context = {
        "@context": {
            "@vocab": "http://example.org/vocab#",
            "@base": "http://example.org/base/",
            "ex": "http://example.org/",
            "hash": "http://example.org/x#",
            "label": "http://www.w3.org/2000/01/rdf-schema#label",
            "blocks": {"@id": "http://example.org/blocks", "@type": "@id"},
            "type": "@type",
        }
    }

    assert prefixes_of_context(context).namespaces == {"ex": "http://example.org/", "hash": "http://example.org/x#"}


def test_a_context_without_terms_declares_nothing() -> None:
    assert prefixes_of_context({}).namespaces == {}


def test_the_context_of_this_repository_names_its_own_namespaces() -> None:
    found = prefixes_of_context(CONTEXT).namespaces

    assert found["pev"] == PEV
    assert found["graph"] == GRAPH
    assert len(set(found.values())) == len(found), "two prefixes for one namespace"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Élan", "elan"),
        ("E\u0301lan", "ÉLAN"),
        ("  two\u00a0words\n", "Two Words"),
        ("Straße", "STRASSE"),
        ("ﬁnance", "finance"),
        ("Ωmega", "ωMEGA"),
    ],
)
def test_labels_that_differ_in_accents_case_and_space_are_the_same(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("co-operation", "cooperation"), ("a b", "ab"), ("日本", "日木")])
def test_labels_that_differ_in_letters_are_not_the_same(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(st.text())
def test_a_folded_label_has_single_spaces_and_no_ends(text: str) -> None:
    assert folded(text) == " ".join(folded(text).split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Distrust between professions!", "distrust-between-professions"),
        ("  Integration (Scotland) Act 2014 ", "integration-scotland-act-2014"),
        ("Élan & Œuvre", "elan-uvre"),
        ("—", ""),
    ],
)
def test_a_slug_holds_letters_digits_and_hyphens(text: str, expected: str) -> None:
    assert slug(text) == expected


@given(st.text())
def test_a_slug_of_anything_can_be_the_local_name_of_a_curie(text: str) -> None:
    made = slug(text)

    if made:
        assert SMALL.curie(BASE + "theme/" + made) == f"theme:{made}"
    assert slug(made) == made
