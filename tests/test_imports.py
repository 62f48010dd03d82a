"""What an import loads, and that the layers hold."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from workspaces import ROOT

HEAVY = {"fastapi", "networkx", "numpy", "owlrl", "pandas", "polars", "pyshacl", "rdflib", "starlette", "uvicorn"}


def loaded_by(code: str) -> set[str]:
    """Returns the top-level names of what is not the standard library after some code, in a process of its own."""
    # What the interpreter loads by itself, such as a `sitecustomize`, is not of that code's doing.
    show = "print(*{name.partition('.')[0] for name in {*sys.modules} - before})"
    run = f"import sys; before = {{*sys.modules}}\n{code}\n{show}"
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    names = set(done.stdout.split())
    return {name for name in names - sys.stdlib_module_names if not name.startswith("_")}


# what is loaded


def test_import_kg_loads_nothing_but_itself() -> None:
    assert loaded_by("import kg") == {"kg"}


def test_the_version_can_be_read_without_loading_more() -> None:
    assert loaded_by("import kg; kg.__version__; dir(kg)") == {"kg"}


def test_names_are_loaded_when_they_are_first_used() -> None:
    assert "pyoxigraph" in loaded_by("import kg; kg.open")


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("kg.cli", HEAVY | {"SPARQLWrapper", "jinja2", "rapidfuzz", "pydantic"}),
        ("kg.engines.worker", HEAVY | {"SPARQLWrapper", "rich", "typer", "platformdirs", "jinja2"}),
        ("kg.answers", HEAVY - {"numpy"} | {"rich", "typer"}),
        ("kg.web.app", {"networkx", "owlrl", "pandas", "polars", "pyshacl", "rdflib", "SPARQLWrapper", "rich"}),
    ],
)
def test_a_part_loads_only_what_it_was_meant_to(module: str, unwanted: set[str]) -> None:
    loaded = loaded_by(f"import {module}")

    assert "kg" in loaded
    assert not loaded & unwanted


@pytest.mark.parametrize("arguments", [["--help"], ["settings"], ["ask", "--help"], ["no-such-command"]])
def test_a_command_that_needs_no_release_starts_light(arguments: list[str]) -> None:
    code = f"import sys, contextlib, os\nsys.argv = ['kg', *{arguments!r}]\nfrom kg.cli import main\n"
    quietly = "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(open(os.devnull, 'w')): main()"

    assert not loaded_by(code + quietly) & HEAVY


def test_every_exported_name_is_there_and_no_other_is() -> None:
    import kg

    assert all(getattr(kg, name) is not None for name in kg.__all__)
    assert kg.__all__ == sorted(kg.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'close'"):
        _ = kg.close


def test_the_version_is_that_of_the_project() -> None:
    import kg

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert kg.__version__ == project["version"]


# the layers


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package and of the rules for its imports."""
    shutil.copytree(ROOT / "src" / "kg", tmp_path / "src" / "kg", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_layers_hold(copy: Path) -> None:
    done = lint_imports(copy)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


BREAKS = {
    "upward": ("names.py", "from kg import answers", "Rooms import only downward", "kg.names is not allowed to import"),
    "upward within a function": (
        "tokens.py",
        "def stray() -> object:\n    from kg.release import build\n\n    return build",
        "Rooms import only downward",
        "kg.tokens is not allowed to import",
    ),
    "around in a ring": (
        "engines/source.py",
        "from kg.engines import local",
        "Within a room no two files need each other",
        "kg.engines",
    ),
    "of HTTP outside of the web": ("answers.py", "import fastapi", "Only web/ knows HTTP", "kg.answers -> fastapi"),
    "of rdflib outside of the checks": ("release/links.py", "import rdflib", "rdflib and pySHACL", "-> rdflib"),
    "of networkx outside of the export": ("web/api.py", "import networkx", "networkx lives", "-> networkx"),
    "of SPARQLWrapper": ("notebook.py", "import SPARQLWrapper", "SPARQLWrapper is left to clients", "-> SPARQLWrapper"),
}


@pytest.mark.parametrize(("file", "line", "rule", "complaint"), BREAKS.values(), ids=BREAKS)
def test_an_import_that_breaks_the_layers_is_caught(
    copy: Path, file: str, line: str, rule: str, complaint: str
) -> None:
    with (copy / "src" / "kg" / file).open("a", encoding="utf-8") as module:
        module.write(f"\n\n{line}\n")

    done = lint_imports(copy)

    assert done.returncode == 1, done.stderr
    assert any(text.startswith(rule) and " BROKEN" in text for text in done.stdout.splitlines())
    assert complaint in " ".join(done.stdout.split())


def test_a_module_without_a_floor_is_caught(copy: Path) -> None:
    (copy / "src" / "kg" / "utils.py").write_text("", encoding="utf-8")

    done = lint_imports(copy)

    assert done.returncode == 1
    assert "utils" in done.stdout
