"""A release described for archives and catalogues: DataCite metadata, and a folder that is an RO-Crate.

Source: DataCite Metadata Schema 4.6 in its JSON form; RO-Crate Metadata Specification 1.1, sections
"Root Data Entity" and "Data Entities".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

from pyoxigraph import NamedNode

from kg.model import Entity
from kg.release.opened import Release
from kg.release.void import PURPOSE, TITLE

Json = dict[str, object]
_MAKER = "The Policy Evidence project"
_CRATE = "https://w3id.org/ro/crate/1.1"
METADATA_FILE = "ro-crate-metadata.json"


def write_datacite(release: Release, file: IO[bytes]) -> None:
    """Writes the metadata of a release as DataCite takes it; the one who registers it adds the DOI."""
    info = release.info()
    found: Json = {
        "schemaVersion": "http://datacite.org/schema/kernel-4",
        "identifiers": [],
        "alternateIdentifiers": [
            {"alternateIdentifier": release.id, "alternateIdentifierType": "SHA-256 of the release"}
        ],
        "titles": [{"title": title_of(release), "lang": "en"}],
        "creators": [{"name": _MAKER, "nameType": "Organizational"}],
        "publisher": {"name": _MAKER},
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Knowledge graph"},
        "version": release.id,
        "language": "en",
        "descriptions": [{"description": PURPOSE, "descriptionType": "Abstract", "lang": "en"}],
        "sizes": [f"{info.counts[name]} {name}" for name in sorted(info.counts)],
        "formats": ["application/n-quads", "application/trig", "application/ld+json", "application/vnd.apache.parquet"],
        "rightsList": [{"rights": iri, "rightsUri": iri} for iri in licences_of(release)],
        "relatedItems": [_related(document) for document in sources_of(release)],
    }
    if info.built:
        found |= {
            "publicationYear": info.built[:4],
            "dates": [{"date": info.built[:10], "dateType": "Created"}],
        }
    file.write(_written(found))


def _related(document: Entity) -> Json:
    kind = "Report" if document.type == "pev:Report" else "Other"
    return {"relatedItemType": kind, "relationType": "IsDerivedFrom", "titles": [{"title": document.label}]}


def write_crate(release: Release, folder: Path, files: Mapping[str, str]) -> None:
    """Writes the metadata that makes a folder an RO-Crate.

    Args:
        files: the files that stand in the folder, each with its media type.
    """
    sources = sources_of(release)
    graph: list[Json] = [
        {
            "@id": METADATA_FILE,
            "@type": "CreativeWork",
            "conformsTo": {"@id": _CRATE},
            "about": {"@id": "./"},
        },
        _root(release, files, sources),
        {"@id": "#maker", "@type": "Organization", "name": _MAKER},
        {"@id": "#program", "@type": "SoftwareApplication", "name": "policy-evidence-kg"},
        *(_file(folder / name, media_type) for name, media_type in files.items()),
        *(_work(document) for document in sources),
    ]
    content: Json = {"@context": f"{_CRATE}/context", "@graph": graph}
    (folder / METADATA_FILE).write_bytes(_written(content))


def _work(document: Entity) -> Json:
    return {"@id": document.iri, "@type": "CreativeWork", "name": document.label}


def _root(release: Release, files: Iterable[str], sources: Iterable[Entity]) -> Json:
    found: Json = {
        "@id": "./",
        "@type": "Dataset",
        "name": title_of(release),
        "description": PURPOSE,
        "identifier": release.id,
        "version": release.id,
        "creator": {"@id": "#maker"},
        "publisher": {"@id": "#maker"},
        "isBasedOn": [{"@id": document.iri} for document in sources],
        "hasPart": [{"@id": name} for name in files],
        "license": [{"@id": iri} for iri in licences_of(release)],
    }
    built = release.info().built
    return found | ({"datePublished": built[:10]} if built else {})


def _file(path: Path, media_type: str) -> Json:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {
        "@id": path.name,
        "@type": "File",
        "name": path.name,
        "encodingFormat": media_type,
        "contentSize": str(path.stat().st_size),
        "sha256": digest,
    }


def title_of(release: Release) -> str:
    """Returns what a release is called."""
    return f"{TITLE}, release {release.id[:12]}"


def licences_of(release: Release) -> list[str]:
    """Returns the licences that the ontology names."""
    rows = release.source.select(release.library.program("dataset-licences").text).rows
    return [term.value for (term,) in rows if isinstance(term, NamedNode)]


def sources_of(release: Release) -> list[Entity]:
    """Returns the documents that stand behind what the release says, by IRI."""
    iris = sorted(release.links.all_origins())
    known = release.search.entities(iris)
    return [known.get(iri) or Entity(iri, iri, iri) for iri in iris]


def _written(content: Json) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
