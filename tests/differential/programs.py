"""Programs: lists of steps, which several worlds take side by side."""

from __future__ import annotations

from difflib import unified_diff
from pprint import pformat
from time import perf_counter
from typing import Any, NamedTuple

#: Seconds for which a program is made smaller.
_LONGEST_REDUCTION = 8


class Step(NamedTuple):
    """One step of a program, such as ``Step("run", {"job": "a"})``."""

    name: str
    values: dict[str, Any]

    def __repr__(self) -> str:
        return f"step({', '.join([repr(self.name), *(f'{name}={value!r}' for name, value in self.values.items())])})"


def step(name: str, **values: Any) -> Step:
    """A step, as it is printed."""
    return Step(name, values)


class Difference(AssertionError):
    """Two worlds have come apart."""


def take(worlds: list[Any], taken: list[Step], one: Step) -> None:
    """Have all worlds take a step, and compare them.

    Args:
        taken: what they have taken so far; added to.
    """
    taken.append(one)
    first, *others = worlds
    answer, seen = first.take(one), first.look()
    for other in others:
        answers = {first.name: answer, other.name: other.take(one)}
        looked = other.look()
        if answers[first.name] != answers[other.name] or seen != looked:
            raise Difference(
                _told(
                    first, other, taken, {"answer": answer, **seen}, {"answer": answers[other.name], **looked}
                )
            )


def _told(first: Any, other: Any, taken: list[Step], seen: dict[str, Any], looked: dict[str, Any]) -> str:
    lines = [f"{first.name} and {other.name} have come apart after", *program_lines(taken)]
    for what, value in seen.items():
        if value != looked.get(what):
            lines.append(f"{what}:")
            lines += unified_diff(
                pformat(value, width=150).splitlines(), pformat(looked.get(what), width=150).splitlines(), first.name, other.name, lineterm="", n=1
            )  # fmt: skip
    return "\n".join(lines)


def kind_of(told: str) -> list[str]:
    """What has come apart, by which another fault isn't taken for this one."""
    return [
        line.split(":")[0] for line in told.splitlines() if line and line[0].isalpha() and "apart" not in line
    ]


def program_lines(steps: list[Step]) -> list[str]:
    """A program to be read, and to be given to `replay`."""
    return ["[", *(f"    {one!r}," for one in steps), "]"]


def replay(worlds: list[Any], program: list[Step]) -> None:
    """Have all worlds take the steps of a program, which must not come apart."""
    taken: list[Step] = []
    for one in program:
        take(worlds, taken, one)


def reduced(make_worlds: Any, program: list[Step], judge: Any = None) -> str | None:
    """The smallest part of a program after which worlds come apart still, and how; ``None``: they don't.

    Args:
        judge: called with the worlds and the steps when all are taken; raises an `AssertionError`, too.
    """

    def told(steps: list[Step]) -> str | None:
        worlds = make_worlds()
        try:
            replay(worlds, steps)
            if judge is not None:
                judge(worlds, steps)
        except AssertionError as difference:
            return str(difference)
        finally:
            for world in worlds:
                world.close()
        return None

    until = perf_counter() + _LONGEST_REDUCTION
    last = told(program)
    if last is None:
        return None
    kind = kind_of(last)
    length = max(len(program) // 2, 1)
    while True:
        start, is_shorter = 0, False
        while start < len(program) and perf_counter() < until:
            shorter = program[:start] + program[start + length :]
            answer = told(shorter)
            if answer is None or kind_of(answer) != kind:
                start += length
            else:
                program, last, is_shorter = shorter, answer, True
        if length == 1 and not is_shorter:
            return last
        length = max(length // 2, 1)
