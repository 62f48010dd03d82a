"""Withdrawing a source: its two graphs go, and it is said what falls with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import NamedNode

from kg.errors import Conflict, DataError
from kg.ingest.labels import Kind
from kg.ingest.record import described, source_path
from kg.names import PEV, RDF_TYPE
from kg.release import editing
from kg.release.staging import stage_file
from kg.release.turtle import parse_turtle
from kg.workspace import Settings, Workspace


@dataclass(frozen=True)
class Withdrawal:
    """What falls when a source is withdrawn: its items, and what points at them or at what only it describes."""

    path: Path
    items: tuple[str, ...]
    pointing: tuple[tuple[str, str, str], ...]


def withdrawal(workspace: Workspace, slug_: str) -> Withdrawal:
    """Returns what would fall with a source.

    Raises:
        DataError: there is no such source.
    """
    path = source_path(workspace, slug_)
    if not path.is_file():
        raise DataError("is no source of this workspace.", workspace.shown(path))
    quads = parse_turtle(path, workspace.shown(path))
    kinds = {PEV + kind.value for kind in Kind}
    items = sorted(
        {
            q.subject.value
            for q in quads
            if q.predicate.value == RDF_TYPE
            and isinstance(q.object, NamedNode)
            and q.object.value in kinds
            and isinstance(q.subject, NamedNode)
        }
    )
    lost = {q.subject.value for q in quads if isinstance(q.subject, NamedNode)} - set(described(workspace, but=path))
    pointing = [
        (q.subject.value, q.predicate.value, q.object.value)
        for other in workspace.data_files
        if other != path
        for q in parse_turtle(other, workspace.shown(other))
        if isinstance(q.object, NamedNode) and isinstance(q.subject, NamedNode) and q.object.value in lost
    ]
    return Withdrawal(path, tuple(items), tuple(sorted(set(pointing))))


def withdraw(workspace: Workspace, settings: Settings, slug_: str) -> Withdrawal:
    """Removes the two graphs of a source and publishes the rest.

    Raises:
        BrokenRules: other sources point at what only this one describes.
        Conflict, Forbidden, DataError: as `record`.
    """
    editing.refuse_unwritable(workspace)
    with editing.locked(workspace) as mine:
        if not mine:
            raise Conflict("Another process writes to this workspace; try again when it is done.")
        editing.recover(workspace, settings)
        falls = withdrawal(workspace, slug_)
        editing.finish(workspace, settings, stage_file(workspace, settings, falls.path, [], "kg withdraw"))
    return falls
