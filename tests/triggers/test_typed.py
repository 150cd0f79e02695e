"""What people type into bots and calendars is understood as they mean it, or refused with what they most likely mean."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mainspring.errors import CronSyntaxError
from mainspring.triggers import parse

_LINES = (Path(__file__).parent / "sentences" / "typed.txt").read_text(encoding="utf-8").splitlines()
_ROWS = [line for line in _LINES if line.strip() and not line.startswith("#")]
TYPED = {text: meaning.strip() for text, meaning in zip(_ROWS[::2], _ROWS[1::2], strict=True)}
STARTS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 29, 22, tzinfo=UTC)


def times(trigger):
    bound = trigger.bind(timezone=UTC, now=STARTS[0], job_id="job")
    return [time for start in STARTS for time in bound.upcoming(start, 40)]


def meant(meaning):
    return parse(meaning[1:].strip(), "english") if meaning.startswith("=") else parse(meaning, "unix")


@pytest.mark.parametrize("text", [text for text, meaning in TYPED.items() if not meaning.startswith("!")])
def test_a_phrase_means_what_its_writer_means(text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert times(parse(text, "english")) == times(meant(TYPED[text])), parse(text, "english").explain()


@pytest.mark.parametrize("text", [text for text, meaning in TYPED.items() if meaning.startswith("!")])
def test_a_phrase_that_is_refused_comes_with_what_was_most_likely_meant(text):
    with pytest.raises(CronSyntaxError) as caught:
        parse(text, "english")
    hint = TYPED[text][1:].strip()
    assert (caught.value.hint or "") == hint, str(caught.value)
    if hint:
        assert parse(hint, "english").upcoming(STARTS[0], 1) or parse(hint, "english").bind(
            timezone=UTC, now=STARTS[0], job_id="job"
        ).upcoming(STARTS[0], 1)


def test_no_other_dialect_reads_them():
    # else a text without a dialect would have two meanings
    for text, meaning in TYPED.items():
        if meaning.startswith("!"):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert times(parse(text)) == times(meant(meaning)), text
