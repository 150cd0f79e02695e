"""Calendars in iCalendar's format: what is read, what is excluded, what fires, and what a feed may do."""

from __future__ import annotations

import json
import pickle
import random
import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr

from mainspring import BusinessCalendar, CronTrigger
from mainspring.errors import TriggerError
from mainspring.ics import IcsCalendar
from mainspring.timezones import astimezone
from mainspring.triggers.event_calendar import EventCalendar
from mainspring.triggers.plain import trigger_from_dict, trigger_to_dict
from naive_clock import instants

BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)


def calendar(*events: str, before: str = "") -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *before.splitlines()]
    for event in events:
        lines += ["BEGIN:VEVENT", *event.strip().splitlines(), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def read(*events: str, before: str = "") -> IcsCalendar:
    return IcsCalendar.from_text(calendar(*events, before=before))


MAINTENANCE = """
UID:1
SUMMARY:Maintenance
DTSTART;TZID=Europe/Berlin:20260304T220000
DTEND;TZID=Europe/Berlin:20260305T020000
RRULE:FREQ=WEEKLY;BYDAY=WE
EXDATE;TZID=Europe/Berlin:20260318T220000
"""
MOVED = """
UID:1
SUMMARY:Maintenance\\, moved
RECURRENCE-ID;TZID=Europe/Berlin:20260311T220000
DTSTART;TZID=Europe/Berlin:20260312T220000
DURATION:PT1H
"""
EASTER = """
UID:2
SUMMARY:Easter
DTSTART;VALUE=DATE:20260403
DTEND;VALUE=DATE:20260407
"""
CHRISTMAS = """
UID:3
SUMMARY:Christmas
DTSTART;VALUE=DATE:20251225
DTEND;VALUE=DATE:20251227
RRULE:FREQ=YEARLY
"""
CANCELLED = """
UID:4
STATUS:CANCELLED
DTSTART:20260303T120000Z
"""
ALL = (MAINTENANCE, MOVED, EASTER, CHRISTMAS, CANCELLED)


def test_its_events_fire_when_they_begin_and_changed_ones_take_the_place_of_others():
    times = read(*ALL).trigger().upcoming(datetime(2026, 3, 1, tzinfo=BERLIN), 5)
    assert [f"{each:%m-%d %H:%M}" for each in times] == [
        *("03-04 22:00", "03-12 22:00", "03-25 22:00", "04-01 22:00", "04-03 00:00")
    ]
    assert read(*ALL).trigger().previous(datetime(2026, 1, 1, tzinfo=BERLIN)) == datetime(
        2025, 12, 25, tzinfo=BERLIN
    )


def test_a_cancelled_occurrence_is_left_out():
    gone = "UID:1\nSTATUS:CANCELLED\nRECURRENCE-ID;TZID=Europe/Berlin:20260311T220000\nDTSTART;TZID=Europe/Berlin:20260311T220000"
    times = read(MAINTENANCE, gone).trigger().upcoming(datetime(2026, 3, 1, tzinfo=BERLIN), 2)
    assert [each.day for each in times] == [4, 25]


def test_nothing_fires_during_its_events():
    hourly = CronTrigger(hour="*", timezone=BERLIN).excluding(read(*ALL))

    def hours(first: datetime, last: datetime) -> list[str]:
        return [f"{each:%d %H}" for each in hourly.between(first, last)]

    night = datetime(2026, 3, 4, 20, tzinfo=BERLIN)
    assert hours(night, night + 8 * timedelta(hours=1)) == ["04 20", "04 21", "05 02", "05 03", "05 04"]
    assert hours(datetime(2026, 4, 2, 23, tzinfo=BERLIN), datetime(2026, 4, 7, 0, tzinfo=BERLIN)) == [
        "02 23",
        "07 00",
    ]
    assert hourly.previous(datetime(2026, 4, 6, tzinfo=BERLIN)) == datetime(2026, 4, 2, 23, tzinfo=BERLIN)
    skipped = CronTrigger(hour=12, timezone=BERLIN).excluding(
        read("UID:1\nDTSTART;TZID=Europe/Berlin:20260303T120000")
    )
    assert [each.day for each in skipped.upcoming(datetime(2026, 3, 2, tzinfo=BERLIN), 2)] == [2, 4], (
        "one without length"
    )


def test_its_days_are_no_business_days():
    daily = CronTrigger(hour=9, timezone=BERLIN)
    first, last = datetime(2026, 4, 1, tzinfo=BERLIN), datetime(2026, 4, 9, tzinfo=BERLIN)
    for given in (read(*ALL), BusinessCalendar(read(*ALL))):
        days = [each.day for each in daily.on_business_days(given).between(first, last)]
        assert days == [1, 2, 7, 8], "a timed event takes no day"
    assert date(2030, 12, 26) in read(*ALL)
    assert date(2030, 12, 27) not in read(*ALL)


@pytest.mark.parametrize(
    "made",
    [
        lambda events: events.trigger(),
        lambda events: CronTrigger(hour="*", timezone=BERLIN).excluding(events),
        lambda events: CronTrigger(hour=9, timezone=BERLIN).on_business_days(events),
        lambda events: CronTrigger(hour=9, timezone=BERLIN).on_business_days(events, roll="skip"),
    ],
    ids=["trigger", "excluding", "rolling", "skipping"],
)
def test_what_is_stored_are_the_events_themselves(made):
    trigger = made(read(*ALL))
    for again in (
        trigger_from_dict(json.loads(json.dumps(trigger_to_dict(trigger)))),
        pickle.loads(pickle.dumps(trigger)),
        made(read(*reversed(ALL))),
    ):
        assert again == trigger or trigger.to_dict()["type"] == "or"  # whose members have an order
        start = datetime(2026, 3, 1, tzinfo=BERLIN)
        assert again.upcoming(start, 20) == trigger.upcoming(start, 20)
    assert made(read(*ALL[:-2])) != trigger


def test_calendars_are_equal_where_their_events_take_the_same_time():
    assert (
        read(*ALL)
        == read(*reversed(ALL))
        == EventCalendar.from_dict(json.loads(json.dumps(read(*ALL).to_dict())))
    )
    assert read(*ALL) != read(*ALL[1:])
    later = EASTER.replace("0407", "0408")
    assert read(EASTER) != read(later)


def test_some_of_its_events():
    events = read(*ALL).where(lambda event: event.summary.startswith("Maintenance"))
    assert [event.summary for event in events.events] == ["Maintenance", "Maintenance, moved"]
    assert len(read(*ALL).events) == 4


def test_times_without_a_zone_are_of_the_one_that_asks():
    floating = read("UID:1\nDTSTART:20260304T120000\nDTEND:20260304T130000\nRRULE:FREQ=DAILY")
    for zone in (BERLIN, ZoneInfo("Asia/Tokyo")):
        kept = CronTrigger(hour="11-14", timezone=zone).excluding(floating)
        start = datetime(2026, 3, 4, tzinfo=zone)
        assert [each.hour for each in kept.upcoming(start, 4)] == [11, 13, 14, 11]
        assert floating.trigger().upcoming(start, 1) == [datetime(2026, 3, 4, 12, tzinfo=zone)]


WINDOWS = "UID:1\nDTSTART;TZID=W. Europe Standard Time:20260704T120000"
PREFIXED = "UID:1\nDTSTART;TZID=/citadel.org/20260101_1/Europe/Berlin:20260704T120000"


@pytest.mark.parametrize("event", [WINDOWS, PREFIXED])
def test_other_names_of_zones_are_understood(event):
    (found,) = read(event).trigger().upcoming(datetime(2026, 1, 1, tzinfo=UTC), 2)
    assert found == datetime(2026, 7, 4, 12, tzinfo=BERLIN)


def zone_part(kind: str, at: str, rule: str, before: str, after: str) -> str:
    return f"BEGIN:{kind}\nDTSTART:{at}\n{rule}\nTZOFFSETFROM:{before}\nTZOFFSETTO:{after}\nEND:{kind}"


def zone_text(*parts: str) -> str:
    return "\n".join(["BEGIN:VTIMEZONE", "TZID:Our Own", *parts, "END:VTIMEZONE"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "Europe/Berlin",
            zone_text(
                zone_part(
                    "STANDARD", "16011028T030000", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "+0200", "+0100"
                ),
                zone_part(
                    "DAYLIGHT", "16010325T020000", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3", "+0100", "+0200"
                ),
            ),
        ),
        (
            "America/St_Johns",
            zone_text(
                zone_part(
                    "STANDARD",
                    "19871025T000100",
                    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10;UNTIL=20061029T023100Z",
                    "-0230",
                    "-0330",
                ),
                zone_part(
                    "DAYLIGHT", "20111101T020000", "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3", "-0330", "-0230"
                ),
                zone_part(
                    "STANDARD", "20111106T020000", "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11", "-0230", "-0330"
                ),
            ),
        ),
        (
            "Australia/Sydney",
            zone_text(
                zone_part(
                    "STANDARD",
                    "20080406T030000",
                    "RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=SU;BYMONTHDAY=1,2,3,4,5,6,7",
                    "+1100",
                    "+1000",
                ),
                zone_part(
                    "DAYLIGHT", "20081005T020000", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=1SU", "+1000", "+1100"
                ),
            ),
        ),
        ("Asia/Kolkata", zone_text(zone_part("STANDARD", "19700101T000000", "TZNAME:IST", "+0530", "+0530"))),
        (
            "America/Sao_Paulo",  # which has had no summer time since 2019
            zone_text(
                zone_part("STANDARD", "20190217T000000", "TZNAME:-03", "-0200", "-0300"),
                zone_part("DAYLIGHT", "20181104T000000", "TZNAME:-02", "-0300", "-0200"),
            ),
        ),
    ],
    ids=["Berlin", "St Johns", "Sydney", "Kolkata", "Sao Paulo"],
)
def test_a_zone_that_the_calendar_describes(name, text):
    event = "UID:1\nDTSTART;TZID=Our Own:20260101T013000\nRRULE:FREQ=DAILY"
    described = read(event, before=text)
    times = described.trigger().upcoming(datetime(2026, 1, 2, tzinfo=UTC), 400)
    zone = astimezone(name)
    expected = [instants(datetime(2026, 1, 2, 1, 30) + at * DAY, zone)[0] for at in range(-1, 401)]
    assert [each.astimezone(UTC) for each in times] == [
        each for each in expected if each.year < 2099 and each >= datetime(2026, 1, 2, tzinfo=UTC)
    ][:400]
    again = trigger_from_dict(json.loads(json.dumps(described.trigger().to_dict())))
    assert again == described.trigger()


@pytest.mark.parametrize(
    ("event", "days", "hours"),
    [
        ("DTSTART;VALUE=DATE:20260101", 1, 0),
        ("DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20260101", 1, 0),
        ("DTSTART;VALUE=DATE:20260101\nDTEND:20260103T000000Z", 2, 0),
        ("DTSTART;VALUE=DATE:20260101\nDURATION:P1W", 7, 0),
        ("DTSTART:20260101T090000Z\nDTEND:20260101T080000Z", 0, 0),
        ("DTSTART:20260101T090000Z\nDTEND;TZID=Europe/Berlin:20260101T120000", 0, 2),
        ("DTSTART;TZID=Europe/Berlin:20260329T000000\nDTEND;TZID=Europe/Berlin:20260330T000000", 0, 23),
        ("DTSTART:99991231T230000Z\nDURATION:P9999D", 0, 9999 * 24),
    ],
)
def test_how_long_events_are(event, days, hours):
    (found,) = read(f"UID:1\n{event}").events
    assert (found.days, found.duration) == (days, timedelta(hours=hours))
    last = datetime(9999, 12, 31, 23, 30, tzinfo=UTC)
    kept = CronTrigger(minute=30, timezone=UTC).excluding(read(f"UID:1\n{event}"))
    assert (kept.get_next_fire_time(None, last) is None) == ("9999" in event)


@pytest.mark.parametrize(
    "text",
    ["\ufeff" + calendar(*ALL), ("\ufeff" + calendar(*ALL)).encode(), calendar(*ALL).replace("\r", "")],
)
def test_marks_at_the_beginning_and_plain_ends_of_lines_do_not_matter(text):
    assert IcsCalendar.from_text(text) == read(*ALL)


def test_hundreds_of_events_are_found_at_once():
    events = [f"UID:{at}\nDTSTART:20260101T{at % 24:02}0000Z\nDURATION:PT30M" for at in range(24)]
    events += [f"UID:d{at}\nDTSTART;VALUE=DATE:{date(2026, 1, 2) + 2 * at * DAY:%Y%m%d}" for at in range(400)]
    many = read(*events)
    hourly = CronTrigger(hour="*", minute=15, timezone=UTC).excluding(many)
    found = hourly.upcoming(datetime(2026, 1, 1, tzinfo=UTC), 2)
    assert found == [datetime(2026, 1, 3, hour, 15, tzinfo=UTC) for hour in (0, 1)]
    trigger = many.trigger()
    assert sorted(len(each.recurrence.added) for each in trigger.triggers) == [23, 399]
    assert trigger.upcoming(datetime(2028, 3, 5, tzinfo=UTC), 9) == [
        datetime(2028, 3, 6, tzinfo=UTC) + 2 * at * DAY for at in range(3)
    ]


@pytest.mark.one_python
@pytest.mark.parametrize(
    "number", [*range(12), *(pytest.param(number, marks=pytest.mark.soak) for number in range(12, 200))]
)
def test_what_is_excluded_is_what_a_look_at_each_event_says(number):
    pick = random.Random(number)
    zone = ZoneInfo(pick.choice(["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"]))
    texts: list[str] = []
    taken: list[tuple[datetime, datetime]] = []
    horizon = datetime(2026, 5, 1)
    for at in range(pick.randint(1, 4)):
        start = datetime(2026, 3, 1) + timedelta(hours=pick.randrange(24 * 40))
        rule = pick.choice(
            [None, "FREQ=DAILY;INTERVAL=3;COUNT=9", "FREQ=WEEKLY;COUNT=5", "FREQ=HOURLY;INTERVAL=17;COUNT=9"]
        )
        is_all_day = pick.random() < 0.4
        if is_all_day:
            start, rule = (
                datetime.combine(start.date(), time()),
                None if rule is None or "HOURLY" in rule else rule,
            )
            length = pick.randint(1, 3) * DAY
            head = f"DTSTART;VALUE=DATE:{start:%Y%m%d}\nDTEND;VALUE=DATE:{start + length:%Y%m%d}"
        else:
            length = timedelta(minutes=pick.choice([0, 30, 60, 90, 600, 3000]))
            head = f"DTSTART;TZID=Europe/Berlin:{start:%Y%m%dT%H%M%S}\nDURATION:PT{int(length.total_seconds() // 60)}M"
        walls = (
            [start] if rule is None else list(rrulestr(rule, dtstart=start).between(start, horizon, inc=True))
        )
        texts.append(f"UID:{at}\n{head}" + (f"\nRRULE:{rule}" if rule else ""))
        for wall in walls:
            if is_all_day:
                taken.append((instants(wall, zone)[0], instants(wall + length, zone)[0]))
            else:
                begin = instants(wall, BERLIN)[0]
                taken.append((begin, begin + max(length, timedelta(microseconds=1))))
    hourly = CronTrigger(hour="*", minute="0,30", timezone=zone)
    first, last = datetime(2026, 3, 1, tzinfo=zone), datetime(2026, 4, 20, tzinfo=zone)
    free = [
        each.astimezone(UTC)
        for each in hourly.between(first, last)
        if not any(begin <= each.astimezone(UTC) < end for begin, end in taken)
    ]
    kept = hourly.excluding(read(*texts))
    assert [each.astimezone(UTC) for each in kept.between(first, last)] == free, texts
    backwards, moment = [], kept.previous(last)
    while moment is not None and moment.astimezone(UTC) >= first.astimezone(UTC):
        backwards.append(moment.astimezone(UTC))
        moment = kept.previous(moment)
    assert backwards[::-1] == [each for each in free if each < last.astimezone(UTC)], texts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no calendar in iCalendar's format"),
        ("0 9 * * *", "no calendar in iCalendar's format"),
        (b"\xff\xfe\x00\x01", "no calendar in iCalendar's format"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260101\n", "no calendar in iCalendar's format"),
        (calendar("SUMMARY:Backup\nDTSTART:2026"), "event 'Backup': its DTSTART can't be read"),
        (
            calendar("SUMMARY:Backup\nDTSTART;TZID=Mars:20260101T000000"),
            "event 'Backup': no time zone is named 'Mars'",
        ),
        (calendar("UID:u1\nDTSTART:20260101\nRRULE:FREQ=DAYLY"), "event 'u1': its RRULE can't be read"),
        (
            calendar("UID:u1\nDTSTART:20260101\nRRULE:FREQ=WEEKLY;BYMONTHDAY=1"),
            "event 'u1': .*BYMONTHDAY goes with",
        ),
        (calendar("UID:u1\nDTSTART:20260101\nEXRULE:FREQ=DAILY"), "EXRULE is no longer part"),
        (
            calendar(MAINTENANCE, MOVED.replace("RECURRENCE-ID;", "RECURRENCE-ID;RANGE=THISANDFUTURE;")),
            "RANGE=THISANDFUTURE is not supported",
        ),
        (
            calendar(
                "UID:u1\nDTSTART;TZID=Our Own:20260101T000000",
                before=zone_text(
                    zone_part(
                        "STANDARD",
                        "20200101T000000",
                        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=3SU,2TU",
                        "+0200",
                        "+0100",
                    ),
                    zone_part(
                        "DAYLIGHT",
                        "20200101T000000",
                        "RRULE:FREQ=YEARLY;BYMONTH=9;BYDAY=1SU",
                        "+0100",
                        "+0200",
                    ),
                ),
            ),
            "'Our Own' changes its clocks by a rule that can't be read",
        ),
    ],
)
def test_what_can_not_be_read_is_refused_with_the_events_name(text, message):
    with pytest.raises(TriggerError, match=message):
        IcsCalendar.from_text(text)


def test_a_calendar_without_events_excludes_nothing_and_is_no_trigger():
    empty = read()
    assert CronTrigger(hour=9, timezone=UTC).excluding(empty).upcoming(datetime(2026, 1, 1, tzinfo=UTC), 1)
    with pytest.raises(TriggerError, match="the calendar has no events"):
        empty.trigger()


def test_a_file_is_read_once_and_no_longer_one_than_allowed(tmp_path):
    path = tmp_path / "holidays.ics"
    path.write_text(calendar(*ALL), newline="")
    read_once = IcsCalendar.from_file(path)
    path.unlink()
    assert read_once == read(*ALL)
    path.write_text(calendar(*ALL))
    with pytest.raises(TriggerError, match="is longer than max_bytes=100"):
        IcsCalendar.from_file(str(path), max_bytes=100)
    with pytest.raises(FileNotFoundError):
        IcsCalendar.from_file(tmp_path / "none.ics")


@contextmanager
def feed(answer):
    """A server on this machine whose every answer `answer` gives."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/calendar.ics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(handler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/calendar")
    handler.end_headers()
    handler.wfile.write(body)


def test_a_feed_is_read():
    with feed(lambda handler: send(handler, calendar(*ALL).encode())) as url:
        assert IcsCalendar.from_url(url) == read(*ALL)
        with pytest.raises(TriggerError, match="is longer than max_bytes=100"):
            IcsCalendar.from_url(url, max_bytes=100)


def test_a_feed_that_never_ends_is_given_up():
    def drip(handler):
        handler.send_response(200)
        handler.end_headers()
        pause = threading.Event()
        try:
            for _ in range(1000):
                handler.wfile.write(b"X")
                pause.wait(0.01)
        except OSError:
            pass  # nobody reads any more

    with feed(drip) as url, pytest.raises(TimeoutError, match="took longer than"):
        IcsCalendar.from_url(url, timeout_seconds=0.2)


def test_a_feed_that_is_not_there_is_an_oserror():
    with feed(lambda handler: handler.send_error(404)) as url, pytest.raises(OSError, match="404"):
        IcsCalendar.from_url(url)


@pytest.mark.parametrize(
    "target", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:text/plain,BEGIN:VCALENDAR"]
)
def test_a_server_can_not_have_other_things_read(target):
    def redirect(handler):
        handler.send_response(302)
        handler.send_header("Location", target)
        handler.end_headers()

    with feed(redirect) as url, pytest.raises(OSError):
        IcsCalendar.from_url(url)
    with pytest.raises(TriggerError, match="must begin with https:, http: or webcal:"):
        IcsCalendar.from_url(target)


def test_its_sentences_are_short_however_many_events_there_are():
    many = read(*(f"UID:{at}\nDTSTART:202601{at + 1:02}T090000Z" for at in range(20)))
    said = many.trigger().explain()
    assert said == "once, at 2026-01-01 09:00, UTC, and also at 19 times from 2026-01-02 to 2026-01-20"
    left_out = "UID:1\nDTSTART:20260101T090000Z\nRRULE:FREQ=DAILY\nEXDATE:" + ",".join(
        f"202602{day:02}T090000Z" for day in range(1, 11)
    )
    assert read(left_out).trigger().explain().endswith("except on 10 dates from 2026-02-01 to 2026-02-10")
    hourly = CronTrigger(hour=9, timezone=UTC).excluding(many)
    assert hourly.explain() == "at 09:00 every day, UTC, except during the events of a calendar"
