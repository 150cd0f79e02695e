"""Programs in one file: a zip file, and what PyInstaller makes."""

from __future__ import annotations

import shutil
import sys
import zipapp
from pathlib import Path

import pytest

from .programs import PACKAGES, SOURCE, environment_with, run

HERE = Path(__file__).parent
SAID = [
    "alle 2 Wochen am Montag und Donnerstag um 09:30 Uhr, ab dem Tag des Hinzufügens",
    *["default 9", "processes 16"] * 2,
]


@pytest.mark.one_python
def test_a_zip_file_with_all_that_it_needs(tmp_path):
    """No installed package, and so no metadata."""
    program = tmp_path / "program"
    program.mkdir()
    shutil.copytree(
        SOURCE / "mainspring", program / "mainspring", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("tzlocal", "sqlalchemy"):
        shutil.copytree(
            PACKAGES / name, program / name, ignore=shutil.ignore_patterns("__pycache__", "*.so", "testing")
        )
    shutil.copy(PACKAGES / "typing_extensions.py", program)
    shutil.copy(HERE / "packed_jobs.py", program)
    shutil.copy(HERE / "packed_program.py", program / "__main__.py")
    zipapp.create_archive(program, tmp_path / "program.pyz")
    shutil.rmtree(program)
    said, _ = run([sys.executable, "-I", "-S", tmp_path / "program.pyz", tmp_path], cwd=tmp_path)
    assert said.splitlines() == SAID


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", ["--onedir", "--onefile"])
def test_what_pyinstaller_makes(tmp_path, how):
    python = environment_with(tmp_path, "pyinstaller")
    for name in ("packed_jobs.py", "packed_program.py"):
        shutil.copy(HERE / name, tmp_path)
    run([python, "-m", "PyInstaller", how, "--noconfirm", "packed_program.py"], cwd=tmp_path, timeout=400)
    made = tmp_path / "dist" / "packed_program"
    said, _ = run([made if how == "--onefile" else made / "packed_program", tmp_path], cwd="/")
    assert said.splitlines() == SAID


@pytest.mark.one_python
def test_without_assertions_and_docstrings(tmp_path):
    said, _ = run(
        [sys.executable, "-OO", HERE / "packed_program.py", tmp_path],
        cwd=tmp_path,
        env={"PYTHONPATH": str(SOURCE)},
    )
    assert said.splitlines() == SAID
