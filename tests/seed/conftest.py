"""Finds the Pythons of this machine, and starts programs under them with nothing but what the seed's programs need."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import mainspring


def _candidates(version: str) -> Iterator[str]:
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        yield sys.executable
    yield from (
        str(path)
        for path in sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), reverse=True)
    )
    yield from filter(None, [shutil.which(f"python{version}")])


@pytest.fixture(scope="session")
def find_python():
    """Gives the path of a Python of that version, or ``None``. What merely has its name (a shim) doesn't count."""

    def find(version: str) -> str | None:
        for candidate in _candidates(version):
            asked = subprocess.run(
                [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                capture_output=True,
                text=True,
                check=False,
            )
            if asked.stdout.strip() == version:
                return candidate
        return None

    return find


@pytest.fixture(scope="session")
def bare_environment(tmp_path_factory):
    """Variables that let any Python find mainspring, tzlocal and pytz, all three pure Python, and nothing else."""
    site = tmp_path_factory.mktemp("site")
    for name in ("tzlocal", "pytz"):
        spec = find_spec(name)
        assert spec is not None, f"{name} is needed by the seed's programs; `make test` installs it"
        (site / name).symlink_to(Path(spec.origin).parent)
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": os.pathsep.join([str(Path(mainspring.__path__[0]).parent), str(site)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "TZ": "UTC",
    }
