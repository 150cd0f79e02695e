"""One sentence of a contract, with the test of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Promise(NamedTuple):
    """What a caller may rely on.

    Attributes:
        name: the promise, in words.
        methods: of the contract, those that keep it or break it.
        check: given what is tested; raises where the promise is broken.
        needs_unlocked: whether jobs are changed in it while the store asks for a decision about them.
    """

    name: str
    methods: tuple[str, ...]
    check: Callable[[Any], None]
    needs_unlocked: bool


def promising(
    promises: list[Promise], *methods: str, needs_unlocked: bool = False
) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Decorate a check whose name says what is promised, to be one of `promises`.

    Args:
        methods: see `Promise.methods`.
        needs_unlocked: see `Promise.needs_unlocked`.
    """

    def register(check: Callable[[Any], None]) -> Callable[[Any], None]:
        promises.append(Promise(check.__name__.replace("_", " "), methods, check, needs_unlocked))
        return check

    return register


def drawn(promises: list[Promise]) -> str:
    """The table of what each method promises, in Markdown, for the documentation."""
    lines = ["| method | what it promises |", "|---|---|"]
    methods = sorted({method for promise in promises for method in promise.methods})
    lines += [
        f"| `{method}` | {'; '.join(promise.name for promise in promises if method in promise.methods)} |"
        for method in methods
    ]
    return "\n".join(lines)
