"""No Python is left without the tests of what Python itself may change."""

from __future__ import annotations

from pathlib import Path

import pytest

from pythons import CONTRACT, MUCH_THE_SAME, is_much_the_same

TESTS = Path(__file__).parent


@pytest.mark.parametrize("path", MUCH_THE_SAME, ids=lambda path: path.name)
def test_what_a_python_between_leaves_out_is_there(path):
    assert path.exists()


@pytest.mark.parametrize(
    "folder", ["alias", "executors", "forks", "loops", "runs", "schedulers", "serializers"]
)
def test_every_python_runs_what_python_itself_may_change(folder):
    found = [*(TESTS / folder).rglob("test_*.py")]
    assert found
    assert not [path for path in found if is_much_the_same(path)]


def test_every_python_runs_the_contract_of_stores():
    assert CONTRACT.exists()
    assert not is_much_the_same(CONTRACT)
    assert is_much_the_same(CONTRACT.with_name("test_rows.py"))
