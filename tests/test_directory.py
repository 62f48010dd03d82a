"""Where releases stand, and how one takes the place of another."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from kg.errors import ReleaseError
from kg.release.directory import (
    FORMAT_VERSION,
    ReleaseDirectory,
    adopt,
    current_release,
    discard,
    find_release,
    fresh_release,
    make_current,
    new_directory,
    tidy,
    write_json,
)
from kg.release.opened import open_release


def write_release(folder: Path, name: str, **manifest: object) -> ReleaseDirectory:
    """Returns a release directory that holds a manifest only."""
    root = folder / name
    root.mkdir(parents=True)
    write_json(root / "manifest.json", {"format": FORMAT_VERSION, "release": name, **manifest})
    return ReleaseDirectory(root)


def prepared(folder: Path, name: str) -> ReleaseDirectory:
    """Returns a whole release that is not yet in its place."""
    directory = new_directory(folder)
    write_json(directory.root / "manifest.json", {"format": FORMAT_VERSION, "release": name})
    return directory


# Finding


def test_a_folder_that_is_a_release_is_found_itself(tmp_path: Path) -> None:
    assert find_release(write_release(tmp_path, "one").root).id == "one"


def test_a_manifest_is_read_once_and_again_when_another_takes_its_place(tmp_path: Path) -> None:
    root = write_release(tmp_path, "one").root
    assert find_release(root).manifest is find_release(root).manifest

    write_json(root / "manifest.json", {"format": FORMAT_VERSION, "release": "another"})
    assert find_release(root).id == "another"


def test_of_a_folder_of_releases_the_current_one_is_found(tmp_path: Path) -> None:
    releases = [write_release(tmp_path, name) for name in ("one", "two", "three")]
    make_current(tmp_path, releases[1], "fingerprint")
    assert find_release(tmp_path) == current_release(tmp_path) == releases[1]


def test_current_is_a_name_and_not_an_address_so_that_the_folder_can_move(tmp_path: Path) -> None:
    make_current(tmp_path / "here", write_release(tmp_path / "here", "one"), "fingerprint")
    (tmp_path / "here").rename(tmp_path / "there")
    assert find_release(tmp_path / "there").root == tmp_path / "there" / "one"


@pytest.mark.parametrize("what", ["missing", "empty", "half-written", "a file", "points at nothing"])
def test_where_no_whole_release_stands_none_is_found_and_kg_build_is_named(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "releases"
    if what == "a file":
        folder.write_text("not a folder", encoding="utf-8")
    elif what != "missing":
        folder.mkdir()
    if what == "half-written":
        (folder / "store").mkdir()
    if what == "points at nothing":
        (folder / "current").write_text("gone\nfingerprint\n", encoding="utf-8")

    assert current_release(folder) is None
    assert fresh_release(folder, "fingerprint") is None
    with pytest.raises(ReleaseError) as error:
        find_release(folder)
    assert str(folder) in str(error.value)
    if what != "a file":
        assert "`kg build` makes one" in str(error.value)


@pytest.mark.parametrize("manifest", ["", "{", "[]", '"text"', "null", "\x00"])
def test_a_manifest_that_cannot_be_read_is_an_error_of_the_release(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest, encoding="utf-8")
    assert current_release(tmp_path) is None
    with pytest.raises(ReleaseError, match=r"manifest\.json: "):
        find_release(tmp_path)


def test_a_manifest_that_is_not_utf8_is_an_error_of_the_release(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(b'{"format": "\xff"}')
    with pytest.raises(ReleaseError, match="cannot be read"):
        find_release(tmp_path)


@pytest.mark.parametrize("found", [FORMAT_VERSION + 1, 0, "1", None])
def test_another_format_is_refused_by_both_names(tmp_path: Path, found: object) -> None:
    release = write_release(tmp_path, "one", format=found)
    with pytest.raises(ReleaseError, match=f"has format {found}; this version reads {FORMAT_VERSION}"):
        find_release(release.root)
    with pytest.raises(ReleaseError):
        open_release(release.root)


@pytest.mark.parametrize("part", ["context.jsonld", "links/types.json", "search.sqlite", "build-info.json"])
def test_a_release_that_lacks_a_part_names_it(tmp_path: Path, release_folder: Path, part: str) -> None:
    folder = tmp_path / "release"
    shutil.copytree(release_folder, folder)
    (folder / part).unlink()
    with pytest.raises(ReleaseError) as error:
        opened = open_release(folder)
        try:
            opened.info()
        finally:
            opened.close()
    assert part.partition("/")[0] in str(error.value)


# Fresh


def test_a_release_is_fresh_for_the_files_it_was_built_from(tmp_path: Path) -> None:
    release = write_release(tmp_path, "one")
    make_current(tmp_path, release, "these-files")
    assert fresh_release(tmp_path, "these-files") == release
    assert fresh_release(tmp_path, "other-files") is None
    assert fresh_release(tmp_path, "") is None


@pytest.mark.parametrize("pointer", [b"", b"\n", b"\xff\xfe", b"one", b"one\nthese\nand-more\n"])
def test_a_pointer_that_makes_no_sense_is_never_fresh(tmp_path: Path, pointer: bytes) -> None:
    write_release(tmp_path, "one")
    (tmp_path / "current").write_bytes(pointer)
    assert fresh_release(tmp_path, "these") is None


def test_pointing_elsewhere_replaces_the_pointer_whole(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_current(tmp_path, write_release(tmp_path, name), f"files-of-{name}")
    assert (tmp_path / "current").read_text(encoding="utf-8") == "two\nfiles-of-two\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "one", "two"]


# Putting in place


def test_a_prepared_release_is_hidden_until_it_is_adopted(tmp_path: Path) -> None:
    directory = prepared(tmp_path, "one")
    assert directory.root.parent == tmp_path and directory.root.name.startswith(".preparing-")
    adopted = adopt(directory, tmp_path / "one")
    assert adopted.id == "one" and not directory.root.exists()


def test_two_preparations_never_share_a_folder(tmp_path: Path) -> None:
    assert new_directory(tmp_path).root != new_directory(tmp_path).root


def test_an_equal_release_that_stands_there_is_kept(tmp_path: Path) -> None:
    standing = adopt(prepared(tmp_path, "one"), tmp_path / "one")
    (standing.root / "mark").write_text("kept", encoding="utf-8")
    assert adopt(prepared(tmp_path, "one"), tmp_path / "one") == standing
    assert (standing.root / "mark").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_half_of_a_release_that_stands_there_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "one" / "store").mkdir(parents=True)
    assert adopt(prepared(tmp_path, "one"), tmp_path / "one").id == "one"
    assert not (tmp_path / "one" / "store").exists()


def test_a_folder_that_cannot_be_made_is_an_error_of_the_release(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(ReleaseError, match="cannot be written"):
        new_directory(tmp_path / "file" / "releases")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_an_error_of_the_release(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ReleaseError, match="cannot be written"):
            new_directory(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_discarding_twice_is_no_trouble(tmp_path: Path) -> None:
    release = write_release(tmp_path, "one")
    discard(release)
    discard(release)
    assert not release.root.exists()


# Tidying


def aged(release: ReleaseDirectory, days: int) -> ReleaseDirectory:
    moment = time.time() - days * 86_400
    os.utime(release.root, (moment, moment))
    return release


def test_tidying_keeps_the_current_release_and_the_newest_beside_it(tmp_path: Path) -> None:
    current = aged(write_release(tmp_path, "oldest"), days=9)
    for days in (4, 1, 3, 2):
        aged(write_release(tmp_path, f"{days}-days-old"), days)
    make_current(tmp_path, current, "fingerprint")
    tidy(tmp_path, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1-days-old", "2-days-old", "current", "oldest"]


def test_tidying_leaves_what_is_no_release_alone(tmp_path: Path) -> None:
    make_current(tmp_path, write_release(tmp_path, "one"), "fingerprint")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    tidy(tmp_path, keep=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "notes", "notes.txt", "one"]


def test_tidying_without_a_current_release_keeps_the_newest(tmp_path: Path) -> None:
    for days in (1, 2, 3):
        aged(write_release(tmp_path, f"{days}-days-old"), days)
    tidy(tmp_path, keep=1)
    assert [path.name for path in tmp_path.iterdir()] == ["1-days-old"]


def test_json_has_the_same_bytes_whatever_the_order_it_was_made_in(tmp_path: Path) -> None:
    for name, value in (("one", {"b": 1, "a": {"d": "é", "c": [2]}}), ("two", {"a": {"c": [2], "d": "é"}, "b": 1})):
        write_json(tmp_path / name, value)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert json.loads((tmp_path / "one").read_text(encoding="utf-8")) == {"a": {"c": [2], "d": "é"}, "b": 1}
