"""What a language brings: templates, forms, and where its words stand. Data, and small rules of inflection; no rule of what is said."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.coercion import nearest
from mainspring.errors import TriggerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["LANGUAGES", "Catalogue", "catalogue_of", "digits"]

#: The languages by their codes (ISO 639-1), with the modules that have their catalogues.
LANGUAGES = {"de": "german", "en": "english"}


class Catalogue(NamedTuple):
    """A language.

    Attributes:
        templates: a text for each key of a clause. ``{days:plural|and}`` is the part `days` in the form `plural`, joined as a list by the
            conjunction `and`. Of a clause in a form, the template of the key and that form, ``"key/form"``, is taken where there is one.
        forms: how a value looks in each form.
        conjunctions: what stands before the last of a list: a text, by its name.
        order: how the parts of the clause ``when`` follow each other.
        order_with: another order, where a clause with one of these keys is among the parts.
        spans: keys of clauses of which two in a row are set apart by a comma.
        heavy: keys of clauses after which there is always a comma.
    """

    templates: Mapping[str, str]
    forms: Mapping[str, Callable[[Any], str]]
    conjunctions: Mapping[str, str]
    order: tuple[str, ...]
    order_with: Mapping[str, tuple[str, ...]]
    spans: frozenset[str] = frozenset()
    heavy: frozenset[str] = frozenset()


def digits(number: float) -> str:
    """A number as people write it, to a millionth: never with a power of ten."""
    return f"{number:.6f}".rstrip("0").rstrip(".")


def catalogue_of(language: Any) -> Catalogue:
    """The catalogue of a language.

    Raises:
        TriggerError: there is none.
    """
    module = LANGUAGES.get(language) if isinstance(language, str) else None
    if module is None:
        meant = nearest(language, LANGUAGES) if isinstance(language, str) else None
        hint = f"; did you mean {meant!r}?" if meant else ""
        raise TriggerError(
            f"language must be one of {', '.join(map(repr, LANGUAGES))}, got {language!r:.100}{hint}"
        )
    found: Catalogue = import_module(f"mainspring.triggers.explaining.{module}").CATALOGUE
    return found
