"""Puts clauses into the words of a catalogue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mainspring.triggers.explaining.clauses import Clause, Phrase

if TYPE_CHECKING:
    from mainspring.triggers.explaining.catalogues import Catalogue

__all__ = ["SLOT", "in_words"]

#: A slot of a template: the part's name, its form, and the conjunction if it is a list.
SLOT = re.compile(r"\{(?P<name>\w+)(?::(?P<form>\w+))?(?:\|(?P<conjunction>\w+))?\}")


def in_words(value: Any, catalogue: Catalogue, form: str = "", conjunction: str = "and") -> str:
    """A clause, a value or a list of them, in a form that the catalogue knows."""
    if isinstance(value, Clause):
        return _clause(value, catalogue, form)
    if isinstance(value, Phrase):
        return _phrase(value, catalogue)
    if type(value) is tuple:
        return _listed([in_words(one, catalogue, form) for one in value], catalogue.conjunctions[conjunction])
    if isinstance(value, str):
        return value
    return catalogue.forms[form](value)


def _clause(clause: Clause, catalogue: Catalogue, form: str) -> str:
    if clause.key == "when":
        return _ordered(clause, catalogue)
    template = catalogue.templates.get(f"{clause.key}/{form}") or catalogue.templates[clause.key]

    def filled(slot: re.Match[str]) -> str:
        value = clause.parts[slot["name"]]
        return in_words(value, catalogue, slot["form"] or "", slot["conjunction"] or "and")

    return SLOT.sub(filled, template)


def _ordered(clause: Clause, catalogue: Catalogue) -> str:
    """When a trigger fires: times, days, months and so on, each where the language has it."""
    orders = (catalogue.order_with.get(part.key) for part in clause.parts.values())
    order = next(filter(None, orders), catalogue.order)
    text, before = "", ""
    for name in order:
        part = clause.parts.get(name)
        if part is None:
            continue
        if text:
            is_apart = before in catalogue.heavy or {before, part.key} <= catalogue.spans
            text += ", " if is_apart else " "
        text += in_words(part, catalogue)
        before = part.key
    return text


def _phrase(phrase: Phrase, catalogue: Catalogue) -> str:
    text = in_words(phrase.what, catalogue)
    if phrase.what.key == "any" and phrase.details:
        text = in_words(Clause("member", what=text), catalogue)  # the details are of all of it
    if phrase.zone is not None:
        text += f", {phrase.zone}"
    return text + "".join(f", {in_words(detail, catalogue)}" for detail in phrase.details)


def _listed(words: list[str], conjunction: str) -> str:
    if len(words) == 1:
        return words[0]
    if not conjunction:
        return "".join(words)  # each begins with what sets it apart
    return f"{', '.join(words[:-1])}{conjunction}{words[-1]}"
