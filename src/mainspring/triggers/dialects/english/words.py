"""English text as words, numbers, times and dates, and what is said where a sentence isn't understood."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.triggers.cron.expressions import FULL_MONTHS, FULL_WEEKDAYS, MONTHS, WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.errors import CronSyntaxError
    from mainspring.triggers.dialects.cursor import Cursor

_LEXEMES = re.compile(
    r"(?P<space>\s+|(?<=[a-z0-9)])\.(?=[\s,]|\Z))"
    r"|(?P<date>\d{4}-\d\d-\d\d(?![\d-]))"
    r"|(?P<time>(?P<hour>\d{1,2})(?::(?P<minute>\d\d)(?::(?P<second>\d\d))?)(?:\s*(?P<half>[ap])\.?m\b\.?)?(?![\d:])"
    r"|(?P<hour2>\d{1,2})(?:\.(?P<minute2>\d\d))?\s*(?P<half2>[ap])\.?m\b\.?|(?P<hour3>\d{1,2})\s*o'clock\b)"
    r"|(?P<past>:\d\d(?!\d))"
    r"|(?P<ordinal>\d{1,4}(?:st|nd|rd|th)\b)"
    r"|(?P<angle>-?\d{1,3}(?:\.\d{1,15})?\s*°)"
    r"|(?P<number>\d{1,9}(?:\.\d{1,6})?(?:(?![\d\w]|\.\d)|(?=(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)\b)))"
    r"|(?P<zone>[A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+|(?:UTC|GMT)?[+-]\d\d:\d\d|(?:UTC|GMT)[+-]\d{1,2}(?![\d:]))"
    r"|(?P<word>(?:odd|even)-numbered|day-of-(?:month|week)|(?:bi|half|semi)-[a-z]+|(?:[^\W\d_]|')+)"
    r"|(?P<symbol>[,;()\u2013&-]|@(?=[\s\d]))",
    re.IGNORECASE | re.ASCII,
)

_CARDINALS = [
    "a",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
_TEENS = ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
#: Numbers as words, but for those of two words.
NUMBER_WORDS = {
    **{word: number for number, word in enumerate([*_CARDINALS[1:], *_TEENS], 1)},
    **{word: 10 * number for number, word in enumerate(_TENS, 2)},
}
_ORDINALS = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
]  # fmt: skip
#: The words of each weekday and month, with its number; weekdays from 0 for Monday, months from 1.
WEEKDAY_WORDS = {
    **{name: number for number, name in enumerate(WEEKDAYS)},
    **{name: number for number, name in enumerate(FULL_WEEKDAYS)},
    **{f"{name}s": number for number, name in enumerate(FULL_WEEKDAYS)},
    "tues": 1,
    "thur": 3,
    "thurs": 3,
}
#: Symbols that are read as words.
_SPOKEN_SYMBOLS = {"@": "at", "&": "and"}
MONTH_WORDS = {
    **{name: number for number, name in enumerate(MONTHS, 1)},
    **{name: number for number, name in enumerate(FULL_MONTHS, 1)},
    "sept": 9,
}
_NAMED_TIMES = {"noon": 12 * 3600, "midday": 12 * 3600, "midnight": 0}
#: What is said by the present, of which a schedule knows nothing.
_RELATIVE = frozenset({"tomorrow", "today", "tonight", "now", "next", "yesterday", "this", "later", "ago"})
_HALF_DAY = 12
#: Noted where a clause may begin: what was expected before it was noted is told, and in the place of all that begins a clause, some of it.
A_CLAUSE = "a clause such as 'every day', 'on Mondays', 'at 09:30', 'in January', 'from 2026-03-01' or 'except on 2026-12-25'"
#: So many of the words that would have been understood are told.
_MOST_TOLD = 10


class Token(NamedTuple):
    """A word, a number, a time, a date, a zone or a symbol.

    Attributes:
        kind: ``"word"``, ``"number"``, ``"ordinal"``, ``"time"``, ``"past"`` (``:15``), ``"angle"`` (``12°``), ``"date"``, ``"zone"``, ``"symbol"``,
            ``"odd"`` (none of these) or ``"end"``.
        text: in lower case; of a zone as it is written.
        value: the number; of a time, the seconds since midnight.
    """

    kind: str
    text: str
    value: Any
    start: int
    end: int

    def is_relative(self) -> bool:
        """Whether it depends on the present."""
        return self.text in _RELATIVE


class Words:
    """The tokens of a text, read from the first to the last."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._tokens = _tokens(cursor)
        self.at = 0
        #: By the number of a token, what would have been understood in its place.
        self._expected: dict[int, dict[str, None]] = {}

    @property
    def token(self) -> Token:
        """The next one."""
        return self._tokens[self.at]

    @property
    def before(self) -> Token:
        """The one that was read last; the first, if none was."""
        return self._tokens[max(self.at - 1, 0)]

    def between(self, start: int) -> list[Token]:
        """The tokens that were read since the one of this number."""
        return self._tokens[start : self.at]

    def skip(self, text: str) -> None:
        """Read the next token if it is this word or symbol, without a note that it would have been understood."""
        if self.token.text == text:
            self.at += 1

    def follows(self, *texts: str) -> bool:
        """Whether these words come next, all of them; they are read then. It isn't noted that they would have been understood."""
        if any(self.ahead(count).text != text for count, text in enumerate(texts)):
            return False
        self.at += len(texts)
        return True

    def ahead(self, count: int) -> Token:
        """The token so many after the next one; the end, if there are not so many."""
        return self._tokens[min(self.at + count, len(self._tokens) - 1)]

    def expect(self, *what: str) -> None:
        """Note what would be understood here."""
        self._expected.setdefault(self.at, {}).update(dict.fromkeys(what))

    def word(self, *options: str) -> str | None:
        """The next token, if it is one of these words or symbols; it is read then."""
        token = self.token
        if token.kind in ("word", "symbol") and token.text in options:
            self.at += 1
            return token.text
        self.expect(*(f"'{option}'" for option in options[:3]))
        return None

    def phrase(self, *words: str) -> bool:
        """Whether these words come next, all of them; they are read then."""
        start = self.at
        if all(self.word(*word.split("|")) for word in words):
            return True
        self.at = start
        return False

    def kind(self, kind: str, what: str) -> Token | None:
        """The next token, if it is of this kind; it is read then."""
        token = self.token
        if token.kind == kind:
            self.at += 1
            return token
        self.expect(what)
        return None

    def named(self, names: dict[str, int], what: str) -> int | None:
        """The number of the next token, if it is one of these names; it is read then."""
        token = self.token
        if token.kind == "word" and token.text in names:
            self.at += 1
            return names[token.text]
        self.expect(what)
        return None

    def number(self, what: str = "a number") -> Token | None:
        """The next token, if it is a number, in figures or as a word."""
        token = self.token
        if token.kind != "word" or token.text not in NUMBER_WORDS:
            return self.kind("number", what)
        self.at += 1
        value = NUMBER_WORDS[token.text]
        if token.text in _TENS:
            ones = self.ahead(1) if self.token.text == "-" else self.token
            if ones.text in _CARDINALS[1:10]:
                self.at += 2 if self.token.text == "-" else 1
                value += NUMBER_WORDS[ones.text]
        return token._replace(kind="number", value=value)

    def ordinal(self, what: str = "a number such as '1st'") -> int | None:
        """The number of the next token, if it is an ordinal one, in figures or as a word."""
        token = self.token
        if token.kind == "word" and token.text in _ORDINALS:
            self.at += 1
            return _ORDINALS.index(token.text) + 1
        found = self.kind("ordinal", what)
        return None if found is None else int(found.value)

    def several(self, one: Callable[[], Any], last: tuple[str, ...] = ("and", "or")) -> list[Any]:
        """What `one` reads, as often as it can, with commas and ``and`` between; what isn't followed by another is left."""
        found = one()
        if found is None:
            return []
        values = [found]
        while True:
            start = self.at
            comma = self.word(",")
            if not (self.word(*last) or comma):
                return values
            found = one()
            if found is None:
                self.at = start
                return values
            values.append(found)

    def need(self, *options: str) -> None:
        """Read one of these words or symbols.

        Raises:
            CronSyntaxError: another comes next.
        """
        if not self.word(*options):
            raise self.fail()

    def needed(self, read: Callable[[], Any]) -> Any:
        """What `read` reads.

        Raises:
            CronSyntaxError: it reads nothing.
        """
        found = read()
        if found is None:
            raise self.fail()
        return found

    def fail(self) -> CronSyntaxError:
        """The error that the text isn't understood from some token on: the last at which anything was expected."""
        at = self._stopped()
        token = self._tokens[at]
        if token.is_relative():
            return self.refuse(
                token,
                f"{token.text!r} depends on the present, which a schedule doesn't know; write a date or a time",
            )
        if token.kind == "odd":
            return self.refuse(token, f"{self._shown(token)!r} is no word, number, time or date")
        options = list(self._expected.get(at, ()))
        if A_CLAUSE in options:
            options = options[: options.index(A_CLAUSE) + 1]
        if len(options) > _MOST_TOLD:
            options = [*options[:_MOST_TOLD], "…"]
        listed = " or ".join([", ".join(options[:-1]), options[-1]] if len(options) > 1 else options)
        found = "the end of the text" if token.kind == "end" else repr(self._shown(token))
        return self.refuse(token, f"expected {listed or 'the end of the text'}, got {found}")

    def _stopped(self) -> int:
        """The number of the token at which reading stopped."""
        first, second = self._tokens[0], self._tokens[min(1, len(self._tokens) - 1)]
        if first.kind == "number" and second.kind in ("number", "odd"):
            return 0  # the beginning of another dialect's text
        return max([self.at, *self._expected])

    def with_text(self, token: Token, text: str, last: Token | None = None) -> str:
        """The whole text with another in the place of a token, or of those from it to a last one."""
        whole = self._cursor.text
        return f"{whole[: token.start]}{text}{whole[(last or token).end :]}"

    def spelt(self, token: Token) -> str:
        """A token as it is written."""
        return self._cursor.text[token.start : token.end]

    def refuse(self, token: Token, reason: str, hint: str | None = None) -> CronSyntaxError:
        """The error that a token can't be meant."""
        return self._cursor.error(reason, at=token.start, hint=hint)

    def expectations(self) -> tuple[Token, list[str]]:
        """The last token at which anything was expected, and what."""
        at = self._stopped()
        return self._tokens[at], list(self._expected.get(at, ()))

    def _shown(self, token: Token) -> str:
        return self._cursor.text[token.start : token.end][:40]


def _tokens(cursor: Cursor) -> list[Token]:
    tokens = []
    at = cursor.position
    while at < cursor.end:
        match = _LEXEMES.match(cursor.text, at, cursor.end)
        if match is None:
            # What is no word at all is told where reading comes to it, and not before.
            end = at + 1
            while end < cursor.end and not cursor.text[end].isspace():
                end += 1
            tokens.append(Token("odd", "", None, at, end))
            at = end
            continue
        at = match.end()
        kind = next(
            name
            for name in (
                "space",
                "date",
                "time",
                "past",
                "ordinal",
                "angle",
                "number",
                "zone",
                "word",
                "symbol",
            )
            if match[name]
        )
        if kind != "space":
            tokens.append(_token(cursor, kind, match))
    tokens.append(Token("end", "", None, cursor.end, cursor.end))
    return tokens


def _token(cursor: Cursor, kind: str, match: re.Match[str]) -> Token:
    text = match[0].lower()
    value: Any = None
    if kind == "time":
        value = _seconds(cursor, match)
    elif kind == "word" and text in _NAMED_TIMES:
        kind, value = "time", _NAMED_TIMES[text]
    elif kind == "past":
        value = int(text[1:])
    elif kind == "ordinal":
        value = int(text[:-2])
    elif kind == "angle":
        value = float(text.rstrip("° \t\n"))
    elif kind == "number":
        value = float(text) if "." in text else int(text)
    elif kind in ("zone", "date"):
        text = match[0]
    elif text in _SPOKEN_SYMBOLS:
        kind, text = "word", _SPOKEN_SYMBOLS[text]
    elif text == "\u2013":
        text = "-"
    return Token(kind, text, value, match.start(), match.end())


def _seconds(cursor: Cursor, match: re.Match[str]) -> int:
    """The seconds since midnight of a time of the day."""
    hour = int(match["hour"] or match["hour2"] or match["hour3"])
    minute, second = int(match["minute"] or match["minute2"] or 0), int(match["second"] or 0)
    half = (match["half"] or match["half2"] or "").lower()
    lowest, highest = (1, _HALF_DAY) if half else (0, 23)
    if not lowest <= hour <= highest or minute > 59 or second > 59:  # noqa: PLR2004 - as on the clock
        raise cursor.error(f"{match[0]} is no time of the day", at=match.start())
    if half:
        hour = hour % _HALF_DAY + (_HALF_DAY if half == "p" else 0)
    return (hour * 60 + minute) * 60 + second
