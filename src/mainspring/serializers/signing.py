"""Signatures of rows: an HMAC-SHA256 over all that says what is run with what.

Who can write to the database but doesn't have a key can make no row that is read, nor change one, nor move one to another id or store.
What they can still do is in ``docs/security.md``.
"""

from __future__ import annotations

import hmac
import json
import os
import re
from collections.abc import Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal

from mainspring.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Where keys are found if none are given: one, or several with spaces between them.
ENVIRONMENT = "MAINSPRING_SIGNING_KEY"

_DIGITS = 64
_SEAL = re.compile(r',"signature":"([0-9a-f]{64})"\}\Z')


#: For whom rows are read now: ``"all"``: who signs them, and takes them as they are; ``"newest"``: who looks for those that the first key
#: hasn't signed.
Reader = Literal["usual", "all", "newest"]
_reader: ContextVar[Reader] = ContextVar("mainspring_reader", default="usual")


@contextmanager
def reading_for(reader: Reader) -> Iterator[None]:
    """Read rows in another way for a while, on this thread."""
    token = _reader.set(reader)
    try:
        yield
    finally:
        _reader.reset(token)


def reader_now() -> Reader:
    """For whom rows are read now, on this thread."""
    return _reader.get()


def reading_as_is() -> bool:
    """Whether rows are read by who is about to sign them."""
    return _reader.get() == "all"


class SigningKeys:
    """The keys of a store. The first signs; what any of them has signed is read.

    Args:
        keys: in their order.
    """

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._keys = keys

    @classmethod
    def of(cls, given: Any) -> SigningKeys | None:
        """The keys that a store is given, or, for ``None``, those of the environment; ``None``: there are none.

        Raises:
            ConfigurationError: a key is empty.
            TypeError: a key is neither text nor bytes.
        """
        if isinstance(given, SigningKeys):
            return given
        if given is None:
            given = os.environ.get(ENVIRONMENT, "").split()
        elif isinstance(given, str | bytes) or not isinstance(given, Iterable):
            given = [given]
        keys = tuple(_checked(key) for key in given)
        return cls(keys) if keys else None

    def signature(self, message: bytes) -> str:
        """The signature of a message, by the first key."""
        return hmac.digest(self._keys[0], message, "sha256").hex()

    def signed_by(self, signature: str, message: bytes) -> int | None:
        """Which key has made a signature of a message, counted from 0; ``None``: none of them has."""
        given = signature.encode("utf-8", "replace")
        for at, key in enumerate(self._keys):
            if hmac.compare_digest(given, hmac.digest(key, message, "sha256").hex().encode()):
                return at
        return None


def framed(*parts: str) -> bytes:
    """Texts as one message, such that no other texts make the same."""
    return json.dumps(parts).encode()


def sealed(text: str, signature: str) -> str:
    """A JSON object as text, with a signature as its last key. Releases that know of none read the rest of it."""
    return f'{text[:-1]},"signature":"{signature}"}}'


def unsealed(text: str) -> tuple[str, str | None]:
    """What `sealed` was given; the signature is ``None`` where there is none."""
    if not text.endswith('"}'):
        return text, None  # as most that aren't signed
    found = _SEAL.search(text, max(len(text) - _DIGITS - 32, 0))
    return (text, None) if found is None else (f"{text[: found.start()]}}}", found[1])


def _checked(key: Any) -> bytes:
    if not isinstance(key, str | bytes):
        raise TypeError(f"signing_key must be text or bytes, or a list of them, got {type(key).__name__}")
    if not key:
        raise ConfigurationError(
            "signing_key is empty: give a secret, or an empty list for no signatures whatever the environment says"
        )
    return key.encode() if isinstance(key, str) else key
