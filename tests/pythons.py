"""Which tests CI runs on which Pythons, as far as no mark beside the test says so."""

from __future__ import annotations

from pathlib import Path

_TESTS = Path(__file__).parent

#: The contract of stores, by which each driver is used on every Python.
CONTRACT = _TESTS / "jobstores" / "test_stores.py"

#: What these try is our own arithmetic, decisions, statements and texts. The oldest Python and the newest run them, those between don't.
MUCH_THE_SAME = tuple(
    _TESTS / name
    for name in (
        "admin",
        "cli",
        "differential",
        "engine",
        "jobstores",
        "moving",
        "simulation",
        "testing",
        "triggers",
        "triggers_proof",
        "test_docs.py",
        "test_ics.py",
        "test_masking.py",
        "test_misspelt_keywords.py",
        "test_printable.py",
        "test_troubleshooting.py",
    )
)


def is_much_the_same(path: Path) -> bool:
    """Whether a Python between the oldest and the newest is not likely to answer otherwise than both of them.

    Args:
        path: of the file of a test.
    """
    return path != CONTRACT and not {path, *path.parents}.isdisjoint(MUCH_THE_SAME)
