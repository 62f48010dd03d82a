"""The vocabulary, its lists of terms, its shapes and its rules hold together, and the data use them rightly.

Each check is a function that returns what is wrong. It is tried twice: on the workspace, where it
must return nothing, and on a planted fault, which it must find.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import owlrl  # type: ignore[import-untyped,unused-ignore]
import pyoxigraph as ox
import pyshacl
import pytest
from rdflib import OWL, RDF, RDFS, SH, SKOS, XSD, BNode, Graph, Literal, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCAM, DCTERMS, FOAF, ORG, PROV, SDO, VANN, DefinedNamespace, Namespace
from rdflib.term import Node

ROOT = Path(__file__).parent.parent
ONTOLOGY = ROOT / "ontology"
RULES = sorted((ONTOLOGY / "rules").glob("*.rq"))
CONTEXT = json.loads((ONTOLOGY / "context.jsonld").read_text(encoding="utf-8"))["@context"]

BASE = "https://w3id.org/policy-evidence/"
PEV = Namespace(BASE + "ns#")
CODE = Namespace(BASE + "code/")
SCHEME = Namespace(BASE + "scheme/")
THEME = Namespace(BASE + "theme/")
ERROR = Namespace("http://www.daml.org/2002/03/agents/agent-ont#")  # where owlrl writes the clashes it finds

TERM_KINDS = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty)
NAMING = {
    OWL.Class: r"([A-Z][a-z0-9]*)+",
    OWL.ObjectProperty: r"[a-z]+([A-Z][a-z0-9]*)*",
    OWL.DatatypeProperty: r"[a-z]+[0-9]*([A-Z][a-z0-9]*)*",
    OWL.AnnotationProperty: r"[a-z]+([A-Z][a-z0-9]*)*",
}
NOT_YET_SAID = {PEV.implementationStatus}  # no text encoded so far says it: its example shows the form only

VOCABULARIES: dict[str, type[DefinedNamespace] | frozenset[str]] = {
    str(RDF): RDF,
    str(RDFS): RDFS,
    str(OWL): OWL,
    str(XSD): XSD,
    str(SH): SH,
    str(SKOS): SKOS,
    str(DCTERMS): DCTERMS,
    str(DCAM): DCAM,
    str(FOAF): FOAF,
    str(ORG): ORG,
    str(PROV): PROV,
    str(SDO): SDO,
    str(VANN): VANN,
    # rdflib brings no list of these: the terms used here, copied from the published vocabularies
    "http://www.w3.org/ns/oa#": frozenset(
        (
            *("SpecificResource", "TextPositionSelector", "hasSelector", "hasSource", "start", "end"),
            *("exact", "prefix", "suffix"),
        )
    ),
    "http://purl.org/spar/cito/": frozenset(("citesAsEvidence", "discusses", "disputes", "supports")),
    "http://purl.org/spar/fabio/": frozenset(("Report",)),
    "http://data.europa.eu/eli/ontology#": frozenset(("LegalResource",)),
    "http://spdx.org/rdf/terms#": frozenset(("checksumValue",)),
}


# What is checked


def read(name: str) -> Graph:
    return Graph().parse(data=(ONTOLOGY / name).read_text(encoding="utf-8"), format="turtle")


@cache
def ontology() -> Graph:
    return read("policy-evidence.ttl")


@cache
def shapes() -> Graph:
    return read("shapes.ttl")


@cache
def data() -> Graph:
    """Returns themes, codes, entities and every text's graphs, merged."""
    return rdflib_graph(q.triple for file in data_files() for q in ox.parse(path=file))


@cache
def inferred() -> frozenset[ox.Triple]:
    store = ox.Store()
    for file in (ONTOLOGY / "policy-evidence.ttl", *data_files()):
        store.extend(ox.Quad(q.subject, q.predicate, q.object) for q in ox.parse(path=file))
    return frozenset(added_by_rules(store))


def data_files() -> list[Path]:
    lists = [ONTOLOGY / "themes.ttl", ONTOLOGY / "codes.ttl"]
    return lists + sorted((ROOT / "graph").glob("*.ttl")) + sorted((ROOT / "graph" / "sources").glob("*.trig"))


@pytest.fixture(scope="module")
def closure() -> Graph:
    """Returns everything that the data, the rules and OWL RL give together. Slow: one for the module."""
    return owl_rl(merged(ontology(), data(), rdflib_graph(inferred())))


def graph_of(triples: Iterable[tuple[Node, Node, Node]]) -> Graph:
    graph = Graph()
    for triple in triples:
        graph.add(triple)
    return graph


def merged(*graphs: Graph) -> Graph:
    return graph_of(triple for graph in graphs for triple in graph)


def rdflib_graph(triples: Iterable[ox.Triple]) -> Graph:
    return Graph().parse(data="".join(f"{triple} .\n" for triple in triples), format="nt")


def turtle(text: str) -> Graph:
    return Graph().parse(data=PREFIXES + text, format="turtle")


def namespaces() -> dict[str, str]:
    """Returns the prefixes of context.jsonld: keys whose value is text ending in / or #."""
    return {k: v for k, v in CONTEXT.items() if isinstance(v, str) and v.endswith(("/", "#"))}


PREFIXES = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in namespaces().items())


def local(node: Node) -> str:
    return str(node).removeprefix(str(PEV))


def iris(graph: Graph) -> set[URIRef]:
    return {node for triple in graph for node in triple if isinstance(node, URIRef)}


def terms(*kinds: URIRef) -> list[URIRef]:
    """Returns our own classes and properties, sorted."""
    found = {s for kind in kinds or TERM_KINDS for s in ontology().subjects(RDF.type, kind)}
    return sorted(t for t in found if isinstance(t, URIRef) and t.startswith(str(PEV)))


# Terms


def undefined_terms(graph: Graph) -> list[URIRef]:
    return sorted(i for i in iris(graph) if i.startswith(str(PEV)) and i not in terms())


@pytest.mark.parametrize("graph", [ontology, shapes, data], ids=["ontology", "shapes", "data"])
def test_every_pev_term_that_is_used_is_defined(graph: object) -> None:
    assert callable(graph)
    assert undefined_terms(graph()) == []


def test_a_pev_term_that_is_not_defined_is_reported() -> None:
    assert undefined_terms(turtle("barrier:x pev:hinders theme:finance .")) == [PEV.hinders]


def unknown_external_terms(used: Iterable[Node]) -> list[str]:
    """Returns terms that their vocabulary does not have, and terms of vocabularies nobody has listed."""
    unknown = []
    for iri in sorted({str(node) for node in used if isinstance(node, URIRef)}):
        namespace = next((n for n in sorted(VOCABULARIES, key=len, reverse=True) if iri.startswith(n)), None)
        if iri.startswith(BASE):
            continue
        if namespace is None:
            unknown.append(iri)
            continue
        vocabulary = VOCABULARIES[namespace]
        name = iri[len(namespace) :]
        known = name in vocabulary if isinstance(vocabulary, frozenset) else URIRef(iri) in vocabulary
        unknown += [] if known or re.fullmatch(r"_\d+", name) else [iri]
    return unknown


def vocabulary_use(graph: Graph) -> set[Node]:
    """Returns what stands as a predicate or a type, or anywhere in a known external vocabulary."""
    elsewhere = {i for i in iris(graph) if any(i.startswith(n) for n in VOCABULARIES)}
    return set(graph.predicates()) | set(graph.objects(None, RDF.type)) | elsewhere


@pytest.mark.parametrize("graph", [ontology, shapes, data], ids=["ontology", "shapes", "data"])
def test_every_external_term_exists_in_its_vocabulary(graph: object) -> None:
    assert callable(graph)
    assert unknown_external_terms(vocabulary_use(graph())) == []


def test_external_terms_that_do_not_exist_are_reported() -> None:
    planted = turtle("barrier:x dcterms:titel 'x' ; oa:hasSauce text:x ; <http://example.org/p> 1 .")
    assert len(unknown_external_terms(vocabulary_use(planted))) == 3


def undocumented(graph: Graph, kind: URIRef) -> list[tuple[str, str]]:
    """Returns each own term of the kind with what its description lacks."""
    needed = {
        "label": {RDFS.label},
        "definition": {SKOS.definition},
        "example": {SKOS.example},
        "isDefinedBy": {RDFS.isDefinedBy},
    }
    if kind != OWL.Class:
        needed["domain"] = {RDFS.domain, DCAM.domainIncludes}
        needed["range"] = {RDFS.range, DCAM.rangeIncludes}
    return [
        (local(term), name)
        for term in sorted(URIRef(str(subject)) for subject in graph.subjects(RDF.type, kind))
        if term.startswith(str(PEV))
        for name, predicates in needed.items()
        if not any(graph.value(term, predicate, any=True) for predicate in predicates)
    ]


@pytest.mark.parametrize("kind", TERM_KINDS)
def test_every_term_has_label_definition_example_source_domain_and_range(kind: URIRef) -> None:
    assert undocumented(ontology(), kind) == []


def test_a_term_without_documentation_is_reported() -> None:
    assert len(undocumented(turtle("pev:hinders a owl:ObjectProperty ."), OWL.ObjectProperty)) == 6


def test_no_term_has_two_axioms_of_domain_or_range() -> None:
    # Two would mean both at once, which is almost never what is meant.
    counts = Counter((t, a) for t in terms() for a in (RDFS.domain, RDFS.range) for _ in ontology().objects(t, a))
    assert [key for key, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("kind", TERM_KINDS)
def test_classes_are_named_in_upper_camel_case_and_properties_in_lower(kind: URIRef) -> None:
    assert [local(t) for t in terms(kind) if not re.fullmatch(NAMING[kind], local(t))] == []
    wrong = "has_theme" if kind != OWL.Class else "keyMessage"
    assert not re.fullmatch(NAMING[kind], wrong)


def test_no_two_terms_share_a_label_and_no_term_is_class_and_property_at_once() -> None:
    labels = Counter(str(ontology().value(term, RDFS.label)).lower() for term in terms())
    assert [label for label, count in labels.items() if count > 1] == []
    assert [t for t in terms() if sum((t, RDF.type, kind) in ontology() for kind in TERM_KINDS) != 1] == []
    assert [t for t in terms() if (t, RDF.type, None) in data()] == []


def test_a_sub_property_is_of_the_same_kind_as_the_property_above_it() -> None:
    kinds = (OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty)
    pairs = list(ontology().subject_objects(RDFS.subPropertyOf))
    kind_of = {n: [k for k in kinds if (n, RDF.type, k) in ontology()] for pair in pairs for n in pair}
    assert pairs
    assert [(local(below), above) for below, above in pairs if kind_of[below] != kind_of[above]] == []


def test_every_class_is_used_as_a_type_or_has_subclasses_that_are() -> None:
    def used(kind: Node) -> bool:
        below = ontology().transitive_subjects(RDFS.subClassOf, kind)
        return any((None, RDF.type, c) in data() for c in below)

    assert [local(kind) for kind in terms(OWL.Class) if not used(kind)] == []
    properties = terms(OWL.ObjectProperty, OWL.DatatypeProperty)
    assert {p for p in properties if (None, p, None) not in data()} <= NOT_YET_SAID | {PEV.deadline}


# Examples


def examples() -> Iterator[tuple[URIRef, Graph]]:
    for term in terms():
        for example in ontology().objects(term, SKOS.example):
            yield term, turtle(str(example))


def nonexistent(graph: Graph) -> list[str]:
    """Returns names of ours that nothing in the workspace describes."""
    described = set(data().subjects()) | set(ontology().subjects())
    own = {i for i in iris(graph) if i.startswith(BASE)}
    return sorted(str(i) for i in own if i not in described)


def test_every_example_is_turtle_that_uses_its_term() -> None:
    shown = list(examples())
    assert {term for term, _ in shown} == set(terms())
    assert [local(term) for term, graph in shown if term not in iris(graph)] == []


def test_every_name_in_an_example_exists() -> None:
    assert {local(term): gone for term, graph in examples() if (gone := nonexistent(graph))} == {}
    assert nonexistent(turtle("barrier:as2018-no-such a pev:Barrier .")) == [BASE + "id/barrier/as2018-no-such"]


def test_every_example_holds_in_the_graph(closure: Graph) -> None:
    false = [(local(term), t) for term, graph in examples() for t in graph if t not in closure]
    assert {name for name, _ in false} == {local(term) for term in NOT_YET_SAID}, false


def test_terms_excused_from_being_used_are_in_fact_not_used() -> None:
    assert [local(term) for term in NOT_YET_SAID if (None, term, None) in data()] == []


# Logic


def on_a_cycle(graph: Graph, predicate: URIRef) -> list[str]:
    return sorted(
        str(node)
        for node in set(graph.subjects(predicate))
        if any(node in set(graph.transitive_objects(up, predicate)) for up in graph.objects(node, predicate))
    )


def test_nothing_is_above_itself() -> None:
    assert on_a_cycle(ontology(), RDFS.subClassOf) == []
    assert on_a_cycle(ontology(), RDFS.subPropertyOf) == []
    assert on_a_cycle(data(), SKOS.broader) == []


def test_a_cycle_is_reported() -> None:
    planted = turtle("theme:a skos:broader theme:b . theme:b skos:broader theme:a . theme:c skos:broader theme:a .")
    assert on_a_cycle(planted, SKOS.broader) == [BASE + "theme/a", BASE + "theme/b"]


def owl_rl(graph: Graph) -> Graph:
    """Returns the graph with all that OWL RL concludes from it added."""
    semantics = owlrl.OWLRL_Semantics
    owlrl.DeductiveClosure(semantics, axiomatic_triples=False, datatype_axioms=False).expand(graph)
    return graph


def clashes(closure: Graph) -> list[str]:
    return sorted(str(message) for message in closure.objects(None, ERROR.error))


CLASHES = {
    "a barrier that is also an enabler": "barrier:x a pev:Barrier , pev:Enabler .",
    "a document that is also a theme": "doc:x a pev:Report , pev:Theme .",
    "a statement that is also a factor": "finding:x a pev:Finding , pev:Barrier .",
    "a finding that is also a position": "finding:x a pev:Finding , pev:Position .",
    "a document by way of a range, a theme by type": "barrier:x pev:statedIn theme:y . theme:y a pev:Theme .",
    "one factor that blocks and enables one thing": "barrier:x pev:blocks theme:y ; pev:enables theme:y .",
    "an item that says itself again": "finding:x pev:reiterates finding:x .",
    "mutual reiteration": "finding:x pev:reiterates finding:y . finding:y pev:reiterates finding:x .",
}


def test_the_owl_rl_closure_of_the_data_has_no_clash(closure: Graph) -> None:
    assert len(closure) > len(data()) + len(ontology())
    assert clashes(closure) == []


def test_the_vocabulary_alone_has_no_clash() -> None:
    assert clashes(owl_rl(merged(ontology()))) == []


@pytest.mark.parametrize("fault", CLASHES.values(), ids=CLASHES.keys())
def test_a_clash_is_reported(fault: str) -> None:
    # Axioms without annotations: the closure takes a tenth of the time.
    axioms = graph_of(t for t in ontology() if t[1] not in (SKOS.definition, SKOS.scopeNote, SKOS.example))
    assert clashes(owl_rl(merged(axioms, turtle(fault)))) != []


def disjoint_groups() -> list[list[Node]]:
    listed = [
        list(ontology().items(members))
        for axiom in ontology().subjects(RDF.type, OWL.AllDisjointClasses)
        if (members := ontology().value(axiom, OWL.members)) is not None
    ]
    return listed + [list(pair) for pair in ontology().subject_objects(OWL.disjointWith)]


def in_two_disjoint_classes(closure: Graph) -> list[tuple[str, str]]:
    found = []
    for group in disjoint_groups():
        kinds: defaultdict[Node, set[str]] = defaultdict(set)
        for kind in group:
            for individual in closure.subjects(RDF.type, kind):
                kinds[individual].add(local(kind))
        found += [(str(i), " and ".join(sorted(k))) for i, k in kinds.items() if len(k) > 1]
    return sorted(set(found))


def test_no_individual_is_in_two_disjoint_classes(closure: Graph) -> None:
    assert len(disjoint_groups()) >= 4
    assert in_two_disjoint_classes(closure) == []


def test_an_individual_in_two_disjoint_classes_is_reported() -> None:
    planted = turtle("theme:x a pev:Theme , pev:Outcome .")
    assert in_two_disjoint_classes(planted) == [(BASE + "theme/x", "Outcome and Theme")]


# Data


def blank_nodes(graph: Graph) -> list[Node]:
    return [node for triple in graph for node in triple if isinstance(node, BNode)]


def test_the_data_have_no_blank_nodes() -> None:
    assert blank_nodes(data()) == []
    assert len(blank_nodes(turtle("[] a pev:Barrier ."))) == 1


def dangling(graph: Graph, described: Iterable[Node]) -> list[str]:
    known = set(described) | set(terms())
    return sorted(str(i) for i in iris(graph) if i.startswith(BASE) and i not in known)


def test_every_name_of_ours_that_the_data_use_is_described() -> None:
    assert dangling(data(), data().subjects()) == []
    assert dangling(ontology(), set(ontology().subjects()) | set(data().subjects())) == [BASE + "ns/0.1.0"]


def test_a_name_that_nothing_describes_is_reported() -> None:
    planted = turtle("barrier:x a pev:Barrier ; pev:statedIn doc:y .")
    assert dangling(planted, planted.subjects()) == [BASE + "id/doc/y"]


def misspelt(graph: Graph) -> list[str]:
    """Returns names of ours that are not made of lower-case words, digits and single hyphens."""
    slug = r"[a-z0-9]+(-[a-z0-9]+)*"
    pattern = re.compile(rf"{re.escape(BASE)}{slug}(/{slug})*(#(char|selector)=\d+,\d+)?")
    own = {i for i in iris(graph) if i.startswith(BASE) and not i.startswith(str(PEV))}
    return sorted(str(i) for i in own if not pattern.fullmatch(i))


def test_names_of_ours_are_slugs() -> None:
    assert misspelt(data()) == []
    assert len(misspelt(turtle("barrier:Bad_Name pev:blocks theme:two--hyphens , theme:good-name ."))) == 2


def test_every_code_and_every_theme_has_a_definition_and_a_scheme_with_a_title() -> None:
    concepts = {s for s in data().subjects(RDF.type, SKOS.Concept) if str(s).startswith((CODE, THEME))}
    assert [str(c) for c in concepts if not data().value(c, SKOS.definition)] == []
    assert [str(c) for c in concepts if not data().value(data().value(c, SKOS.inScheme), DCTERMS.title)] == []
    assert len(concepts) > 60


def test_broader_and_narrower_mirror_each_other_and_top_themes_are_the_ones_without_broader() -> None:
    up, down = data().subject_objects(SKOS.broader), data().subject_objects(SKOS.narrower)
    assert set(up) == {(narrow, broad) for broad, narrow in down}
    assert set(data().subject_objects(SKOS.topConceptOf)) == {
        (concept, scheme) for scheme, concept in data().subject_objects(SKOS.hasTopConcept)
    }
    themes = set(data().subjects(SKOS.inScheme, SCHEME.themes))
    tops = set(data().objects(SCHEME.themes, SKOS.hasTopConcept))
    assert {theme for theme in themes if not data().value(theme, SKOS.broader)} == tops


@pytest.mark.parametrize("name", ["policy-evidence", "themes", "codes"])
def test_each_file_describes_the_graph_it_becomes(name: str) -> None:
    graph = read(f"{name}.ttl")
    node = URIRef(f"{BASE}graph/{name}")
    kind = CODE["ontology-graph" if name == "policy-evidence" else "reference-graph"]
    assert (node, DCTERMS.type, kind) in graph
    assert graph.value(node, DCTERMS.title)
    assert (kind, SKOS.inScheme, SCHEME["graph-kind"]) in data()


# Looking themes up


def named(graph: Graph) -> dict[str, set[Node]]:
    """Returns for each label, in lower case, everything that bears it."""
    bearers: defaultdict[str, set[Node]] = defaultdict(set)
    for predicate in (RDFS.label, SKOS.prefLabel, SKOS.altLabel, DCTERMS.title, FOAF.name):
        for subject, label in graph.subject_objects(predicate):
            bearers[str(label).casefold()].add(subject)
    return bearers


def ambiguous(graph: Graph) -> dict[str, set[Node]]:
    """Returns the alternative labels of themes that something else bears too."""
    themes = graph.subjects(SKOS.inScheme, SCHEME.themes)
    alternatives = {str(alt).casefold() for theme in themes for alt in graph.objects(theme, SKOS.altLabel)}
    return {label: who for label, who in named(graph).items() if label in alternatives and len(who) > 1}


def test_every_common_theme_has_labels_people_use_and_each_leads_to_it_alone() -> None:
    themes = set(data().subjects(SKOS.inScheme, SCHEME.themes))
    assert [str(theme) for theme in themes if len(list(data().objects(theme, SKOS.altLabel))) < 3] == []
    assert ambiguous(data()) == {}


def test_a_label_that_two_things_bear_is_reported() -> None:
    planted = turtle("""theme:a skos:inScheme scheme:themes ; skos:altLabel "Money"@en , "Cash"@en .
        theme:b skos:inScheme scheme:themes ; skos:prefLabel "money"@en . agent:c rdfs:label "cash"@en .""")
    assert set(ambiguous(planted)) == {"money", "cash"}


@pytest.mark.parametrize(
    ("word", "theme"),
    [
        ("Finance", "finance"),
        ("money", "finance"),
        ("Budgets", "finance"),
        ("funding", "finance"),
        ("data sharing", "information-sharing"),
        ("data protection", "information-sharing"),
        ("governance", "governance-accountability"),
        ("staff", "workforce"),
        ("delayed discharge", "shift-from-hospital"),
    ],
)
def test_an_everyday_word_finds_its_theme(word: str, theme: str) -> None:
    assert named(data())[word.casefold()] == {THEME[theme]}


# The JSON-LD context


def test_the_context_has_a_key_for_every_term() -> None:
    expanded = {key: expand(value) for key, value in CONTEXT.items() if key not in namespaces()}
    assert {local(term): expanded.get(local(term)) for term in terms()} == {local(t): str(t) for t in terms()}
    assert undefined_terms(graph_of((URIRef(i), RDF.type, OWL.Class) for i in expanded.values() if i)) == []
    assert unknown_external_terms(URIRef(iri) for iri in expanded.values() if iri) == []


def expand(definition: object) -> str | None:
    """Returns the IRI of a context's entry, None for keywords."""
    if isinstance(definition, dict):
        definition = definition.get("@id", definition.get("@reverse"))
    if not isinstance(definition, str) or definition.startswith("@") or ":" not in definition:
        return None
    prefix, name = definition.split(":", 1)
    return namespaces()[prefix] + name


def test_the_context_gives_each_property_the_type_of_its_values() -> None:
    for term in terms(OWL.ObjectProperty):
        assert CONTEXT[local(term)]["@type"] == "@id", local(term)
    assert CONTEXT["paraphrase"]["@language"] == "en"
    for name in ("timeframe", "deadline", "characterCount", "start", "end"):
        assert expand({"@id": CONTEXT[name]["@type"]}) in {str(XSD[t]) for t in ("duration", "date", "integer")}


def test_the_context_is_the_place_of_every_prefix() -> None:
    assert len(set(namespaces().values())) == len(namespaces())
    bare = [i for i in iris(data()) if i.startswith(BASE) and not str(i).startswith(tuple(namespaces().values()))]
    assert bare == []
    for file in (*ONTOLOGY.glob("*.ttl"), *RULES):
        declared = re.findall(r"(?i)^@?prefix\s+(\w+):\s*<([^>]*)>", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert {p: i for p, i in declared if namespaces().get(p) != i} == {}, file.name


@pytest.mark.parametrize("name", ["barrier/piru-distrust", "position/currie-welcome", "commitment/sg-extra-funding"])
def test_an_item_survives_json_ld_in_this_context(name: str) -> None:
    node = URIRef(f"{BASE}id/{name}")
    item = graph_of((s, p, o) for s, p, o in data().triples((node, None, None)))
    text = item.serialize(format="json-ld", context=CONTEXT, auto_compact=False)
    assert json.loads(text)["paraphrase"]
    assert isomorphic(rdflib_graph(q.triple for q in ox.parse(text, format=ox.RdfFormat.JSON_LD)), item)


# Rules


def added_by_rules(store: ox.Store) -> set[ox.Triple]:
    """Runs the rules in file order, each over what is there by then; returns what they added."""
    added: set[ox.Triple] = set()
    for rule in RULES:
        found = store.query(rule.read_text(encoding="utf-8"))
        assert isinstance(found, ox.QueryTriples)
        new = {t for t in found if ox.Quad(t.subject, t.predicate, t.object) not in store}
        store.extend(ox.Quad(t.subject, t.predicate, t.object) for t in new)
        added |= new
    return added


def conclusions(text: str) -> set[tuple[str, str, str]]:
    """Returns what the rules add to some Turtle, as local names."""
    store = ox.Store()
    store.load(PREFIXES + text, format=ox.RdfFormat.TURTLE)

    def name(term: object) -> str:
        assert isinstance(term, ox.NamedNode | ox.Literal)
        return re.split(r"[/#]", term.value)[-1]

    return {(name(t.subject), name(t.predicate), name(t.object)) for t in added_by_rules(store)}


@pytest.mark.parametrize("rule", RULES, ids=lambda path: path.stem)
def test_a_rule_says_what_it_does_and_declares_only_the_prefixes_it_uses(rule: Path) -> None:
    text = rule.read_text(encoding="utf-8")
    assert re.match(r"#\+ summary: \S.*\.\n", text)
    code = re.sub(r'(?m)^(#|PREFIX).*$|"[^"]*"', "", text)
    assert set(re.findall(r"(?m)^PREFIX (\w+):", text)) == set(re.findall(r"\b(\w+):\w", code))
    template = re.search(r"CONSTRUCT \{([^}]*)\}", code)
    assert template is not None
    assert not re.search(r"pev:(blocks|enables)\b", template[1])


def test_the_rules_never_conclude_that_something_blocks_or_enables() -> None:
    concluded = {local(URIRef(t.predicate.value)) for t in inferred()}
    assert concluded == {"hasTheme", "affects", "identifies", "deadline"}


def test_a_second_round_of_the_rules_adds_nothing() -> None:
    store = ox.Store()
    for t in (*data(), *rdflib_graph(inferred())):
        line = graph_of([t]).serialize(format="nt")
        store.load(line, format=ox.RdfFormat.N_TRIPLES)
    assert added_by_rules(store) == set()


def test_a_theme_of_a_report_carries_over_to_the_common_themes_it_is_matched_to() -> None:
    found = conclusions("""recommendation:r pev:hasTheme as2018:own ; pev:statedIn doc:d .
        as2018:own skos:closeMatch theme:near ; skos:exactMatch theme:same , msg2019:other ;
            skos:broadMatch theme:wide .
        theme:near skos:inScheme scheme:themes . theme:same skos:inScheme scheme:themes .
        theme:wide skos:inScheme scheme:themes . msg2019:other skos:inScheme scheme:msg2019 .""")
    assert found == {(who, "hasTheme", theme) for who in ("r", "d") for theme in ("near", "same")}


def test_a_factor_affects_what_it_blocks_its_themes_and_what_is_broader() -> None:
    found = conclusions("""
        barrier:b a pev:Barrier ; pev:blocks initiative:i ; pev:hasTheme theme:low ; pev:statedIn doc:d .
        enabler:e a pev:Enabler ; pev:affects theme:middle .
        finding:f a pev:Finding ; pev:hasTheme theme:low .
        theme:low skos:broader theme:middle . theme:middle skos:broader theme:top .""")
    assert found == {
        *(("b", "affects", thing) for thing in ("i", "low", "middle", "top")),
        ("e", "affects", "top"),
        ("d", "identifies", "b"),
    }


@pytest.mark.parametrize(
    ("issued", "timeframe", "due"),
    [
        ("2019-02-04", "P1Y", "2020-02-04"),
        ("2019-02-04", "P12M", "2020-02-04"),
        ("2019-02-04", "P18M", "2020-08-04"),
        ("2019-02-04", "P1Y6M", "2020-08-04"),
        ("2019-11-30", "P3M", "2020-02-29"),
        ("2018-11-30", "P3M", "2019-02-28"),
        ("2019-01-31", "P1M", "2019-02-28"),
        ("2020-01-31", "P1M", "2020-02-29"),
        ("2020-02-29", "P1Y", "2021-02-28"),
        ("2020-02-29", "P4Y", "2024-02-29"),
        ("2099-12-31", "P2M", "2100-02-28"),
        ("1999-12-31", "P2M", "2000-02-29"),
        ("2019-03-31", "P1M", "2019-04-30"),
        ("2019-12-01", "P1M", "2020-01-01"),
        ("2019-12-15", "P30D", "2020-01-14"),
        ("2020-02-28", "P1D", "2020-02-29"),
        ("2019-02-28", "P1D", "2019-03-01"),
        ("2100-02-28", "P1D", "2100-03-01"),
        ("2019-12-31", "P1Y2M1D", "2021-03-01"),
    ],
)
def test_a_deadline_is_the_issue_date_plus_the_timeframe(issued: str, timeframe: str, due: str) -> None:
    found = conclusions(f"""recommendation:r pev:timeframe "{timeframe}"^^xsd:duration ; pev:statedIn doc:d .
        doc:d dcterms:issued "{issued}"^^xsd:date .""")
    assert found == {("r", "deadline", due)}


@pytest.mark.parametrize(
    ("issued", "timeframe", "more"),
    [
        ('"2018"^^xsd:gYear', "P1Y", ""),
        ('"2019-02-04"^^xsd:date', "PT12H", ""),
        ('"2019-02-04"^^xsd:date', "-P1Y", ""),
        ('"2019-02-04"^^xsd:date', "P1Y", 'recommendation:r pev:deadline "2019-12-01"^^xsd:date .'),
    ],
    ids=["issued in a year", "hours", "backwards", "deadline stated"],
)
def test_no_deadline_is_concluded_without_a_day_a_whole_timeframe_or_need(
    issued: str, timeframe: str, more: str
) -> None:
    assert not conclusions(f"""
        recommendation:r pev:timeframe "{timeframe}"^^xsd:duration ; pev:statedIn doc:d .
        doc:d dcterms:issued {issued} . {more}""")


# Shapes

CONSTRAINTS = {
    *(
        SH.minCount,
        SH.maxCount,
        SH["class"],
        SH.datatype,
        SH.nodeKind,
        SH.pattern,
        SH.maxLength,
        SH.minLength,
    ),
    *(SH.minInclusive, SH.maxInclusive, SH.uniqueLang, SH.disjoint, SH.lessThan, SH.hasValue, SH["in"]),
    *(SH.node, SH["or"], SH.xone, SH["and"], SH["not"]),
}


def without_a_phrase(graph: Graph) -> list[str]:
    """Returns shapes that constrain something but lack one English message that is a predicate phrase."""
    inside = {m for p in (SH["or"], SH.xone) for group in graph.objects(None, p) for m in graph.items(group)}
    found = []
    for shape in set(graph.subjects()) - inside:
        if (shape, RDF.type, SH.SPARQLConstraint) not in graph:
            constraints = {p for p in graph.predicates(shape) if p in CONSTRAINTS}
            if not constraints:
                continue
        messages = list(graph.objects(shape, SH.message))
        good = len(messages) == 1 and isinstance(messages[0], Literal) and messages[0].language == "en"
        if not good or not re.fullmatch(r"[a-z].*[^.]", str(messages[0])):
            found.append(f"{graph.value(shape, SH.path)} {messages}")
    return found


def test_every_constraint_has_a_message_that_goes_on_from_the_name_of_the_thing() -> None:
    assert without_a_phrase(shapes()) == []


def test_a_constraint_without_such_a_message_is_reported() -> None:
    planted = turtle("""pevs:A a sh:NodeShape ; sh:nodeKind sh:IRI ; sh:property
        [ sh:path pev:blocks ; sh:minCount 1 ] ,
        [ sh:path pev:enables ; sh:minCount 1 ; sh:message "Must enable something."@en ] .""")
    assert len(without_a_phrase(planted)) == 3


@dataclass(frozen=True)
class Result:
    focus: str
    severity: str
    message: str


def validation(graph: Graph) -> set[Result]:
    """Returns what the shapes find in data that are merged with ontology and codes."""
    _, report, _ = pyshacl.validate(graph, shacl_graph=shapes(), advanced=True)
    assert isinstance(report, Graph)
    return {
        Result(
            focus=str(report.value(result, SH.focusNode)).removeprefix(BASE),
            severity=str(report.value(result, SH.resultSeverity)).removeprefix(str(SH)),
            message=str(report.value(result, SH.resultMessage)),
        )
        for result in report.subjects(RDF.type, SH.ValidationResult)
    }


def test_the_data_violate_no_shape() -> None:
    found = validation(merged(ontology(), data()))
    assert [r for r in found if r.severity == "Violation"] == []
    assert {r.severity for r in found} <= {"Warning", "Info"}


SOUND = """
barrier:x a pev:Barrier ; rdfs:label "X"@en ; pev:paraphrase "Something stands in the way."@en ;
    pev:statedIn doc:d ; pev:assertedBy agent:a ; pev:attributionMode code:own-text ;
    pev:evidence text:0123456789abcdef\\#char\\=0\\,9 ;
    pev:blocks theme:t ; pev:hasTheme theme:t .
doc:d a pev:Article ; dcterms:title "D"@en ; dcterms:type code:news-article .
agent:a a org:Organization ; rdfs:label "A"@en .
scheme:s a skos:ConceptScheme .
theme:t a pev:Theme ; skos:inScheme scheme:s ; skos:prefLabel "T"@en ; skos:definition "T."@en .
text:0123456789abcdef a pev:TextSnapshot ; pev:snapshotOf doc:d ; pev:characterCount 20 ; pev:sha256 "HASH" .
text:0123456789abcdef\\#char\\=0\\,9 a pev:Passage ; oa:hasSource text:0123456789abcdef ; pev:sha256 "HASH" ;
    oa:hasSelector text:0123456789abcdef\\#selector\\=0\\,9 .
text:0123456789abcdef\\#selector\\=0\\,9 a oa:TextPositionSelector ; oa:start 0 ; oa:end 9 .
""".replace("HASH", "0123456789abcdef" * 4)

# What is planted beside the sound barrier: the fault, and the sentence it must give.
FAULTS = [
    ("finding:a a pev:Finding .", "finding:a needs a label of at most 80 characters"),
    ("finding:a a pev:Finding .", "finding:a needs a paraphrase of at most 300 characters"),
    ("finding:a a pev:Finding .", "finding:a needs exactly one origin document (pev:statedIn)"),
    ("finding:a a pev:Finding .", "finding:a does not say who asserts it"),
    ("finding:a a pev:Finding .", "finding:a does not say how the text carries it (pev:attributionMode)"),
    ("finding:a a pev:Finding .", "finding:a has no passage that shows it (pev:evidence)"),
    ("finding:a a pev:Finding .", "finding:a is filed under no theme"),
    (f'finding:b a pev:Finding ; rdfs:label "{"x" * 81}"@en .',
     "finding:b needs a label of at most 80 characters"),
    (
        f'finding:b pev:paraphrase "{"x" * 301}"@en .',
        "finding:b needs a paraphrase of at most 300 characters",
    ),
    ('finding:c a pev:Finding ; rdfs:label "C" .', "finding:c has a label without a language tag"),
    ('finding:c rdfs:label "C"@en , "K"@en .', "finding:c has two labels in one language"),
    ("finding:c pev:reportedIn doc:d ; pev:statedIn doc:d .",
     "finding:c is reported in its own origin; only other documents relay it"),
    ("finding:c pev:attributionMode code:welcomes .",
     "finding:c has an attribution mode that is not in that code list"),
    ("finding:c pev:concerns theme:t .",
     "finding:c concerns something that is no agent, initiative, outcome, document, item, event or law"),
    ('finding:c pev:timeframe "PT1H"^^xsd:duration .',
     "finding:c has a timeframe that is not in whole years, months or days, such as P1Y6M"),
    ('finding:c pev:timeframe "soon" .', "finding:c has a timeframe that is not an xsd:duration"),
    ("finding:e a pev:Finding , pev:Position .",
     "be exactly one of key message, finding, recommendation, position, commitment, barrier and enabler"),
    ("finding:e pev:stance code:own-text .", "finding:e has a stance that is not in that code list"),
    ("finding:e pev:evidence doc:d .", "finding:e has evidence that is not a passage"),
    ("barrier:f a pev:Barrier .",
     "barrier:f hinders nothing; name what it blocks if its origin says so, else what you judge it affects"),
    ("barrier:f pev:enables theme:t .", "barrier:f is a barrier and cannot enable anything"),
    ("barrier:f pev:enables theme:t .", "barrier:f enables something but is not an enabler"),
    ("recommendation:g a pev:Recommendation .", "recommendation:g names nobody to act"),
    ("recommendation:g pev:addresses theme:t .",
     "recommendation:g addresses something that is not a barrier"),
    ("doc:h a pev:Report .", "doc:h has no held text; its items rest on coverage"),
    ("doc:h a pev:Report .", "doc:h names no author (dcterms:creator)"),
    ("doc:h a pev:Report .", "doc:h has no issue date"),
    ("doc:h dcterms:type code:own-text .", "doc:h has a type that is not in the code list of document types"),
    ('doc:i a pev:Document ; dcterms:issued "2019" .',
     "doc:i has an issue date that is no xsd:date, xsd:gYearMonth or xsd:gYear"),
    ("text:i a pev:TextSnapshot ; pev:characterCount -1 .",
     "text:i needs exactly one character count, an xsd:integer of 0 or more"),
    ('text:i pev:sha256 "ABC" .', "text:i needs exactly one SHA-256 of 64 lower-case hexadecimal digits"),
    ('text:i pev:sha256 "ABC" .',
     "text:i has an IRI that does not end in the first 16 digits of its SHA-256"),
    ("text:j a oa:TextPositionSelector ; oa:start 9 ; oa:end 9 .",
     "text:j covers no characters: its start is not before its end"),
    ("text:j a oa:TextPositionSelector ; oa:start -1 .",
     "text:j needs exactly one oa:start, an xsd:integer of 0 or more"),
    ("text:k a pev:Passage ; oa:hasSource text:0123456789abcdef ; oa:hasSelector text:l .",
     "text:k covers a range that runs past the end of its text"),
    ("text:l oa:start 0 ; oa:end 21 .",
     "text:k has an IRI that does not name its text and range (#char=start,end)"),
    ('text:k oa:exact "x" .', "text:k stores words of a source (oa:exact); store only positions and hashes"),
    ("[] a pev:Barrier .", "is a blank node; give it an IRI"),
    ("membership:m a org:Membership ; org:member agent:a .",
     "membership:m has a member that is not a person"),
    ('money:n a schema:MonetaryAmount ; schema:value 1.5 ; schema:currency "pounds" .',
     "money:n needs exactly one currency, a code of three capitals such as GBP"),
    ("theme:o a pev:Theme ; skos:broader theme:t , theme:u .", "theme:o has more than one broader theme"),
]  # fmt: skip


@pytest.fixture(scope="module")
def sentences() -> set[str]:
    """Returns what the shapes say of all planted faults together."""
    planted = [turtle(fault) for fault, _ in FAULTS]
    return {
        f"{result.focus.removeprefix('id/').replace('/', ':')} {result.message}"
        for result in validation(merged(ontology(), codes(), turtle(SOUND), *planted))
    }


def codes() -> Graph:
    return read("codes.ttl")


def test_the_shapes_find_nothing_wrong_with_a_sound_item() -> None:
    assert validation(merged(ontology(), codes(), turtle(SOUND))) == set()


@pytest.mark.parametrize("sentence", [sentence for _, sentence in FAULTS])
def test_a_planted_fault_is_reported_in_a_sentence(sentences: set[str], sentence: str) -> None:
    assert [found for found in sentences if found.endswith(sentence)], sorted(sentences)
