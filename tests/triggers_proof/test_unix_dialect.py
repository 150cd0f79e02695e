"""What cronsim and croniter agree on, `CronTrigger.from_unix` reads as they do: 10,000 expressions that both read alike."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import islice

import pytest
from croniter import croniter
from cronsim import CronSim

from mainspring.triggers.cron import CronTrigger

START = datetime(2026, 3, 1, 0, 30)
JUST_AFTER = START.replace(second=1, tzinfo=UTC)
FIELDS = [
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, ("jan", "feb", "sep", "dec")),
    (0, 7, ("sun", "mon", "fri")),
]


def part(pick: random.Random, low: int, high: int, names: tuple[str, ...], *, is_odd: bool) -> str:
    def value() -> str:
        return pick.choice(names) if names and pick.random() < 0.2 else str(pick.randint(low, high))

    step = pick.choice([1, 2, 3, 5, 6, 7, 10, 12, 24, 29, 31, 40, 60, 100])
    first, last = sorted(pick.randint(low, high) for _ in range(2))
    if first == last:  # of such a range with a step each makes something else
        first, last = low, high
    forms = [
        "*", "*", "*", value(), value(), f"*/{step}", f"{first}-{last}", f"{first}-{last}/{step}", f"{value()}/{step}", f"*/{step}",
    ]  # fmt: skip
    if is_odd:
        forms += [str(pick.randint(high, high + 3)), f"{first}-{last + 2}", f"{first}-{last}/0"]
    return pick.choice(forms)


def expression(pick: random.Random) -> str:
    is_odd = pick.random() < 0.1  # most of those are refused by both
    return " ".join(
        ",".join(part(pick, *field, is_odd=is_odd) for _ in range(pick.choice([1, 1, 1, 1, 2])))
        for field in FIELDS
    )


def by_croniter(text: str) -> list[datetime] | None:
    try:
        times = croniter(text, START)
        return [times.get_next(datetime) for _ in range(4)]
    except Exception:  # whatever it refuses with
        return None


def by_cronsim(text: str) -> list[datetime] | None:
    try:
        return list(islice(CronSim(text, START), 4))
    except Exception:
        return None


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.one_python
def test_what_others_agree_on_is_read_as_they_do(seed: int) -> None:
    pick = random.Random(seed)
    agreed: set[str] = set()
    while len(agreed) < 1000:
        text = expression(pick)
        expected = by_cronsim(text)
        if not expected or expected != by_croniter(text):
            continue
        agreed.add(text)
        found = CronTrigger.from_unix(text, timezone=UTC).upcoming(JUST_AFTER, 4)
        assert [time.replace(tzinfo=None) for time in found] == expected, text


@pytest.mark.parametrize(
    "text",
    ["*/0 * * * *", "60 * * * *", "0 24 * * *", "0 0 32 * *", "0 0 0 * *", "0 0 * 13 *", "0 0 * * 8", "1-60/5 * * * *", "/5 * * * *", "5/0 * * * *" ],
)  # fmt: skip
def test_what_cron_refuses_or_reads_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at position"):
        CronTrigger.from_unix(text)
