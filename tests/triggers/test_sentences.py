"""What `explain()` says, beside what was written by hand before it could."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, date, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import mainspring
from mainspring import BusinessCalendar, CronTrigger, DateTrigger, OrTrigger
from mainspring.errors import TriggerError
from mainspring.triggers import parse
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.explaining.catalogues import LANGUAGES, catalogue_of
from mainspring.triggers.explaining.rendering import SLOT
from mainspring.triggers.kinds import HOMES

SENTENCES = Path(__file__).parent / "sentences"
BERLIN = "Europe/Berlin"
ENGLISH = ("english_cron.txt", "english_others.txt", "english_later.txt", "english_rules.txt")
MARCH = datetime(2026, 3, 1, tzinfo=ZoneInfo(BERLIN))


def is_maintenance(*_):
    return False


class Maintenance:
    def __call__(self, time):
        return False


class Closures:
    def __contains__(self, day):
        return False


class Everything:
    def __contains__(self, day):
        return True


class Holidays(Closures):
    """As those of the ``holidays`` package look."""

    country = "DE"


NAMES = {
    "parse": parse,
    "BERLIN": BERLIN,
    "ZoneInfo": ZoneInfo,
    "NOON": MARCH.replace(hour=12),
    "UTC": UTC,
    "date": date,
    "datetime": datetime,
    "partial": partial,
    "is_maintenance": is_maintenance,
    "Maintenance": Maintenance,
    "Closures": Closures,
    "Everything": Everything,
    "HOLIDAYS": Holidays(),
    "BusinessCalendar": BusinessCalendar,
    "C": mainspring.CronTrigger,
    "U": mainspring.CronTrigger.from_unix,
    "Q": mainspring.CronTrigger.from_quartz,
    "I": mainspring.IntervalTrigger,
    "V": mainspring.CalendarIntervalTrigger,
    "R": mainspring.RecurrenceTrigger,
    "S": mainspring.SunTrigger,
    "W": mainspring.WeeklyTrigger,
    "N": mainspring.BusinessDayTrigger,
    "D": mainspring.DateTrigger,
    "And": mainspring.AndTrigger,
    "Or": mainspring.OrTrigger,
    "After": mainspring.AfterJob,
}


def written(*names):
    """The schedules of some files, each with its sentence."""
    found = []
    for name in names:
        lines = (SENTENCES / name).read_text(encoding="utf-8").splitlines()
        schedules = [line for line in lines if line.strip() and not line.startswith("#")]
        found += list(zip(schedules[::2], (line.strip() for line in schedules[1::2]), strict=True))
    return found


def made(text):
    """The trigger that an expression of a table stands for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is odd about a schedule has nothing to do with its sentence
        trigger = eval(text.removeprefix("@"), dict(NAMES))
    if text.startswith("@"):
        trigger = trigger.bind(timezone=ZoneInfo(BERLIN), now=MARCH, job_id="job1")
    return trigger


def differing(language, *names):
    """What is said otherwise than it is written in some files: each schedule with both sentences."""
    said = [(text, sentence, made(text).explain(language=language)) for text, sentence in written(*names)]
    return [one for one in said if one[1] != one[2]]


def test_each_schedule_is_said_as_it_was_written_by_hand():
    assert differing("en", *ENGLISH) == []


def test_each_schedule_is_said_in_german_as_it_was_written_by_hand():
    assert differing("de", "german.txt") == []


CATALOGUES = {language: catalogue_of(language) for language in LANGUAGES}
KEYS = sorted({key for catalogue in CATALOGUES.values() for key in catalogue.templates if "/" not in key})


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_all_templates_with_the_same_parts_and_all_forms(language):
    catalogue = CATALOGUES[language]
    assert sorted(key for key in catalogue.templates if "/" not in key) == KEYS
    for key, template in catalogue.templates.items():
        slots = [slot.groupdict() for slot in SLOT.finditer(template)]
        plain = key.partition("/")[0]
        expected = {slot["name"] for slot in SLOT.finditer(CATALOGUES["en"].templates[plain])}
        assert {slot["name"] for slot in slots} == expected, key
        variants = {other.partition("/")[2] for other in catalogue.templates}
        for slot in slots:
            assert not slot["form"] or slot["form"] in {*catalogue.forms, *variants}, (key, slot)
            assert not slot["conjunction"] or slot["conjunction"] in catalogue.conjunctions, (key, slot)


def test_all_that_is_said_in_english_is_said_in_german_too():
    for schedule, _ in written(*ENGLISH):
        told = made(schedule).explain(MARCH, language="de")
        assert "nächster Lauf: " in told
        assert "{" not in told


def test_the_next_time_is_said_in_the_language_too():
    daily = CronTrigger(hour=9, timezone=BERLIN)
    start = datetime(2026, 3, 27, 12, tzinfo=ZoneInfo(BERLIN))
    assert daily.explain(start) == "at 09:00 every day, Europe/Berlin; next: Sat 2026-03-28 09:00:00 CET"
    assert daily.explain(start, language="de") == (
        "täglich um 09:00 Uhr, Europe/Berlin; nächster Lauf: Sa 28.03.2026 09:00:00 CET"
    )
    over = DateTrigger("2026-03-01", timezone="UTC")
    assert over.explain(start) == "once, at 2026-03-01 00:00 UTC; next: never"
    assert over.explain(start, language="de") == "einmal, am 01.03.2026 um 00:00 Uhr UTC; nächster Lauf: nie"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", "language must be one of 'de', 'en', got 'fr'"),
        ("EN", "did you mean 'en'?"),
        (None, "language must be one of 'de', 'en', got None"),
        (["de"], "language must be one of 'de', 'en', got ['de']"),
    ],
)
def test_a_language_that_is_not_there_is_refused_with_those_that_are(language, words):
    with pytest.raises(TriggerError, match=re.escape(words)):
        CronTrigger(hour=9).explain(language=language)


class Told(BaseTrigger):
    """A third party's trigger that tells itself as they used to."""

    def get_next_fire_time(self, previous_fire_time, now):
        return None

    def _meaning(self):
        return "when the moon is full"


class Named(BaseTrigger):
    def get_next_fire_time(self, previous_fire_time, now):
        return None

    def __str__(self):
        return "full moon"


class Renamed(CronTrigger):
    def _meaning(self):
        return "at breakfast"


def test_a_third_partys_trigger_says_what_it_said_before():
    assert Told().explain() == "when the moon is full"
    assert Told().excluding("2026-12-25").explain() == "when the moon is full, except on 2026-12-25"
    assert Named().explain() == "full moon"
    assert Renamed(hour=9).explain() == "at breakfast"
    assert (
        OrTrigger([Told(), CronTrigger(hour=9)]).explain()
        == "when the moon is full; and also at 09:00 every day"
    )


def test_no_trigger_of_ours_has_a_sentence_of_its_own_making():
    sources = Path(mainspring.__file__).parent.joinpath("triggers").rglob("*.py")
    assert [source.name for source in sources if "def _meaning(" in source.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("kind", HOMES)
def test_each_kind_of_trigger_has_a_phrase(kind):
    module, _, name = HOMES[kind].partition(":")
    cls = getattr(import_module(f"mainspring.triggers.{module}"), name)
    assert cls._phrase is not BaseTrigger._phrase


@pytest.mark.parametrize(
    "schedule",
    [
        "C(hour=9, end_date='2001-01-01', timezone=BERLIN)",
        "C(year=1971, month=1, day=1)",
        "C(month=2, day=29)",
        "D('1912-04-14 23:40', timezone='UTC')",
        "I(hours=1, start_date='2000-01-01', end_date='2000-01-02', timezone='UTC')",
        "And([C(hour=9), C(hour=9, day_of_week='fri')])",
        "And([C(hour=2, minute=30, timezone=BERLIN), C(hour=3, minute=30, timezone=BERLIN)])",
        "C(hour=9).excluding(is_maintenance)",
        "C(hour=9).excluding(Everything())",
    ],
)
def test_what_has_fired_or_may_is_not_called_impossible(schedule):
    assert not made(schedule).explain().startswith("never")


@pytest.mark.parametrize(
    "schedule",
    [
        "C(month=2, day='30,31')",
        "C(month='2,4,6', day=31)",
        "C(year=2027, month=2, day=29)",
        "C(hour=2, minute=30, month=3, day=29, year=2026, gap='skip', timezone=BERLIN)",
        "And([C(hour=9), C(hour=15)])",
        "And([I(hours=2, start_date='2026-01-01', timezone='UTC'), I(hours=2, start_date='2026-01-01 01:00', timezone='UTC')])",
        "C(month=2, day=30).limited(3)",
        "Or([C(month=2, day=30), C(month=4, day=31)])",
    ],
)
def test_what_can_never_fire_is_said_to(schedule):
    trigger = made(schedule)
    assert trigger.explain().startswith("never fires: ")
    assert trigger.explain(language="de").startswith("nie: ")
