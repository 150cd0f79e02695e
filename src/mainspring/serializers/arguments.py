"""A job's arguments as one text, which a database keeps: typed JSON, with pickles in it only where a value needs one.

The text is ``{"version": 1, "args": […], "kwargs": {…}}``. A pickle in it stands as ``{"$type": "pickle", "value": …}``, in
base64, and where the store has keys with a ``"signature"``: of the job's id and the pickle. The row as a whole is signed as well
(`jobstores.shared.row_locks`); the pickle's own is what the releases read that know of no other.
"""

from __future__ import annotations

import io
import json
import pickle
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, Literal, get_args

from mainspring import profile
from mainspring.coercion import nearest
from mainspring.errors import ConfigurationError, SerializationError, safe_str
from mainspring.serializers.bounds import DEPTH_LIMIT, Bounds
from mainspring.serializers.careful_pickle import careful_loads, refuse_name
from mainspring.serializers.signing import reading_as_is
from mainspring.serializers.typed_json import TYPE, from_plain, to_plain
from mainspring.serializers.v3_pickle import read_pickle
from mainspring.storable import compact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mainspring.allowed import AllowedReferences
    from mainspring.serializers.signing import SigningKeys

Serializer = Literal["auto", "json", "pickle"]

_VERSION = 1
_SHOWN = 80


class ArgumentSerializer:
    """Writes and reads the arguments of jobs.

    Args:
        serializer: ``"auto"`` pickles what JSON can't hold, and reads pickles that aren't signed by `careful_loads`; what that can't
            read is refused when it is written. ``"json"`` has no pickles. ``"pickle"`` reads those that aren't signed as APScheduler
            does, so that they may call anything. ``None``: ``"auto"``, or ``"pickle"`` under the alias.
        keys: sign pickles, and read only those that are signed.
        pickle_protocol: of the pickles that are written.
        allowed: what pickles may name; ``None``: anything.

    Attributes:
        may_pickle: whether it writes and reads pickles.

    Raises:
        ConfigurationError: a serializer that there isn't.
    """

    def __init__(
        self,
        serializer: Serializer | None = None,
        keys: SigningKeys | None = None,
        pickle_protocol: int = pickle.HIGHEST_PROTOCOL,
        allowed: AllowedReferences | None = None,
    ) -> None:
        if serializer is None:
            serializer = "pickle" if profile.stands_in() else "auto"
        valid = get_args(Serializer)
        if serializer not in valid:
            hint = nearest(str(serializer), valid)
            suggestion = f"; did you mean {hint!r}?" if hint else ""
            raise ConfigurationError(
                f"serializer must be one of {', '.join(map(repr, valid))}, got {serializer!r}{suggestion}"
            )
        self.may_pickle = serializer != "json"
        self._is_careful = serializer == "auto"
        self._keys = keys
        self._protocol = pickle_protocol
        self._allow = None if allowed is None else allowed.admit

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
            raise SerializationError(f"the arguments are no JSON: {_short(error)}") from error
        if not isinstance(written, dict) or not isinstance(written.get("version"), int):
            raise SerializationError(
                'the arguments should be {"version": …, "args": …, "kwargs": …}, and are not'
            )
        if written["version"] > _VERSION:
            raise SerializationError(
                f"the arguments have version {written['version']}, but only {_VERSION} and older can be read: "
                "they were written by a newer release, upgrade this one"
            )

        args, kwargs = written.get("args"), written.get("kwargs")
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            raise SerializationError("the arguments lack a list of args or a dict of kwargs")
        is_shallow = text.count("[") + text.count("{") <= DEPTH_LIMIT
        if is_shallow and "$" not in text and "\\u" not in text:
            return tuple(args), kwargs  # nothing in it says of what type it is
        bounds = Bounds()

        def unpickled(name: str, value: dict[str, Any]) -> Any:
            return self._unpickled(job_id, name, value, bounds)

        return (
            tuple(from_plain(value, unpickled, bounds) for value in args),
            {key: from_plain(value, unpickled, bounds) for key, value in kwargs.items()},
        )

    def dump_trigger(self, job_id: str, trigger: Any) -> dict[str, Any]:
        """A trigger that has no plain form, as this store writes pickles.

        Raises:
            SerializationError: it can't be pickled, or not be read back here.
        """
        return self._pickled(job_id, trigger, "the trigger")

    def load_trigger(self, job_id: str, written: Any) -> Any:
        """The inverse of `dump_trigger`.

        Raises:
            SerializationError: it is no pickle, or none that may be read here.
        """
        if not isinstance(written, dict) or not isinstance(written.get("value"), str):
            raise SerializationError("the pickled trigger holds no pickle")
        return self._unpickled(job_id, written.get(TYPE, ""), written, Bounds())

    def read_old(self, data: bytes, renamed: Callable[[str, str], tuple[str, str]] | None = None) -> Any:
        """What APScheduler has pickled, read as this store reads pickles that nobody has signed.

        Args:
            renamed: where something is now that the pickle names; as for APScheduler 3, if not given.

        Raises:
            SerializationError: it can't be read so, or this store has no pickles.
        """
        if not self.may_pickle:
            raise SerializationError('it is pickled, and serializer="json" allows no pickles')
        return read_pickle(
            data, self._allow, is_careful=self._is_careful or self._keys is not None, renamed=renamed
        )

    def _pickled(self, job_id: str, value: Any, path: str) -> dict[str, Any]:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        if not self.may_pickle:
            raise SerializationError(
                f'{path} of job {job_id!r} is a {kind}, which JSON can\'t hold, and serializer="json" allows no pickles: '
                "give plain values (numbers, text, lists, dicts, dates), or the key of something that the function looks up"
            )
        try:
            data = pickle.dumps(value, self._protocol)
        except Exception as error:
            raise SerializationError(
                f"{path} of job {job_id!r}, a {kind}, can't be pickled: {type(error).__name__}: {error}. Give what "
                "the function can make or find it by when it runs, such as a path, a URL or a key"
            ) from error
        written = {TYPE: "pickle", "value": b64encode(data).decode()}
        if self._keys is not None:
            written["signature"] = self._keys.signature(_signed(job_id, data))
        try:
            if self._keys is None and self._is_careful:
                careful_loads(data, self._allow)
            elif self._allow is not None:
                _Unpickler(data, self._allow).load()
        except Exception as error:
            raise SerializationError(
                f"{path} of job {job_id!r}, a {kind}, could not be read back: {safe_str(error)}"
            ) from error
        return written

    def _unpickled(self, job_id: str, name: str, written: dict[str, Any], bounds: Bounds) -> Any:
        if name != "pickle":
            raise SerializationError(f"a value of the unknown type {_short(repr(name))}")
        if not self.may_pickle:
            raise SerializationError('an argument is pickled, and serializer="json" reads no pickles')
        data = b64decode(written["value"], validate=True)
        is_signed = self._keys is not None and self._refuse_unsigned(job_id, data, written.get("signature"))
        if self._is_careful and not is_signed:
            return careful_loads(data, self._allow, bounds)
        try:
            # Signed by somebody who has a key, or wanted so.
            return _Unpickler(data, self._allow).load()
        except Exception as error:
            raise SerializationError(
                f"a pickled argument can't be read: {_short(safe_str(error))}"
            ) from error

    def _refuse_unsigned(self, job_id: str, data: bytes, signature: Any) -> bool:
        assert self._keys is not None  # noqa: S101 - as it was asked
        if reading_as_is():
            return False
        if not isinstance(signature, str):
            raise SerializationError(
                "a pickled argument is not signed, and this job store reads only signed ones"
            )
        if self._keys.signed_by(signature, _signed(job_id, data)) is None:
            raise SerializationError(
                "a pickled argument is not signed with this job store's signing_key for this job: it was changed, "
                "or written with another key"
            )
        return True


class _Unpickler(pickle.Unpickler):
    """Reads as `pickle.loads`, but asks about what is named."""

    def __init__(self, data: bytes, allow: Callable[[str], None] | None) -> None:
        super().__init__(io.BytesIO(data))
        self._allow = allow

    def find_class(self, module: str, name: str) -> Any:
        refuse_name(module, name, self._allow)
        return super().find_class(module, name)


def _signed(job_id: str, data: bytes) -> bytes:
    named = job_id.encode()
    return len(named).to_bytes(8, "big") + named + data


_decode = json.JSONDecoder().decode  # `json.loads` looks at more before it does this

_NONE = '{"version":1,"args":[],"kwargs":{}}'


def _short(text: Any) -> str:
    shown = str(text)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
