"""The library of held texts: a folder outside of the repository, a text and its blocks by hash.

It can be given to `kg verify --texts` and `kg serve --texts` as it stands.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from platformdirs import user_data_path

from kg.errors import DataError
from kg.evidence import sha256
from kg.ingest.blocks import Block, BlockKind, Document, Found
from kg.workspace import Settings, Workspace


def library_folder(settings: Settings) -> Path:
    """Returns the folder of the library: the setting, else one of the user's own data folder."""
    return Path(settings.library) if settings.library else user_data_path("policy-evidence-kg") / "library"


def refuse_inside(folder: Path, workspace: Workspace, what: str) -> None:
    """Refuses a folder for texts or quotes inside of a workspace, whose files are made public.

    Raises:
        DataError: it is inside, and not in its build/.
    """
    inside = folder.resolve()
    if inside.is_relative_to(workspace.root) and not inside.is_relative_to(workspace.root / "build"):
        raise DataError(
            f"lies in the workspace, and {what} must not be published with it; name a folder elsewhere.", folder
        )


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that it is there whole or, however the process ends, as it was before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Yields while this process alone writes in a folder.

    Raises:
        DataError: another process does.
    """
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataError("is in use by another kg process.", folder) from error
        yield


def keep(document: Document, folder: Path) -> Path:
    """Puts a document's text and blocks into the library, and returns the path of the text."""
    path = folder / f"{document.text_sha256[:16]}.txt"
    about = {name: value for name, value in asdict(document).items() if name not in ("text", "blocks", "properties")}
    about["properties"] = {name: asdict(found) for name, found in document.properties.items()}
    about["text_sha256"] = document.text_sha256
    about["blocks"] = document.block_table()
    # The blocks first: a text in the library has its blocks.
    write_whole(
        path.with_suffix(".json"), (json.dumps(about, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    )
    write_whole(path, document.text.encode())
    return path


def held(text_sha256: str, folder: Path) -> Document:
    """Returns a document of the library.

    Raises:
        DataError: it is not there, or is no longer what it was.
    """
    path = folder / f"{text_sha256[:16]}.txt"
    try:
        text = path.read_bytes().decode()
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"the text of the document is not in the library ({error}); ingest the document again.", path
        ) from error
    if sha256(text) != text_sha256:
        raise DataError("has been changed since it was ingested; ingest the document again.", path)
    blocks = tuple(Block(**{**entry, "kind": BlockKind(entry["kind"])}) for entry in about["blocks"])
    properties = {name: Found(**found) for name, found in about["properties"].items()}
    return Document(
        about["file"],
        about["sha256"],
        text,
        about["parser"],
        about["parser_version"],
        blocks,
        properties,
        about["pages"],
    )
