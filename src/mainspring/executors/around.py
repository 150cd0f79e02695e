"""Context managers round each run: an application's context, a database connection that is closed, a span of a trace."""

from __future__ import annotations

from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, Any

from mainspring.references import ref_to_obj

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mainspring.model import JobRecord

Hooks = tuple["Callable[[], Any]", ...]


def hooks_of(job: JobRecord, own: Hooks) -> Hooks:
    """What is entered round a run of `job`, the scheduler's `own` first.

    Raises:
        LookupError: a reference of the job's names nothing here.
    """
    return (*own, *map(ref_to_obj, job.options.around_run))


def entered_all(hooks: Iterable[Callable[[], Any]]) -> ExitStack:
    """The context managers that `hooks` make, entered, the first outermost."""
    with ExitStack() as stack:
        for hook in hooks:
            stack.enter_context(hook())
        return stack.pop_all()


async def entered_all_natively(hooks: Iterable[Callable[[], Any]]) -> AsyncExitStack:
    """`entered_all` round a coroutine: asynchronous context managers are entered too."""
    async with AsyncExitStack() as stack:
        for hook in hooks:
            made = hook()
            if hasattr(made, "__aenter__"):
                await stack.enter_async_context(made)
            else:
                stack.enter_context(made)
        return stack.pop_all()
