"""Quartz, Spring, EventBridge and Jenkins against a second reading of their rules (`dialect_rules`); 200 of each in CI, 8,000 in the soak.

What the second reading refuses must be refused, all else fires at the same times.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from mainspring.errors import CronSyntaxError
from mainspring.triggers import parse
from mainspring.triggers.plain import trigger_from_dict

from .dialect_rules import MONTHS, SUNDAY_FIRST, Refused, times_of

START = datetime(2026, 2, 27, 13, 17, 5)
END = START + timedelta(days=3 * 365)
STEPS = [1, 2, 3, 5, 7, 8, 12, 20, 24, 31, 45, 60, 100]


class Draw:
    """Expressions that are drawn: most can be read, some can't."""

    def __init__(self, seed: int, dialect: str) -> None:
        self.random = random.Random(f"{seed}{dialect}")
        self.dialect = dialect

    def value(self, low: int, high: int, names: tuple[str, ...]) -> str:
        pick = self.random
        if pick.random() < 0.02:
            return str(high + 1)
        if names and pick.random() < (0.02 if self.dialect == "jenkins" else 0.4):
            return pick.choice(names)
        return str(pick.randint(low, high))

    def field(self, low: int, high: int, names: tuple[str, ...] = ()) -> str:
        pick = self.random

        def part() -> str:
            kind = pick.randrange(6)
            step = f"/{pick.choice(STEPS)}"
            one, other = self.value(low, high, names), self.value(low, high, names)
            if one == other:  # such a range with a step each reads in its own way
                other = str(high)
            if pick.random() < 0.8 and one.isdigit() and other.isdigit() and int(one) > int(other):
                one, other = other, one
            return ["*", one, one, f"*{step}", f"{one}-{other}", f"{one}-{other}{step}"][kind]

        parts = [part() for _ in range(pick.choice([1, 1, 1, 2]))]
        if pick.random() < 0.08:
            parts.append(f"{self.value(low, high, names)}/{pick.choice(STEPS)}")
        return ",".join(parts)

    def days(self) -> str:
        pick = self.random
        forms = [
            "L",
            "LW",
            f"L-{pick.randint(1, 29)}",
            f"{pick.randint(1, 31)}W",
            f"L-{pick.randint(1, 29)}W",
        ]
        if self.dialect != "jenkins" and pick.random() < 0.5:
            return ",".join(
                pick.sample(forms, pick.choice([1, 1, 2]))
                + [str(pick.randint(1, 31))] * pick.choice([0, 0, 1])
            )
        return self.field(1, 31)

    def weekdays(self) -> str:
        pick = self.random
        low = 0 if self.dialect in ("spring", "jenkins") else 1
        if self.dialect != "jenkins" and pick.random() < 0.4:
            name = self.value(low, 7, SUNDAY_FIRST)
            return pick.choice([f"{name}L", f"{name}#{pick.randint(1, 5)}", f"{name}#{pick.randint(0, 6)}"])
        if self.dialect == "quartz" and pick.random() < 0.1:
            return "L"
        return self.field(low, 7, SUNDAY_FIRST)

    def expression(self) -> str:
        pick = self.random
        days, weekdays = self.days(), self.weekdays()
        if self.dialect in ("quartz", "eventbridge"):
            if pick.random() < 0.5:
                weekdays = "?"
            elif pick.random() < 0.95:
                days = "?"
        elif pick.random() < 0.5:
            days, weekdays = pick.choice([(days, "*"), ("*", weekdays)])
        rare = [self.field(0, 59), self.field(0, 23)]
        fields = [*rare, days, self.field(1, 12, MONTHS), weekdays]
        if self.dialect == "eventbridge":
            return " ".join(
                [*fields, pick.choice(["*", "*", "*", "*", "2026-2028", "2027", "2026/2", "2028-2026"])]
            )
        if self.dialect == "jenkins":
            return " ".join(fields)
        seconds = pick.choice(["0", self.field(0, 59)])
        year = (
            [pick.choice(["*", "2026-2027", "2027/3"])]
            if self.dialect == "quartz" and pick.random() < 0.3
            else []
        )
        return " ".join([seconds, *fields, *year])


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 40))])
@pytest.mark.parametrize("dialect", ["quartz", "spring", "eventbridge", "jenkins"])
@pytest.mark.one_python
def test_a_dialect_is_read_as_its_rules_say(dialect: str, seed: int) -> None:
    draw = Draw(seed, dialect)
    refused = compared = 0
    for _ in range(200):
        text = draw.expression()
        whole = f"cron({text})" if dialect == "eventbridge" else text
        try:
            expected = list(islice(times_of(dialect, text, START, END), 6))
        except Refused:
            with pytest.raises(CronSyntaxError):
                parse(whole, dialect)
            refused += 1
            continue
        trigger = parse(whole, dialect)
        found = islice(trigger.between(START.replace(tzinfo=UTC), END.replace(tzinfo=UTC)), 6)
        assert [time.replace(tzinfo=None) for time in found] == expected, whole
        assert trigger_from_dict(trigger.to_dict()) == trigger
        compared += bool(expected)
    assert compared > 50
    assert refused > 10
