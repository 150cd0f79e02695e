"""Asking a server for a first answer, and waiting for it no longer than a start may take.

A server may take a connection and never answer, a name may take long to be looked up: drivers wait for that as long as they do, up to half
a minute, and can't be told by another thread to stop. So the first question is asked on a thread of its own, which is left to itself
when it takes too long. It asks only; what comes of it late is of no consequence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.aside import Aside

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds between two looks at whether it is given up.
_STEP = 0.02


class NoAnswerError(Exception):
    """There was no answer until it was given up."""

    def __init__(self) -> None:
        super().__init__("it gives no answer")


class FirstQuestion:
    """`ask`, called on another thread and waited for until `gives_up` says so.

    To be called until it has an answer: it knows what was raised before.
    """

    def __init__(self, ask: Callable[[], object], gives_up: Callable[[], bool]) -> None:
        self._ask = ask
        self._gives_up = gives_up
        self._raised_before: Exception | None = None

    def __call__(self) -> None:
        """Ask once.

        Raises:
            NoAnswerError: there was no answer when it was given up, and never any.
            Exception: what `ask` raised, now or, where there is no answer now, before.
        """
        raised: list[Exception] = []

        def work() -> None:
            try:
                self._ask()
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                raised.append(error)

        asking = Aside("mainspring-reach", work)
        while not asking.wait(_STEP):
            if self._gives_up():
                raise self._raised_before or NoAnswerError
        if raised:
            self._raised_before = raised[0]
            raise raised[0]
