"""Where the files are, and the settings."""

from __future__ import annotations

import shutil
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest

from kg.errors import BadParameter, DataError
from kg.names import GRAPH
from kg.workspace import SETTINGS, Setting, Settings, Workspace, init_workspace, open_workspace, read_settings
from workspaces import ROOT, write_workspace

NUMBERS = [setting for setting in SETTINGS if isinstance(setting.default, int)]
TEXTS = [setting for setting in SETTINGS if not isinstance(setting.default, int)]


def named(setting: Setting) -> str:
    return setting.name


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test in an empty folder, so that no kg.toml of the developer is found."""
    folder = tmp_path / "current"
    folder.mkdir()
    monkeypatch.chdir(folder)


def config(text: str) -> Path:
    path = Path("other.toml")
    path.write_text(text, encoding="utf-8")
    return path


# settings


def test_the_table_and_the_class_name_the_same_settings_in_the_same_order() -> None:
    assert [setting.name for setting in SETTINGS] == [field.name for field in fields(Settings)]


def test_every_setting_says_its_unit_and_what_it_is_for() -> None:
    assert all(setting.unit and setting.help.endswith(".") for setting in SETTINGS)


def test_the_variable_of_a_setting_is_its_name_in_capitals() -> None:
    assert Setting("max_rows", 1, "rows", "").variable == "KG_MAX_ROWS"


def test_without_anything_the_defaults_hold() -> None:
    assert asdict(read_settings()) == {setting.name: setting.default for setting in SETTINGS}


@pytest.mark.parametrize("setting", NUMBERS, ids=named)
def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config(f"{setting.name} = 11")
    assert asdict(read_settings(path)) == {**asdict(read_settings()), setting.name: 11}

    monkeypatch.setenv(setting.variable, "12")

    assert asdict(read_settings(path)) == {**asdict(read_settings(config(""))), setting.name: 12}


@pytest.mark.parametrize("setting", TEXTS, ids=named)
def test_a_text_comes_from_file_or_environment_and_is_the_default_when_empty(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config(f'{setting.name} = "from file"')
    assert getattr(read_settings(path), setting.name) == "from file"

    monkeypatch.setenv(setting.variable, "from outside")
    assert getattr(read_settings(path), setting.name) == "from outside"

    monkeypatch.setenv(setting.variable, "")
    assert getattr(read_settings(path), setting.name) == setting.default


def test_the_file_in_the_current_folder_is_found() -> None:
    Path("kg.toml").write_text("max_rows = 7", encoding="utf-8")

    assert read_settings().max_rows == 7


def test_a_named_file_is_read_instead_of_the_one_in_the_current_folder() -> None:
    Path("kg.toml").write_text("max_rows = 7\nmax_tokens = 8", encoding="utf-8")

    found = read_settings(config("max_rows = 9"))

    assert found.max_rows == 9
    assert found.max_tokens == read_settings(config("")).max_tokens


@pytest.mark.parametrize("setting", NUMBERS, ids=named)
@pytest.mark.parametrize("value", ["many", "", "1.5", "too little", "-3", "1e3", "true"])
def test_a_number_that_is_none_is_refused_with_variable_value_and_unit(
    setting: Setting, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value == "too little":
        value = str(setting.least - 1)
    monkeypatch.setenv(setting.variable, value)

    with pytest.raises(BadParameter) as caught:
        read_settings()

    assert str(caught.value).startswith(f"{setting.variable}: ")
    assert setting.unit in str(caught.value)
    assert value in str(caught.value)


@pytest.mark.parametrize("value", ["true", "1.5", "[1]", "'many'", "0", "2021-05-01"])
def test_a_number_in_the_file_is_held_to_the_same(value: str) -> None:
    with pytest.raises(BadParameter, match="KG_MAX_ROWS"):
        read_settings(config(f"max_rows = {value}"))


@pytest.mark.parametrize("value", ["true", "3", "['a', 'b']"])
def test_a_text_in_the_file_has_to_be_text(value: str) -> None:
    with pytest.raises(BadParameter, match="KG_TEXTS"):
        read_settings(config(f"texts = {value}"))


def test_an_unknown_key_is_named_with_the_file_and_the_keys_there_are() -> None:
    with pytest.raises(DataError, match=r"other\.toml: 'max_row' is no setting; there are .*max_rows"):
        read_settings(config("max_row = 1"))


@pytest.mark.parametrize("text", ["max_rows", "= 1", "max_rows = ", "[max_rows"])
def test_a_file_that_is_not_toml_is_named(text: str) -> None:
    with pytest.raises(DataError, match=r"other\.toml: is not TOML"):
        read_settings(config(text))


def test_a_file_that_is_not_utf8_is_named() -> None:
    Path("kg.toml").write_bytes(b"texts = '\xff'")

    with pytest.raises(DataError, match=r"kg\.toml"):
        read_settings()


def test_a_file_that_was_named_and_is_missing_is_not_passed_over() -> None:
    with pytest.raises(DataError, match=r"nowhere\.toml: is missing"):
        read_settings(Path("nowhere.toml"))


# opening


def test_a_workspace_is_named_by_its_folder(tmp_path: Path) -> None:
    made = write_workspace(tmp_path / "w")

    assert open_workspace(tmp_path / "w") == made
    assert made.root.is_absolute()


@pytest.mark.parametrize("part", ["ontology", "graph", "queries"])
def test_a_folder_without_a_part_is_no_workspace_and_the_part_is_named(tmp_path: Path, part: str) -> None:
    write_workspace(tmp_path / "w")
    shutil.rmtree(tmp_path / "w" / part)

    with pytest.raises(DataError, match=f"is no workspace: {part} missing; `kg init`"):
        open_workspace(tmp_path / "w")


def test_a_folder_that_is_not_there_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: is no workspace: ontology, graph, queries missing"):
        open_workspace(tmp_path / "nowhere")


def test_without_a_name_the_current_folder_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_workspace(tmp_path / "w")
    monkeypatch.chdir(tmp_path / "w")

    assert open_workspace().root == (tmp_path / "w").resolve()


def test_where_the_current_folder_is_none_the_shipped_workspace_is_taken() -> None:
    found = open_workspace()

    assert (found.root / "ontology" / "policy-evidence.ttl").is_file()
    assert found.root != Path.cwd()


# what it holds


def test_data_files_are_ontology_then_graph_then_texts_and_no_shapes(tmp_path: Path) -> None:
    made = write_workspace(tmp_path / "w", "quay", "mole")

    shown = [made.shown(path) for path in made.data_files]

    assert "ontology/shapes.ttl" not in shown
    assert shown[-3:] == ["graph/entities.ttl", "graph/sources/mole.trig", "graph/sources/quay.trig"]
    assert all(name.startswith("ontology/") for name in shown[:-3])
    assert shown[:-3] == sorted(shown[:-3])


def test_rules_questions_and_checks_are_found_apart(tmp_path: Path) -> None:
    made = write_workspace(tmp_path / "w")

    assert made.rules and all(path.parent.name == "rules" for path in made.rules)
    assert made.queries and all(path.parent.name == "queries" for path in made.queries)
    assert made.checks and all(path.parent.name == "checks" for path in made.checks)


def test_a_turtle_file_is_loaded_into_the_graph_of_its_name(tmp_path: Path) -> None:
    assert Workspace(tmp_path).graphs_of(tmp_path / "graph" / "entities.ttl") == (GRAPH + "entities",)


def test_a_text_fills_what_it_says_and_what_is_judged_of_it(tmp_path: Path) -> None:
    text = tmp_path / "graph" / "sources" / "elsewhere.trig"
    assert Workspace(tmp_path).graphs_of(text) == (GRAPH + "source-elsewhere", GRAPH + "curated-elsewhere")


def test_a_path_outside_is_shown_whole(tmp_path: Path) -> None:
    assert Workspace(tmp_path / "w").shown(tmp_path / "other.ttl") == str(tmp_path / "other.ttl")


def test_a_missing_context_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^ontology/context\.jsonld: cannot be read: No such file"):
        _ = Workspace(tmp_path).prefixes


def test_a_context_that_is_not_json_is_named_with_its_line(tmp_path: Path) -> None:
    made = write_workspace(tmp_path / "w")
    made.context.write_text('{\n "@context": {,}\n}', encoding="utf-8")

    with pytest.raises(DataError, match=r"^ontology/context\.jsonld:2: is not JSON"):
        _ = made.prefixes


# the fingerprint


def test_equal_workspaces_have_equal_fingerprints_wherever_they_stand(tmp_path: Path) -> None:
    one, other = write_workspace(tmp_path / "one"), write_workspace(tmp_path / "other")

    assert one.fingerprint() == other.fingerprint()


@pytest.mark.parametrize(
    "name",
    [
        "ontology/policy-evidence.ttl",
        "ontology/shapes.ttl",
        "ontology/context.jsonld",
        "graph/entities.ttl",
        "graph/sources/elsewhere.trig",
        "queries/passages.rq",
    ],
)
def test_the_fingerprint_changes_with_every_file_that_a_build_reads(tmp_path: Path, name: str) -> None:
    made = write_workspace(tmp_path / "w")
    before = made.fingerprint()

    with (made.root / name).open("ab") as file:
        file.write(b"\n")

    assert made.fingerprint() != before


def test_the_fingerprint_changes_when_a_rule_or_check_does_or_a_file_gets_another_name(tmp_path: Path) -> None:
    made = write_workspace(tmp_path / "w")
    seen = {made.fingerprint()}
    for path in (made.rules[0], made.checks[0]):
        path.unlink()
        seen.add(made.fingerprint())
    text = made.data_files[-1]
    text.rename(text.with_name("renamed.trig"))
    seen.add(made.fingerprint())

    assert len(seen) == 4


def test_the_fingerprint_does_not_change_with_what_no_build_reads(tmp_path: Path) -> None:
    made = write_workspace(tmp_path / "w")
    before = made.fingerprint()

    (made.root / "graph" / "notes.md").write_text("nothing", encoding="utf-8")

    assert made.fingerprint() == before


# releases


def test_releases_stand_in_build_unless_the_setting_names_a_folder(tmp_path: Path) -> None:
    made = write_workspace(tmp_path / "w")

    assert made.releases(read_settings()) == made.root / "build"
    assert made.releases(replace(read_settings(), releases="/srv/releases")) == Path("/srv/releases")


def test_outside_of_a_checkout_there_is_no_commit(tmp_path: Path) -> None:
    assert write_workspace(tmp_path / "w").commit() is None


# making one


def contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("exists", [False, True])
def test_a_new_workspace_has_ontology_and_questions_and_an_empty_graph(tmp_path: Path, exists: bool) -> None:
    target = tmp_path / "deep" / "new"
    if exists:
        target.mkdir(parents=True)

    made = init_workspace(target)

    assert made == open_workspace(target)
    assert (target / "graph" / "sources").is_dir()
    assert not any(path.is_file() for path in (target / "graph").rglob("*"))
    for part in ("ontology", "queries"):
        assert contents(target / part) == contents(ROOT / part)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(DataError, match="exists and is not empty"):
        init_workspace(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "notes.txt"]
