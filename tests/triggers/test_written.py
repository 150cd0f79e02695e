"""Triggers are written as they always were: what is in stores, in pickles and in logs doesn't change with a release.

`written.json` has of many triggers their dictionary, state and repr, and a pickle. ``python tests/triggers/test_written.py`` writes it anew, after a
change that is meant: what stores have of older releases must still be read then, and rolling upgrades go on.
"""

from __future__ import annotations

import base64
import json
import pickle
import re
import sys
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.plain import trigger_from_dict, trigger_to_dict
from triggers.samples import samples

_WRITTEN = Path(__file__).parent / "written.json"
_STRIDE = 101


def written(trigger: Any) -> dict[str, str]:
    """What is compared: all of it as text, since the order counts too."""
    return {
        "repr": _without_addresses(repr(trigger)),
        "dict": json.dumps(trigger_to_dict(trigger)),
        "state": _without_addresses(repr(trigger.__getstate__())),
    }


def _without_addresses(text: str) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", text)


def _samples() -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(samples(_STRIDE))


@pytest.fixture(scope="module")
def recorded() -> list[dict[str, str]]:
    """What was written once."""
    values: list[dict[str, str]] = json.loads(_WRITTEN.read_text(encoding="utf-8"))
    return values


def test_dictionaries_states_and_reprs_are_what_they_were(recorded: list[dict[str, str]]) -> None:
    now = [written(trigger) for trigger in _samples()]
    assert len(now) == len(recorded)
    for mine, theirs in zip(now, recorded, strict=True):
        assert mine == {name: text for name, text in theirs.items() if name != "pickle"}


def test_dictionaries_are_read_as_what_they_were_written_from(recorded: list[dict[str, str]]) -> None:
    for values in recorded:
        read = written(trigger_from_dict(json.loads(values["dict"])))
        assert (read["dict"], read["repr"]) == (values["dict"], values["repr"])


def test_pickles_are_read_as_what_they_were_written_from(recorded: list[dict[str, str]]) -> None:
    for trigger, values in zip(_samples(), recorded, strict=True):
        read = pickle.loads(base64.b64decode(values["pickle"]))
        assert read.is_same_schedule(trigger)
        assert written(read) == written(trigger)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    lines = [
        json.dumps(written(trigger) | {"pickle": base64.b64encode(pickle.dumps(trigger, 4)).decode()})
        for trigger in _samples()
    ]
    _WRITTEN.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


def test_an_end_that_was_kept_as_text_is_read_in_the_zone_of_the_trigger():
    written = IntervalTrigger(hours=1, end_date="2026-05-01", timezone="Europe/Berlin").to_dict()
    read = trigger_from_dict({**written, "end_date": "2026-05-01"})
    assert read.end_date == datetime(2026, 5, 1, tzinfo=ZoneInfo("Europe/Berlin"))
