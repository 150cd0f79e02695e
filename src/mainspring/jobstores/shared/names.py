"""What databases, tables, collections and keys may be called, looked at before any server is asked: a table of rules, for each kind of name one.

Drivers and servers say it too, each in an error of its own, some of them only when the first statement is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.errors import ConfigurationError
from mainspring.printable import shown
from mainspring.storable import is_storable

if TYPE_CHECKING:
    from collections.abc import Iterator

_BASIC_PLANE = 0xFFFF
_HIGHEST_PORT = 65_535


class NameRule(NamedTuple):
    """What a name may be.

    Attributes:
        of: whose rule it is, as it is told.
        longest: how long it may be; ``None``: as long as anybody likes.
        in_bytes: whether that is bytes of UTF-8, not characters.
        without: characters that may not be in it.
        not_first: characters that may not be first.
        not_last: characters that may not be last.
        not_within: texts that may not be in it.
        reserved: how names begin that the server keeps for itself.
        basic_only: whether characters beyond the basic plane, such as emoji, are refused.
        nul: whether the character NUL may be in it.
    """

    of: str
    longest: int | None = None
    in_bytes: bool = False
    without: str = ""
    not_first: str = ""
    not_last: str = ""
    not_within: tuple[str, ...] = ()
    reserved: tuple[str, ...] = ()
    basic_only: bool = False
    nul: bool = False

    @property
    def unit(self) -> str:
        """In what the length is counted."""
        return "bytes" if self.in_bytes else "characters"


SQLITE = NameRule("SQLite")
POSTGRESQL = NameRule("PostgreSQL", longest=63, in_bytes=True)
MYSQL = NameRule("MySQL", longest=64, not_last=" ", basic_only=True)
MONGODB_DATABASE = NameRule("MongoDB", longest=63, in_bytes=True, without=' ."$/\\')
#: The longest is that of the database and the collection with the dot between them; see `checked_name`.
MONGODB_COLLECTION = NameRule(
    "MongoDB",
    longest=255,
    in_bytes=True,
    without="$",
    not_first=".",
    not_last=".",
    not_within=("..",),
    reserved=("system.",),
)
REDIS = NameRule("Redis", nul=True)
#: By the name of a database that SQLAlchemy has for it.
OF_DATABASES = {"sqlite": SQLITE, "postgresql": POSTGRESQL, "mysql": MYSQL, "mariadb": MYSQL}
#: Of tables and schemas, by the same names. Drivers write a percent sign twice in some statements and once in others, and SQLAlchemy doesn't
#: find its way through what MySQL says of a table with a backquote.
OF_TABLES = {name: rule._replace(without="%`") for name, rule in OF_DATABASES.items()}


def length_of(name: str, rule: NameRule) -> int:
    """The length of a name, in what the rule counts."""
    return len(name.encode()) if rule.in_bytes else len(name)


def checked_name(option: str, name: Any, rule: NameRule, example: str, *, besides: int = 0) -> str:
    """A name that can be one.

    Args:
        option: what the program calls it.
        example: a name that can be.
        besides: the length of what is put before and behind it.

    Raises:
        ConfigurationError: it can't; the message says why not.
    """
    if not isinstance(name, str):
        flaw = f"must be text, got {type(name).__name__} {shown(name)}"
    elif not name:
        flaw = "must not be empty"
    else:
        found = flaw_of(name, rule, besides)
        if found is None:
            return name
        flaw = f"can't be {shown(name)}: {found}"
    raise ConfigurationError(f'{option} {flaw}: give a name such as "{example}"')


def flaw_of(name: str, rule: NameRule, besides: int = 0) -> str | None:
    """Why a text that isn't empty can't be a name; ``None``: it can be."""
    return next(_flaws(name, rule, besides), None)


def _flaws(name: str, rule: NameRule, besides: int) -> Iterator[str]:
    """All that is wrong with a name; the first is looked for before the others are asked about."""
    if "\0" in name and not rule.nul:
        yield f"no name in {rule.of} may have the character NUL"
    if not is_storable(name.replace("\0", "")):
        yield f"no name in {rule.of} may have a lone surrogate, which is half a character"
    for one in name:
        if one in rule.without:
            yield f"no such name in {rule.of} may have {one!r}"
        if rule.basic_only and ord(one) > _BASIC_PLANE:
            yield f"no name in {rule.of} may have characters beyond the basic plane, such as emoji"
    if name[0] in rule.not_first:
        yield f"no such name in {rule.of} may begin with {name[0]!r}"
    if name[-1] in rule.not_last:
        yield f"no such name in {rule.of} may end with {name[-1]!r}"
    for text in rule.not_within:
        if text in name:
            yield f"no such name in {rule.of} may have {text!r}"
    for text in rule.reserved:
        if name.startswith(text):
            yield f"{rule.of} keeps names that begin with {text!r} for itself"
    length = length_of(name, rule) + besides
    if rule.longest is not None and length > rule.longest:
        with_what = " with what is put to it" if besides else ""
        yield f"it has {length} {rule.unit}{with_what}, and {rule.of} takes {rule.longest}"


def refuse_unknown_place(host: Any, port: Any = None) -> None:
    """See to it that a server can be where a program says.

    Args:
        host: its name or address, or the path of a socket of this machine; ``None`` or empty: the usual one.
        port: a number, or digits; ``None``: the usual one.

    Raises:
        ConfigurationError: it can't; the message says why not.
    """
    flaw = None if host is None or host == "" else _flaw_of_host(host)
    if flaw is not None:
        raise ConfigurationError(f"no server has a host that is called {shown(host)}: {flaw}")
    is_number = isinstance(port, int) or (isinstance(port, str) and port.isdecimal())
    if port is not None and not (is_number and 0 < int(port) <= _HIGHEST_PORT):
        raise ConfigurationError(f"port must be a number from 1 to {_HIGHEST_PORT}, got {shown(port)}")


def _flaw_of_host(host: Any) -> str | None:
    """Why something that isn't empty can't be the name of a host; ``None``: it can be."""
    if not isinstance(host, str):
        return f"it must be text, got {type(host).__name__}"
    if not is_storable(host):
        return "it has the character NUL, or a lone surrogate, which is half a character"
    if host.startswith(("/", "@")):
        return None  # the socket of a server on this machine
    try:
        host.encode("idna")
    except UnicodeError as error:
        return str(error)
    return None
