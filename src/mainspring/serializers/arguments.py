"""A job's arguments as one text, which a database keeps: typed JSON, with pickles in it only where a value needs one.

The text is ``{"version": 1, "args": […], "kwargs": {…}}``. A pickle in it stands as ``{"$type": "pickle", "value": …}``, in
base64, and with a key ``"signature"``: an HMAC-SHA256 of the job's id and the pickle, so that one can't be made without the
key, nor moved to another job.
"""

from __future__ import annotations

import hmac
import json
import pickle
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, Literal, get_args

from mainspring.coercion import nearest
from mainspring.errors import ConfigurationError, SerializationError
from mainspring.serializers.bounds import Bounds
from mainspring.serializers.careful_pickle import careful_loads
from mainspring.serializers.typed_json import TYPE, from_plain, to_plain
from mainspring.storable import compact

if TYPE_CHECKING:
    from collections.abc import Mapping

Serializer = Literal["auto", "json"]

_VERSION = 1
_SHOWN = 80


class ArgumentSerializer:
    """Writes and reads the arguments of jobs.

    Args:
        serializer: ``"auto"`` pickles what JSON can't hold; ``"json"`` refuses it, and refuses to read pickles.
        signing_key: sign pickles, and read only those that are signed with it. Without one, pickles are read by
            `careful_loads`, and what that can't read is refused when it is written.
        pickle_protocol: of the pickles that are written.

    Raises:
        ConfigurationError: a serializer that there isn't, or a key that is empty.
        TypeError: a key that is neither text nor bytes.
    """

    def __init__(
        self,
        serializer: Serializer = "auto",
        signing_key: str | bytes | None = None,
        pickle_protocol: int = pickle.HIGHEST_PROTOCOL,
    ) -> None:
        valid = get_args(Serializer)
        if serializer not in valid:
            hint = nearest(str(serializer), valid)
            suggestion = f"; did you mean {hint!r}?" if hint else ""
            raise ConfigurationError(
                f"serializer must be one of {', '.join(map(repr, valid))}, got {serializer!r}{suggestion}"
            )
        self._may_pickle = serializer == "auto"
        self._key = _checked_key(signing_key)
        self._protocol = pickle_protocol

    def dumps(self, job_id: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
        """The arguments as text.

        Raises:
            SerializationError: an argument can't be written; the message names it.
        """
        if not args and not kwargs:
            return _NONE

        def pickled(value: Any, path: str) -> dict[str, Any]:
            return self._pickled(job_id, value, path)

        for key in kwargs:
            if type(to_plain(key, f"the name {key!r}", pickled)) is not str:
                raise SerializationError(
                    f"the name {key!r} of an argument of job {job_id!r} can't be written"
                )
        written = {
            "version": _VERSION,
            "args": [to_plain(value, f"args[{at}]", pickled) for at, value in enumerate(args)],
            "kwargs": {key: to_plain(value, f"kwargs[{key!r}]", pickled) for key, value in kwargs.items()},
        }
        try:
            return compact(written)
        except ValueError as error:  # text that is no Unicode
            raise SerializationError(f"the arguments of job {job_id!r} can't be written: {error}") from error

    def loads(self, job_id: str, text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The inverse of `dumps`: positional and keyword arguments.

        Raises:
            SerializationError: the text is damaged, of a newer version, or holds a pickle that may not be read here.
        """
        if text == _NONE:
            return (), {}
        try:
            written = _decode(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise SerializationError(f"the arguments are no JSON: {_short(error)}: {_short(text)}") from error
        if not isinstance(written, dict) or not isinstance(written.get("version"), int):
            raise SerializationError(
                f'the arguments should be {{"version": …, "args": …, "kwargs": …}}: {_short(text)}'
            )
        if written["version"] > _VERSION:
            raise SerializationError(
                f"the arguments have version {written['version']}, but only {_VERSION} and older can be read: "
                "they were written by a newer release, upgrade this one"
            )

        bounds = Bounds()

        def unpickled(name: str, value: dict[str, Any]) -> Any:
            return self._unpickled(job_id, name, value, bounds)

        args, kwargs = written.get("args"), written.get("kwargs")
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            raise SerializationError(f"the arguments lack a list of args or a dict of kwargs: {_short(text)}")
        if "$" not in text and "\\u" not in text:
            return tuple(args), kwargs  # nothing in it says of what type it is
        return (
            tuple(from_plain(value, unpickled, bounds) for value in args),
            {key: from_plain(value, unpickled, bounds) for key, value in kwargs.items()},
        )

    def _pickled(self, job_id: str, value: Any, path: str) -> dict[str, Any]:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        if not self._may_pickle:
            raise SerializationError(
                f'{path} of job {job_id!r} is a {kind}, which JSON can\'t hold, and serializer="json" allows no pickles: '
                "give plain values (numbers, text, lists, dicts, dates), or the key of something that the function looks up"
            )
        try:
            data = pickle.dumps(value, self._protocol)
        except Exception as error:
            raise SerializationError(
                f"{path} of job {job_id!r}, a {kind}, can't be pickled: {type(error).__name__}: {error}"
            ) from error
        written = {TYPE: "pickle", "value": b64encode(data).decode()}
        if self._key is not None:
            written["signature"] = self._signature(job_id, data)
        else:
            try:
                careful_loads(data)
            except SerializationError as error:
                raise SerializationError(
                    f"{path} of job {job_id!r}, a {kind}, could not be read back: {error}"
                ) from error
        return written

    def _unpickled(self, job_id: str, name: str, written: dict[str, Any], bounds: Bounds) -> Any:
        if name != "pickle":
            raise SerializationError(f"a value of the unknown type {name!r}: {_short(repr(written))}")
        if not self._may_pickle:
            raise SerializationError('an argument is pickled, and serializer="json" reads no pickles')
        data = b64decode(written["value"], validate=True)
        if self._key is None:
            return careful_loads(data, bounds=bounds)
        signature = written.get("signature")
        if not isinstance(signature, str):
            raise SerializationError(
                "a pickled argument is not signed, and this job store reads only signed ones"
            )
        if not hmac.compare_digest(signature.encode(), self._signature(job_id, data).encode()):
            raise SerializationError(
                "a pickled argument is not signed with this job store's signing_key for this job: it was changed, "
                "or written with another key"
            )
        try:
            return pickle.loads(data)  # noqa: S301 - signed by somebody who has the key
        except Exception as error:
            raise SerializationError(
                f"a pickled argument can't be read: {type(error).__name__}: {error}"
            ) from error

    def _signature(self, job_id: str, data: bytes) -> str:
        signed = len(job_id.encode()).to_bytes(8, "big") + job_id.encode() + data
        return hmac.digest(self._key or b"", signed, "sha256").hex()


_decode = json.JSONDecoder().decode  # `json.loads` looks at more before it does this

_NONE = '{"version":1,"args":[],"kwargs":{}}'


def _checked_key(key: Any) -> bytes | None:
    if key is None:
        return None
    if not isinstance(key, str | bytes):
        raise TypeError(f"signing_key must be text or bytes, got {type(key).__name__}")
    if not key:
        raise ConfigurationError("signing_key is empty: give a secret, or None for no signatures")
    return key.encode() if isinstance(key, str) else key


def _short(text: Any) -> str:
    shown = str(text)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
