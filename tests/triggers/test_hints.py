"""What errors offer instead can be read, and is near to what was written: some by hand, many made of right texts by small mistakes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from difflib import SequenceMatcher
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from mainspring.errors import CronSyntaxError, TriggerError
from mainspring.timezones import astimezone
from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.expressions import FULL_MONTHS, FULL_WEEKDAYS, MONTHS, WEEKDAYS
from mainspring.triggers.cron.fields import FIELDS
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

if TYPE_CHECKING:
    from collections.abc import Callable

MEANT = [
    ("hour", "20-24", "20-23"),
    ("hour", "24", "0"),
    ("hour", "0-24/2", "0-23/2"),
    ("hour", "9am", "9"),
    ("hour", "12 am", "0"),
    ("hour", "5 p.m.", "17"),
    ("hour", "9h", "9"),
    ("hour", "9, 25", "9,23"),
    ("hour", "every 2 hours", "*/2"),
    ("minute", "60", "0"),
    ("minute", "*/60", "0"),
    ("minute", "*/61", None),
    ("minute", "0-60/5", "0-59/5"),
    ("minute", "/5", "*/5"),
    ("minute", "*5", "*/5"),
    ("minute", "*/5/", "*/5"),
    ("minute", "*//5", "*/5"),
    ("minute", "**", "*"),
    ("minute", "*/0", "*"),
    ("minute", "0 15 30", "0,15,30"),
    ("minute", "0;30", "0,30"),
    ("minute", "10..20", "10-20"),
    ("minute", "10--20", "10-20"),
    ("minute", "10\N{EN DASH}20", "10-20"),
    ("minute", "10-", "10-59"),
    ("minute", "-10", None),
    ("minute", "0,,30", "0,30"),
    ("minute", "0,", "0"),
    ("minute", "h/15", "H/15"),
    ("minute", "H(10-70)", "H(10-59)"),
    ("minute", "H(30-10)", "H(10-30)"),
    ("minute", "x", None),
    ("second", "0.5", None),
    ("day", "32", "31"),
    ("day", "0", "1"),
    ("day", "0-15", "1-15"),
    ("day", "-1", "last"),
    ("day", "-2", "L-1"),
    ("day", "last-3", "L-3"),
    ("day", "last day", "last"),
    ("day", "last weekday", "LW"),
    ("day", "last business day", "LW"),
    ("day", "first weekday", "1W"),
    ("day", "2nd weekday", None),
    ("day", "first monday", "1st mon"),
    ("day", "3th fri", "3rd fri"),
    ("day", "2rd friday", "2nd fri"),
    ("day", "last firday", "last fri"),
    ("day", "15th", "15"),
    ("day", "0W", "1W"),
    ("day", "32W", "31W"),
    ("day", "WL", "LW"),
    ("day", "L+1", None),
    ("day", "2nd mon-fri", None),
    ("month", "13", "12"),
    ("month", "5-13", "5-12"),
    ("month", "febuary", "feb"),
    ("month", "sept", "sep"),
    ("month", "jan to mar", "jan-mar"),
    ("week", "0", "1"),
    ("week", "54", "53"),
    ("year", "26", "2026"),
    ("year", "2030-2026", "2026-2030"),
    ("day_of_week", "7", "sun"),
    ("day_of_week", "1-7", "mon-sun"),
    ("day_of_week", "5-7", "fri-sun"),
    ("day_of_week", "0-7", "*"),
    ("day_of_week", "mo", "mon"),
    ("day_of_week", "MO,DI", "mon,tue"),
    ("day_of_week", "Montag", "mon"),
    ("day_of_week", "Dienstag", "tue"),
    ("day_of_week", "Sonntag", "sun"),
    ("day_of_week", "thurs", "thu"),
    ("day_of_week", "weekdays", "mon-fri"),
    ("day_of_week", "workday", "mon-fri"),
    ("day_of_week", "weekend", "sat,sun"),
    ("day_of_week", "mon-fryday", "mon-fri"),
    ("day_of_week", "mon..fri", "mon-fri"),
    ("day_of_week", "mon - fri", "mon-fri"),
    ("day_of_week", "mon to fri", "mon-fri"),
    ("day_of_week", "mon and wed", "mon,wed"),
    ("day_of_week", "mon & wed", "mon,wed"),
    ("day_of_week", "fri#0", "fri#1"),
    ("day_of_week", "fri#6", "fri#5"),
    ("day_of_week", "every day", "*"),
    ("day_of_week", "holiday", None),
]


def hint_of(field: str, text: Any) -> str | None:
    with pytest.raises(CronSyntaxError) as caught:
        CronTrigger(**{field: text})
    return caught.value.hint


@pytest.mark.parametrize(("field", "wrong", "meant"), MEANT, ids=lambda value: ascii(value))
def test_what_was_most_likely_meant_is_offered(field: str, wrong: str, meant: str | None) -> None:
    assert hint_of(field, wrong) == meant
    if meant is not None:
        CronTrigger(**{field: meant})


RIGHT = {
    "hour": ["9", "9-17", "*/2", "8-18/2", "22-2", "0,6,12,18", "H(0-7)"],
    "minute": ["0", "*/5", "10-50/20", "0,30", "H/15", "59"],
    "day": ["1", "last", "L-3", "LW", "15W", "1st mon", "3rd fri", "last sun", "1-15", "*/2"],
    "month": ["jan", "jun-aug", "1,4,7,10", "*/3", "november"],
    "day_of_week": ["mon", "mon-fri", "sat,sun", "fri#2", "friL", "wednesday", "0-4"],
    "week": ["1", "2-52/2", "53"],
    "year": ["2026", "2026-2030", "*/4"],
}
CHARACTERS = "0123456789*/-,#LWH aeinorstu?.+"


def mistaken(text: str, random: Random) -> str:
    """`text` with one or two small mistakes in it."""
    for _ in range(random.randint(1, 2)):
        at = random.randrange(len(text) + 1)
        what = random.randrange(5)
        if what == 0:
            text = text[:at] + text[at + 1 :]
        elif what == 1:
            text = text[:at] + random.choice(CHARACTERS) + text[at:]
        elif what == 2:
            text = text[:at] + random.choice(CHARACTERS) + text[at + 1 :]
        elif what == 3:
            text = text[: max(at - 1, 0)] + text[at : at + 1] + text[max(at - 1, 0) : at] + text[at + 1 :]
        else:
            text = "".join(str(int(one) + 1) if one.isdigit() else one for one in text)
    return text


@pytest.mark.one_python
def test_every_hint_can_be_read_and_is_near() -> None:
    random, offered, refused = Random(18), 0, 0
    for _ in range(4_000):
        field = random.choice([*RIGHT])
        wrong = mistaken(random.choice(RIGHT[field]), random)
        hint = refusal_of(field, wrong)
        if hint == wrong:
            continue
        refused += 1
        if hint is not None:
            offered += 1
            FIELDS[field](field, hint)  # it can be read
            alike = max(
                SequenceMatcher(None, one, wrong.lower()).ratio() for one in (hint.lower(), in_full(hint))
            )
            assert alike >= 0.25 or len(wrong) <= 3, (field, wrong, hint)
    assert refused > 1_000
    assert offered > refused / 4


def in_full(text: str) -> str:
    """`text` with the full names of weekdays and months."""
    for short, full in zip((*WEEKDAYS, *MONTHS), (*FULL_WEEKDAYS, *FULL_MONTHS), strict=True):
        text = text.replace(short, full)
    return text


def refusal_of(field: str, text: str) -> str | None:
    """The hint for a text that is refused; the text itself, if it isn't."""
    try:
        FIELDS[field](field, text)
    except CronSyntaxError as error:
        return error.hint
    return text


@pytest.mark.parametrize(
    "values", [[9, 17], (9, 17), {9, 17}, frozenset({17, 9}), ["9", 17], range(9, 18, 8), ["9,17"]], ids=ascii
)
def test_several_values_may_be_a_list(values: Any) -> None:
    assert CronTrigger(hour=values) == CronTrigger(hour="9,17")


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (9.0, "9"),
        (9.5, None),
        (True, None),
        (b"9", "9"),
        (float("nan"), None),
        (float("inf"), None),
        ([9, True], None),
        ([[], 1], None),
        ([], None),
        ({}, None),
    ],
    ids=ascii,
)
def test_values_of_other_kinds_are_refused_by_the_name_of_the_field(value: Any, hint: str | None) -> None:
    with pytest.raises(CronSyntaxError, match="hour=") as caught:
        CronTrigger(hour=value)
    assert caught.value.hint == hint


SENTENCES: list[tuple[Callable[[], Any], str]] = [
    (lambda: CronTrigger.from_unix(None), "text must be a schedule"),  # type: ignore[arg-type]
    (lambda: CronTrigger.from_unix(b"0 9 * * 1"), "text must be a schedule"),  # type: ignore[arg-type]
    (lambda: CronTrigger.from_quartz(5), "text must be a schedule"),  # type: ignore[arg-type]
    (lambda: CronTrigger.from_crontab(["0 9 * * 1"]), "text must be a schedule"),  # type: ignore[arg-type]
    (lambda: CronTrigger(tz="UTC"), "did you mean 'timezone'"),  # type: ignore[call-arg]
    (lambda: CronTrigger(weekday="mon"), "did you mean 'day_of_week'"),  # type: ignore[call-arg]
    (lambda: CronTrigger(hour=9, jitter="5"), "jitter must .* got '5'; did you mean 5?"),
    (lambda: CronTrigger(hour=9, jitter=timedelta(seconds=5)), "did you mean 5?"),
    (lambda: CronTrigger(hour=9, jitter=True), "jitter must be a number"),
    (lambda: CronTrigger(hour=9, jitter=float("nan")), "jitter must be a number"),
    (lambda: CronTrigger(hour=9, jitter=1e300), "jitter must be a number"),
    (lambda: CronTrigger(hour=9, fold=1), "did you mean 'second'"),  # type: ignore[arg-type]
    (lambda: CronTrigger(hour=9, gap="SKIP"), "did you mean 'skip'"),  # type: ignore[arg-type]
    (lambda: CronTrigger(hour=9, first="no"), "did you mean 'now'"),  # type: ignore[arg-type]
    (lambda: CronTrigger(hour=9, max_fires="3"), "did you mean 3?"),  # type: ignore[arg-type]
    (lambda: CronTrigger(hour=9, timezone=2), r"timezone must be .* did you mean '\+02:00'"),
    (lambda: CronTrigger(hour=9, timezone=b"UTC"), "timezone must be"),
    (lambda: CronTrigger(hour=9, timezone=["UTC"]), "timezone must be"),
    (lambda: CronTrigger(hour=9, start_date="01.02.2026"), "start_date: .* did you mean '2026-02-01'"),
    (lambda: CronTrigger(hour=9, start_date=5), "start_date: expected a datetime"),
    (lambda: IntervalTrigger(seconds="5"), "seconds must be a number, got str '5'; did you mean 5?"),  # type: ignore[arg-type]
    (lambda: IntervalTrigger(minutes="5"), "minutes must be a number, got str '5'; did you mean 5?"),  # type: ignore[arg-type]
    (lambda: IntervalTrigger(minutes=float("nan")), "minutes must be a number"),
    (lambda: IntervalTrigger(hours=float("inf")), "hours must be a number"),
    (lambda: IntervalTrigger(hours=True), "hours must be a number, got bool"),
    (lambda: IntervalTrigger(days=10**9), "not be longer than 999999999 days, got days=1000000000"),
    (lambda: IntervalTrigger(weeks=1e12), "weeks=|weeks must"),
    (lambda: IntervalTrigger(timedelta(hours=1)), "did you mean seconds=3600"),  # type: ignore[arg-type]
    (lambda: CalendarIntervalTrigger(months=1, hour="9"), "hour must .* got '9'; did you mean 9?"),  # type: ignore[arg-type]
    (lambda: CalendarIntervalTrigger(months="1"), "months must .* did you mean 1?"),  # type: ignore[arg-type]
    (lambda: CalendarIntervalTrigger(hours=2), r"IntervalTrigger\(hours=…\)"),  # type: ignore[call-arg]
    (lambda: CalendarIntervalTrigger(months=1, start_date="2026-02-31"), "start_date: '2026-02-31' is no date"),
    (lambda: DateTrigger("20260329T0230"), "run_date: .* did you mean '2026-03-29 02:30:00'"),
    (lambda: DateTrigger(1_700_000_000), r"datetime.fromtimestamp\(1700000000, UTC\)"),
    (lambda: DateTrigger(b"2026-03-29"), "run_date: expected a datetime"),
    (lambda: CronTrigger(hour=1).excluding("xmas"), "exclusions: 'xmas' is no date"),
    (lambda: CronTrigger(hour=1).excluding(("2026-02-01", "2026-01-01")), r"did you mean \('2026-01-01', '2026-02-01'\)"),
    (lambda: CronTrigger(hour=1).on_business_days("next"), "did you mean roll='next'"),
    (lambda: CronTrigger(hour=1).on_business_days(roll="nxt"), "did you mean 'next'"),
    (lambda: BusinessCalendar(weekend="sat"), r"weekend must be several weekdays, .* write \['sat'\]"),
    (lambda: BusinessCalendar(weekend=["frei"]), "weekend must name weekdays"),
    (lambda: BusinessCalendar(["25.12.2026"]), "holidays: .* did you mean '2026-12-25'"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "sentence"), SENTENCES, ids=range(len(SENTENCES)))
def test_mistakes_are_told_with_the_name_of_the_parameter(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=sentence) as caught:
        make()
    assert type(caught.value) in (TypeError, ValueError, TriggerError, CronSyntaxError)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PST", "America/Los_Angeles"),
        ("pdt", "America/Los_Angeles"),
        ("CST", "America/Chicago"),
        ("EDT", "America/New_York"),
        ("CEST", "Europe/Berlin"),
        ("BST", "Europe/London"),
        ("IST", "Asia/Kolkata"),
        ("JST", "Asia/Tokyo"),
        ("europe/berlin", "Europe/Berlin"),
        ("Europe/Berln", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("America/New York", "America/New_York"),
        ("UTC+2", "+02:00"),
        ("GMT-5", "-05:00"),
        ("+2", "+02:00"),
        ("Asia/Calcuta", "Asia/Calcutta"),
        ("XST", None),
        ("Middle/Earth", None),
        ("", None),
    ],
)  # fmt: skip
def test_zones_that_were_meant(name: str, meant: str | None) -> None:
    with pytest.raises(KeyError) as caught:
        astimezone(name)
    if meant is None:
        assert "did you mean" not in str(caught.value)
    else:
        assert f"did you mean {meant!r}" in str(caught.value)
        astimezone(meant)


def test_a_date_that_is_offered_is_one() -> None:
    for wrong in ("2026/3/1", "1.3.2026", "2026.03.01", "20260301", "2026-W09-7"):
        with pytest.raises(ValueError, match="did you mean") as caught:
            DateTrigger(wrong)
        offered = str(caught.value).rpartition("did you mean '")[2].removesuffix("'?")
        assert date.fromisoformat(offered) == date(2026, 3, 1)
        assert DateTrigger(offered, "UTC").upcoming(datetime(2026, 1, 1, tzinfo=UTC), 1)
