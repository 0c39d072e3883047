"""The project itself: style, types, the order of the rooms, and what a wheel holds."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def check(*command: str) -> None:
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_style() -> None:
    check(sys.executable, "-m", "ruff", "check", ".")
    check(sys.executable, "-m", "ruff", "format", "--check", ".")


def test_types() -> None:
    check(sys.executable, "-m", "mypy")


def test_rooms_import_in_one_direction() -> None:
    check(str(Path(sys.executable).parent / "lint-imports"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    check(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT))
    (found,) = folder.glob("*.whl")
    return found


def test_a_wheel_holds_all_that_is_needed_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "derive/notation/grammar.lark",
        "derive/cells/lstm.tex",
        "reports/sheets/lmu-dlai-2018-ex5.md",
        "templates/latex/document.tex.j2",
        "bptt/py.typed",
    ):
        assert needed in names
    for source in ROOT.glob("templates/*/*"):
        if source.suffix in (".j2", ".css"):
            assert source.relative_to(ROOT).as_posix() in names
    for module in [
        *ROOT.glob("derive/**/*.py"),
        *ROOT.glob("numeric/**/*.py"),
        *ROOT.glob("verify/**/*.py"),
        *ROOT.glob("reports/**/*.py"),
        *ROOT.glob("training/**/*.py"),
        *ROOT.glob("bptt/**/*.py"),
    ]:
        assert module.relative_to(ROOT).as_posix() in names
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "docs", "examples"))]


def test_the_torch_range_includes_the_tested_release_and_excludes_newer() -> None:
    import tomllib

    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    torch = next(Requirement(text) for text in project["dependencies"] if text.startswith("torch"))
    assert "2.13.0" in torch.specifier and "2.13.0+cpu" in torch.specifier
    assert "2.13.1" not in torch.specifier and "2.14.0" not in torch.specifier


def test_no_shipped_module_uses_assert_for_input() -> None:
    """``python -O`` must not change what is checked."""
    import ast

    for folder in ("derive", "numeric", "verify", "reports", "training", "bptt"):
        for path in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            assert not [node for node in ast.walk(tree) if isinstance(node, ast.Assert)], path
