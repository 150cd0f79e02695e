"""The differences that are on purpose, and what they must look like."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path

LISTED = Path(__file__).parent / "differences.toml"


#: What a difference is: the original is wrong, or leaves its user alone; what is refused there works here; another rule; a text that says more; and
#: what no document of APScheduler names.
KINDS = ("mended", "wider", "chosen", "text", "internal")


@dataclass(frozen=True)
class Difference:
    """What programs print otherwise here: the lines that only the original prints, and those that only we print."""

    programs: list[str]
    kind: str
    sees: str
    decision: int
    original: list[str]
    here: list[str]


def read() -> list[Difference]:
    """The list as it stands."""
    return [Difference(**entry) for entry in tomllib.loads(LISTED.read_text())["difference"]]


def listed() -> dict[str, Difference]:
    """Every difference on purpose, by the program that shows it."""
    found: dict[str, Difference] = {}
    for difference in read():
        for name in difference.programs:
            assert name not in found, f"{name} is listed twice in {LISTED.name}"
            found[name] = difference
    return found


def differing(original: list[str], here: list[str]) -> tuple[list[str], list[str]]:
    """The lines that only one side prints."""
    lines = list(difflib.ndiff(original, here))
    return (
        [line[2:] for line in lines if line.startswith("- ")],
        [line[2:] for line in lines if line.startswith("+ ")],
    )
