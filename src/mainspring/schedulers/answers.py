"""What the twins of methods, such as `aadd_job`, give on an asyncio loop: to be awaited, and it says so to who forgets it."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn


class Answer(asyncio.Future[Any]):
    """An answer that is on its way. Whoever takes it for the answer itself is told what is missing.

    Args:
        name: of the method that was called.
        found: what has the answer when it is there; cancelled with this.
    """

    def __init__(self, name: str, found: asyncio.Future[Any]) -> None:
        super().__init__(loop=found.get_loop())
        self._name = name
        found.add_done_callback(self._answered)
        self.add_done_callback(lambda _: found.cancel())

    def _answered(self, found: asyncio.Future[Any]) -> None:
        if found.cancelled():
            self.cancel()
            return
        error = found.exception()
        if self.done():
            return
        if error is None:
            self.set_result(found.result())
        else:
            self.set_exception(error)

    def _hint(self) -> str:
        return f"{self._name}() has to be awaited, and this is its answer on the way: await scheduler.{self._name}(...)"

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"no attribute {name!r}: {self._hint()}", name=name, obj=self)

    def __bool__(self) -> NoReturn:
        raise TypeError(f"neither true nor false yet: {self._hint()}")

    def __len__(self) -> NoReturn:
        raise TypeError(f"no length yet: {self._hint()}")

    def __getitem__(self, item: object) -> NoReturn:
        raise TypeError(f"no items yet: {self._hint()}")

    def __contains__(self, item: object) -> NoReturn:
        raise TypeError(f"nothing is in it yet: {self._hint()}")
