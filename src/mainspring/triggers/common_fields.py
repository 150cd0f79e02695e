"""What many kinds of triggers are made of, declared for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.timezones import astimezone
from mainspring.triggers.declared import Codec, Field, Handed, as_value, positional
from mainspring.triggers.plain import (
    plain_moment,
    plain_zone,
    read_moment,
    read_zone,
    trigger_from_dict,
    trigger_to_dict,
)
from mainspring.triggers.standard import moment_in, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo


def as_text(name: str) -> Callable[[Any], str | None]:
    """What `repr` says of a value that is shown in quotes."""
    return lambda value: f"{name}='{shown(value)}'"


def where_it_counts(name: str) -> Callable[[Any], str | None]:
    """What `repr` says of a value that is mostly zero."""
    return lambda value: f"{name}={value!r}" if value else None


def _moment(name: str) -> Codec:
    """A time in a state: APScheduler's may be of a zone that isn't as it should be."""
    return Codec(None, lambda value, zone: moment_in(value, zone, name))


def _moment_afterwards(value: Any, zone: tzinfo | None) -> Any:
    return moment_in(read_moment(value, zone), zone, "end_date")


MOMENT = Codec(plain_moment, read_moment)
ZONE = Codec(plain_zone, lambda text, _zone: read_zone(text))
START_DATE = Field(
    "start_date",
    codec=MOMENT,
    handed=Handed.KEYWORD,
    state_codec=_moment("start_date"),
    shown=as_text("start_date"),
)
#: What began when it was added may have begun after its end, which the class would refuse.
END_DATE = Field(
    "end_date",
    codec=Codec(plain_moment, _moment_afterwards),
    state_codec=_moment("end_date"),
    shown=as_text("end_date"),
)
TIMEZONE = Field(
    "timezone",
    codec=ZONE,
    handed=Handed.KEYWORD,
    state_codec=Codec(None, lambda zone, _zone: astimezone(zone)),
    shown=as_text("timezone"),
)
#: Where `shown_as` has it, also if there is none.
TIMEZONE_APART = TIMEZONE._replace(shown=None)
JITTER = Field("jitter", handed=Handed.KEYWORD, may_miss=True, shown=where_it_counts("jitter"))
GAP = Field("gap", handed=Handed.KEYWORD, is_sparse=True, shown=as_value("gap"))
FOLD = Field("fold", handed=Handed.KEYWORD, is_sparse=True, shown=as_value("fold"))
#: Beside a start date, which it has once it began, the class would refuse it.
FIRST = Field("first", is_sparse=True, shown=as_value("first"))
FIRST_AT = Field("first_at", "_first_at", codec=MOMENT, is_sparse=True)
MAX_FIRES = Field("max_fires", handed=Handed.KEYWORD, is_sparse=True, shown=as_value("max_fires"))
ANCHORED = Field("anchored", "_is_anchored", is_sparse=True, default=False)
SEED = Field("seed", "_seed", "_kept_seed", is_sparse=True)

#: Of the triggers that fire at times of the day, between two moments.
WALL_CLOCK_FIELDS = (
    *(START_DATE, END_DATE, TIMEZONE, JITTER, GAP, FOLD),
    *(FIRST, FIRST_AT, MAX_FIRES, ANCHORED, SEED),
)

#: Of the triggers that change the times of another: that, and the zone that it was bound in.
INNER = positional(
    "trigger", codec=Codec(trigger_to_dict, lambda values, _zone: trigger_from_dict(values)), shown=repr
)
ZONE_BOUND = Field("timezone", "_timezone", codec=ZONE)
