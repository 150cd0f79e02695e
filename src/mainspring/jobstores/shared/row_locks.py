"""Locks on rows, asked before anything of a row is loaded: whether it is signed, may load what it names, and runs a command that is known.

Signed is all that decides what code runs with what: the store, the id, the name, the function, the trigger, the arguments, the executor,
the options and the tags. What a node itself changes with each run is not: when the job is due, whether it is paused, its counters and its version.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from mainspring import profile
from mainspring.allowed import AllowedReferences
from mainspring.errors import UnsignedJobError
from mainspring.serializers.arguments import ArgumentSerializer, Serializer
from mainspring.serializers.signing import SigningKeys, framed, reader_now, sealed, unsealed
from mainspring.triggers.plain import references_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FORMAT = "mainspring job 1"


class RowLocks:
    """The locks of one store.

    Args:
        keys: by which rows are signed; ``None``: they aren't.
        allowed: what may be loaded; ``None``: anything.
        scope: the name of the store, so that rows of another are not its own.
        note: what is to be said of them when the store starts, if anything.

    Attributes:
        commands: what jobs may give to `run_command`, where rows aren't signed, as their arguments are written; ``None``: anything.
        is_open: whether no lock is there, as in most stores.
    """

    def __init__(
        self,
        keys: SigningKeys | None = None,
        allowed: AllowedReferences | None = None,
        scope: str = "",
        note: str | None = None,
    ) -> None:
        self.note = note
        self.keys = keys
        self.allowed = allowed
        self.scope = scope
        self.commands: frozenset[str] | None = None
        self.is_open = keys is None and allowed is None

    def know_commands(self, commands: Iterable[str]) -> None:
        """Let rows that aren't signed run these commands alone, given as the arguments of their rows are written."""
        self.commands = frozenset(map(_canonical, commands))
        self.is_open = False

    def close(self, row: dict[str, Any]) -> None:
        """Sign a row that is about to be written.

        Raises:
            SerializationError: it names what may not be loaded.
        """
        if self.is_open:
            return
        self._admit(row["func"], row["trigger"], row["options"])
        if self.keys is not None:
            parts = self._parts(
                row["id"],
                row["name"],
                row["func"],
                row["trigger"],
                row["arguments"],
                row["executor"],
                row["options"],
                row["tags"],
            )
            row["arguments"] = sealed(row["arguments"], self.keys.signature(framed(*parts)))

    def open(
        self,
        job_id: str,
        name: str,
        func: str,
        trigger: str,
        arguments: str,
        executor: str,
        options: str,
        tags: str | None,
    ) -> str:
        """The arguments of a row without their signature.

        Raises:
            UnsignedJobError: it isn't signed, or not as it is.
            SerializationError: it names what may not be loaded.
        """
        bare, signature = unsealed(arguments)
        if self.is_open:
            return bare
        reader = reader_now()
        if self.keys is not None and reader != "all":
            if signature is None:
                raise UnsignedJobError("unsigned", _UNSIGNED)
            by = self.keys.signed_by(
                signature, framed(*self._parts(job_id, name, func, trigger, bare, executor, options, tags))
            )
            if by is None:
                raise UnsignedJobError("changed", _CHANGED)
            if by and reader == "newest":
                raise UnsignedJobError("old key", "it is signed with another key than the first")
        elif self.keys is None and self._is_unknown_command(func, bare):
            raise UnsignedJobError("unsigned", _UNKNOWN_COMMAND)
        self._admit(func, trigger, options)
        return bare

    def _is_unknown_command(self, func: str, arguments: str) -> bool:
        if self.commands is None or not _COMMAND.search(func) or _trusts_commands.get():
            return False
        return _canonical(arguments) not in self.commands

    def _parts(
        self,
        job_id: str,
        name: str,
        func: str,
        trigger: str,
        arguments: str,
        executor: str,
        options: str,
        tags: str | None,
    ) -> tuple[str, ...]:
        # Stores that keep JSON as documents give it back in other words.
        same = _canonical(trigger), _canonical(options), _canonical(tags or "[]")
        return (_FORMAT, self.scope, job_id, name, func, arguments, executor, *same)

    def _admit(self, func: str, trigger: str, options: str) -> None:
        if self.allowed is None:
            return
        self.allowed.admit(func)
        for reference in _named_by(trigger, options):
            self.allowed.admit(reference)


_trusts_commands: ContextVar[bool] = ContextVar("mainspring_trusts_commands", default=False)


@contextmanager
def trusting_commands() -> Iterator[None]:
    """Read rows of whatever command for a while, on this thread: to compare and replace them, and not to run them."""
    token = _trusts_commands.set(True)
    try:
        yield
    finally:
        _trusts_commands.reset(token)


OPEN = RowLocks()


class UnsignedJob(NamedTuple):
    """A job that `sign_jobs` has signed, or would sign.

    Attributes:
        job_id: its id.
        name: its name.
        function: the reference of its function.
        state: as of `UnsignedJobError`.
    """

    job_id: str
    name: str
    function: str
    state: str


class RowFormat(TypedDict):
    """How a store writes and reads rows, as its options say."""

    arguments: ArgumentSerializer
    locks: RowLocks


def row_format(
    serializer: Serializer | None, signing_key: Any, pickle_protocol: int, functions: Any, scope: str = ""
) -> RowFormat:
    """How a store writes and reads rows.

    Args:
        scope: the name of the store, where it is known already.

    Raises:
        ConfigurationError, TypeError: an option that can't be.
    """
    keys = SigningKeys.of(signing_key)
    allowed = None if functions is None else AllowedReferences(functions)
    return {
        "arguments": ArgumentSerializer(serializer, keys, pickle_protocol, allowed),
        "locks": RowLocks(
            keys,
            allowed,
            scope,
            _TRUSTS_ALL if serializer is None and keys is None and profile.stands_in() else None,
        ),
    }


_TRUSTS_ALL = (
    'it reads pickles as APScheduler does (serializer="pickle"): whoever can write to it can have any code run here. With a signing_key only '
    'what is signed is read; with serializer="auto" nothing in a pickle is called'
)
_UNSIGNED = (
    "it is not signed, and this job store runs only jobs that are: it was added or changed without the signing_key. If it is of before there "
    "was a key, look at it and sign it with sign_jobs() of the job store"
)
_CHANGED = (
    "it is not signed with this job store's signing_key for this job as it is now: it was changed, moved here, or signed with another key. "
    "Add it again, or look at it and sign it with sign_jobs(changed=True) of the job store"
)


_UNKNOWN_COMMAND = (
    "it runs a command that is not one of the file that this scheduler runs, and it is not signed: whoever can write to the job store could have "
    "added it. Put it into the file, or give the store a signing_key and add it with that"
)
#: Under whatever module it is found.
_COMMAND = re.compile(r"(?:^|[.:])run_command$")


@lru_cache(maxsize=1024)
def _canonical(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True)


@lru_cache(maxsize=1024)
def _named_by(trigger: str, options: str) -> list[str]:
    """What is loaded besides the function: of the trigger, and around runs."""
    around = json.loads(options).get("around_run", ())
    return [*references_in(json.loads(trigger)), *around]
