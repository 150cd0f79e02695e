"""What is attacked."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("FIRE_NODE", "test")

from burning import Fire
from grounds import GROUNDS

import servers


class _Grounds:
    """Those that were made, each for as long as the tests of one kind follow one another."""

    def __init__(self, tmp_path_factory) -> None:
        self._factory = tmp_path_factory
        self._kept: Fire | None = None

    def fire(self, kind: str, count: int) -> Fire:
        """Two nodes on such a store: those of the last test, if it went well."""
        kept = self._kept
        if kept is None or kept.ground.kind != kind:
            self.close()
            kept = Fire(self.ground(kind), self._factory.mktemp(f"fire-{kind}"))
            self._kept = kept
        kept.start(count - len(kept.alive))
        return kept

    def ground(self, kind: str):
        try:
            return GROUNDS[kind]()
        except servers.ServerMissingError as error:
            servers.missing(str(error))

    def close(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()
            kept.ground.close()


@pytest.fixture(scope="module")
def _grounds(tmp_path_factory):
    made = _Grounds(tmp_path_factory)
    yield made
    made.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed or hasattr(report, "wasxfail")
    return report


_FAILED = pytest.StashKey[bool]()


@pytest.fixture
def fire(request, _grounds):
    """Two nodes on a store of a kind, which is the parameter."""
    yield _grounds.fire(request.param, 2)
    if request.node.stash.get(_FAILED, True):
        _grounds.close()


@pytest.fixture
def ground(request, _grounds):
    """A store of a kind, which is the parameter, that no other test uses."""
    made = _grounds.ground(request.param)
    yield made
    made.close()
