"""Which of the originals' tests pass there and not here, and why: `tests/compat/differences.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

DIFFERENCES = Path(__file__).parents[1] / "differences.toml"
#: What a difference may be: the text of a message says more here; we differ on purpose; or the test stands something in for what doesn't exist here.
KINDS = ("text", "decision", "mock")


@dataclass(frozen=True)
class Difference:
    """Tests that pass on the original and not here, for one reason.

    Attributes:
        suite: whose tests they are.
        kind: one of `KINDS`.
        why: what differs, and why.
        tests: their ids.
        hangs: whether they wait for what never comes.
        program: a program under ``shown`` that prints what a user sees; decisions and mocks have one.
        there, here: what it prints on the original, and under the alias.
    """

    suite: str
    kind: str
    why: str
    tests: tuple[str, ...]
    hangs: bool = False
    program: str | None = None
    there: str = ""
    here: str = ""


def all_differences() -> list[Difference]:
    """The list, checked.

    Raises:
        ValueError: an entry that can't be.
    """
    found = []
    for entry in tomllib.loads(DIFFERENCES.read_text())["difference"]:
        one = Difference(**{**entry, "tests": tuple(entry["tests"])})
        if one.kind not in KINDS:
            raise ValueError(f"the kind of a difference is one of {KINDS}, got {one.kind!r} for {one.tests}")
        if (one.kind in ("decision", "mock")) != (one.program is not None):
            raise ValueError(
                f"a decision and a mock have a program that shows it, and nothing else has: {one.tests}"
            )
        found.append(one)
    return found
