"""The examples of the documentation are run, so that what they show is what happens."""

from __future__ import annotations

import doctest
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mainspring import CalendarIntervalTrigger, CronTrigger
from mainspring.engine.transitions import drawn

CHECKOUT = Path(__file__).parents[1]
PAGES = sorted((CHECKOUT / "docs").rglob("*.md"))
BLOCK = "```pycon\n"


def examples(page: Path) -> str:
    """The page's examples, the rest left blank, so that line numbers stay."""
    parts = page.read_text().split(BLOCK)
    kept = ["\n" * parts[0].count("\n")]
    for part in parts[1:]:
        code, _, rest = part.partition("```")
        kept += ["\n", code, "\n" * rest.count("\n")]
    return "".join(kept)


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if BLOCK in page.read_text()],
    ids=lambda page: str(page.relative_to(CHECKOUT / "docs")),
)
def test_the_examples_of_a_page_do_what_it_says(page):
    test = doctest.DocTestParser().get_doctest(examples(page), {}, page.name, str(page), 0)
    said: list[str] = []
    result = doctest.DocTestRunner().run(test, out=said.append)
    assert result.attempted > 0
    assert result.failed == 0, "".join(said)


def test_every_trigger_has_a_page_with_examples():
    pages = {page.stem for page in PAGES if page.parent.name == "triggers" and BLOCK in page.read_text()}
    assert pages >= {
        "date",
        "interval",
        "cron",
        "calendarinterval",
        "business-day",
        "weekly",
        "combining",
        "excluding",
        "windows",
        "to-cron",
        "lint",
        "sun",
        "clock-changes",
    }


def test_the_diagram_of_the_states_of_a_run_is_drawn_from_their_table():
    page = (CHECKOUT / "docs" / "runs.md").read_text()
    assert page.split("```mermaid\n")[1].split("\n```")[0] == drawn()


CHANGES = CHECKOUT / "docs" / "triggers" / "clock-changes.md"


def rows_of_changes() -> list[list[str]]:
    """The rows of the table of clock changes: zone, day, how the clocks go, time, and what fires under each rule."""
    lines = [line.strip("| ").split(" | ") for line in CHANGES.read_text().splitlines() if "/" in line]
    return [line for line in lines if len(line) == 8 and line[1].startswith("20")]


@pytest.mark.parametrize("row", rows_of_changes(), ids=lambda row: f"{row[0]} {row[1]}")
def test_the_table_of_clock_changes_is_what_happens(row):
    zone, day, at = ZoneInfo(row[0]), date.fromisoformat(row[1]), time.fromisoformat(row[3])
    first = datetime.combine(day, time(), zone).astimezone(UTC)
    last = datetime.combine(day, time(23, 59, 59), zone).replace(fold=1).astimezone(UTC)
    policies = [{}, {"gap": "skip"}, {"fold": "second"}, {"fold": "both"}]
    for policy, cell in zip(policies, row[4:], strict=True):
        expected = [] if cell == "none" else cell.split(", ")
        cron = CronTrigger(hour=at.hour, minute=at.minute, timezone=zone, **policy)
        steps = CalendarIntervalTrigger(
            days=1,
            hour=at.hour,
            minute=at.minute,
            start_date=day - timedelta(days=9),
            timezone=zone,
            **policy,
        )
        for trigger in (cron, steps):
            fired = trigger.between(first, last)
            assert [each.isoformat(timespec="minutes")[11:] for each in fired] == expected, policy


def test_the_table_has_spring_and_autumn_of_every_kind_of_change():
    zones = [row[0] for row in rows_of_changes()]
    assert sorted(set(zones)) == [
        "Africa/Cairo",
        "America/New_York",
        "Australia/Lord_Howe",
        "Europe/Berlin",
        "Pacific/Chatham",
    ]
    assert all(zones.count(zone) == 2 for zone in zones)


def test_all_keys_of_redis_are_listed():
    page = (CHECKOUT / "docs" / "stores" / "redis.md").read_text().split("## Keys to read")[1]
    scripts = (CHECKOUT / "src" / "mainspring" / "jobstores" / "redis" / "scripts").glob("*.lua")
    keys = {name for script in scripts for name in re.findall(r"\b(?:key|has)\('(\w+)", script.read_text())}
    assert len(keys) > 15
    assert {key for key in keys if not re.search(rf"`{key}\b", page)} == set()
