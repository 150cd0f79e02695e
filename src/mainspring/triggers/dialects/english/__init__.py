"""Schedules in plain English, as people type them: ``every weekday at 9``.

It promises to refuse what it doesn't understand, with the place at which it stopped and the nearest text that it does
understand, and never to guess. What `explain` says of most triggers is read back as the same schedule.

A text becomes tokens (`words`). `reader` tries the clauses in order; each kind has a file in `clauses/`, which writes what is said into
a `Sentence` (`sentence`). `building` makes the trigger of it. Start at `reader`; a new phrase goes into the file of its kind.

It doesn't know the present: "tomorrow" is refused. The grammar as a whole is in docs/triggers/dialects/english.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from mainspring.errors import CronSyntaxError, TriggerError
from mainspring.triggers.combining import AndTrigger, OrTrigger
from mainspring.triggers.dialects.cursor import Cursor
from mainspring.triggers.dialects.english.building import Builder
from mainspring.triggers.dialects.english.reader import read_sentence
from mainspring.triggers.dialects.english.words import MONTH_WORDS, WEEKDAY_WORDS, Words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.dialects.english.sentence import Sentence

__all__ = ["read"]

_DEEPEST = 5
#: Words that are less alike are no typing errors of each other, as holidays is none of Mondays.
_ALIKE = 0.75
#: Words that are often mistyped.
_VOCABULARY = [
    *WEEKDAY_WORDS,
    *MONTH_WORDS,
    "every",
    "weekday",
    "weekdays",
    "month",
    "business",
    "first",
    "last",
    "until",
    "except",
]
#: What is most often missing at the end of a sentence.
_MISSING = (" at 09:00", " on the 1st", " on monday", " on the 1st at 09:00", " on monday at 09:00")
#: Words after which nothing is known of what was to come.
_ENDS_OPEN = frozenset(
    {"and", "or", "on", "from", "to", "until", "the", "of", "in", "except", "every", "between"}
)
#: What may be said of several schedules together.
_RULES = frozenset(
    {
        "zone",
        "start",
        "end",
        "except",
        "number of times",
        "delay",
        "roll",
        "missing dates",
        "window",
        "spread",
        "shift",
    }
)


def read(text: str) -> BaseTrigger:
    """The trigger that a sentence means.

    Raises:
        CronSyntaxError: it isn't understood, from the position on; the message says what would have been.
    """
    return _read(Cursor(text))


def _read(cursor: Cursor) -> BaseTrigger:
    words = Words(cursor)
    try:
        schedule = _several(words, 0)
        if words.token.kind != "end":
            raise words.fail()
        return _built(schedule, None, words)
    except CronSyntaxError as error:
        if error.text is cursor.text:
            raise _with_hint(cursor, words, error) from None
        raise cursor.error(str(error), at=0) from None
    except TriggerError as error:  # what the triggers themselves refuse
        raise cursor.error(str(error), at=0) from None


@dataclass(slots=True)
class _Several:
    """Schedules that are meant together.

    Attributes:
        is_either: whether each fires by itself; otherwise only where all fire at once.
        shares_zone: whether the time zone of the last is that of all.
        rules: what is said of all of them; ``None`` if nothing is.
    """

    is_either: bool
    parts: list[_Several | Sentence]
    shares_zone: bool
    rules: Sentence | None = None


def _several(words: Words, depth: int) -> _Several | Sentence:
    """``A, and also B``, ``A; and also B``."""
    parts = [_one(words, depth)]
    shares_zone = True
    while True:
        start = words.at
        divider = words.word(",", ";")
        if not words.phrase("and", "also"):
            words.at = start
            break
        shares_zone = shares_zone and divider != ";"
        parts.append(_one(words, depth))
    if len(parts) == 1:
        return parts[0]
    return _Several(True, parts, shares_zone)


def _one(words: Words, depth: int) -> _Several | Sentence:
    if depth > _DEEPEST:
        raise words.refuse(words.token, f"brackets are read {_DEEPEST} deep")
    found: _Several | Sentence
    if words.token.text == "whenever":
        words.at += 1
        parts = words.several(lambda: _bracketed(words, depth))
        if not parts or not words.word("coincide"):
            raise words.fail()
        found = _Several(False, parts, True)
    elif words.token.text == "(":
        inner = _bracketed(words, depth)
        if inner is None:
            raise words.fail()
        found = _Several(True, [inner], True)
    else:
        return read_sentence(words)
    start = words.at
    if words.token.text == "," and not (words.ahead(1).text == "and" and words.ahead(2).text == "also"):
        words.at += 1
        rules = read_sentence(words)
        odd = sorted(rules.places.keys() - _RULES)
        if odd:
            raise words.refuse(
                rules.places[odd[0]], f"this ({odd[0]}) is said of each schedule, within its brackets"
            )
        found.rules = rules
    else:
        words.at = start
    return found


def _bracketed(words: Words, depth: int) -> _Several | Sentence | None:
    if not words.word("("):
        return None
    inner = _several(words, depth + 1)
    if not words.word(")"):
        raise words.fail()
    return inner


def _built(schedule: _Several | Sentence, zone: tzinfo | None, words: Words) -> BaseTrigger:
    if not isinstance(schedule, _Several):
        return Builder(schedule, zone, words).build()
    rules = schedule.rules
    zone = (rules.zone if rules is not None else None) or zone
    if schedule.shares_zone and zone is None and not isinstance(schedule.parts[-1], _Several):
        zone = schedule.parts[-1].zone
    if rules is not None:
        for part in _sentences(schedule):
            part.start, part.end = part.start or rules.start, part.end or rules.end
    triggers = [_built(part, zone, words) for part in schedule.parts]
    combined: BaseTrigger = triggers[0]
    if len(triggers) > 1:
        combined = OrTrigger(triggers) if schedule.is_either else AndTrigger(triggers)
    return combined if rules is None else Builder(rules, zone, words).with_rules(combined)


def _sentences(schedule: _Several) -> Iterator[Sentence]:
    """All sentences in it."""
    for part in schedule.parts:
        if isinstance(part, _Several):
            yield from _sentences(part)
        else:
            yield part


def _missing(text: str) -> tuple[str, ...]:
    """What may be missing at the end of a sentence."""
    last = text.rsplit(maxsplit=1)[-1]
    if last in _ENDS_OPEN:
        return ()
    if last == "at":
        return (" 09:00",)
    return (" at 00:00",) if "night" in text.replace("fortnight", "") else _MISSING


def _with_hint(cursor: Cursor, words: Words, error: CronSyntaxError) -> CronSyntaxError:
    """The error with the nearest text that is understood, if a word was mistyped, or something is missing."""
    if error.hint is None and error.position == cursor.end and cursor.text.strip():
        completed = (f"{cursor.text.strip()}{end}" for end in _missing(cursor.text.lower()))
        if hint := cursor.first_read(_read, completed):
            return CronSyntaxError(error.reason, text=error.text, position=error.position, hint=hint)
    token, expected = words.expectations()
    is_mistyped = token.kind == "word" and token.start == error.position and not token.is_relative()
    if error.hint is not None or not is_mistyped:
        return error
    known = [word.strip("'") for word in expected if word.startswith("'")]
    alike = get_close_matches(token.text, [*known, *_VOCABULARY], 2, _ALIKE)
    hint = cursor.corrected(_read, cursor.text[token.start : token.end], alike, token.start)
    if hint is None:
        return error
    return CronSyntaxError(error.reason, text=error.text, position=error.position, hint=hint)
