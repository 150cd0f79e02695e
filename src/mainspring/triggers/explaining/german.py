"""German. What is said of days comes before the times; clauses that end with a relative sentence have its comma."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from mainspring.triggers.explaining.catalogues import Catalogue, digits

if TYPE_CHECKING:
    from mainspring.triggers.explaining.clauses import Clock, Count, Moment, Month, Weekday

__all__ = ["CATALOGUE"]

_WEEKDAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
_MONTHS = (
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
)
#: Without their ending, which is -e after "der", and -en after "am" and "jeder".
_ORDINALS = (
    "erst",
    "zweit",
    "dritt",
    "viert",
    "fünft",
    "sechst",
    "siebt",
    "acht",
    "neunt",
    "zehnt",
    "elft",
    "zwölft",
)
#: One of a unit, several, and what "every" is before it.
_UNITS = {
    "second": ("Sekunde", "Sekunden", "jede"),
    "minute": ("Minute", "Minuten", "jede"),
    "hour": ("Stunde", "Stunden", "jede"),
    "day": ("Tag", "Tage", "jeden"),
    "elapsed_day": ("Tag zu 24 Stunden", "Tage zu je 24 Stunden", "jeden"),
    "week": ("Woche", "Wochen", "jede"),
    "month": ("Monat", "Monate", "jeden"),
    "year": ("Jahr", "Jahre", "jedes"),
}
_CHOSEN = "sich aus der Job-ID ergibt"

TEMPLATES = {
    # times of the day
    "times.at": "um {times:clock|and} Uhr",
    "times.every": "{step:each}",
    "times.every_span": "{step:each} {spans|and}",
    "times.mixed": "{single} und {every}",
    "times.hourly": "zu jeder vollen Stunde",
    "times.past": "{numbers:number|and} {unit:name} nach {whole}",
    "times.every_past": "{step:each} {spans|and} {unit:name} nach {whole}",
    "times.past_both": "{minutes:count} und {seconds:count} nach jeder vollen Stunde",
    "times.hash_day": f"zu einer Zeit, die {_CHOSEN}",
    "times.hash_span": f"zu einer Zeit von {{first:clock}} bis {{last:clock}} Uhr, die {_CHOSEN}",
    "times.hash_hour": f"zu einer vollen Stunde, die {_CHOSEN}",
    "times.hash_minute": f"jede Stunde zu einer Minute, die {_CHOSEN}",
    "times.hash_minute_second": "jede Stunde zu einer Minute und Sekunde, die sich aus der Job-ID ergeben",
    "times.hash_past": f"zu einer Minute nach {{whole}}, die {_CHOSEN}",
    "times.hash_span_past": f"zu einer Minute von {{first:number}} bis {{last:number}} nach {{whole}}, die {_CHOSEN}",
    "times.hash_second": f"jede Minute zu einer Sekunde, die {_CHOSEN}",
    "times.hash_every": f"{{step:each}} ab einer Minute, die {_CHOSEN}",
    "times.hash_fields": "zu Zeiten, die sich aus der Job-ID ergeben ({fields|comma})",
    "span.clock": "von {first:clock} bis {last:clock} Uhr",
    "span.number": "von {first:number} bis {last:number}",
    "span.number/date": "vom {first:ordinal} bis zum {last:ordinal}",
    "span.day": "vom {first:ordinal} bis zum {last:ordinal}",
    "whole.minute": "jeder vollen Minute",
    "whole.nth_minute": "jeder {nth:place} vollen Minute",
    "whole.nth_minutes": "jeder {nth:place} vollen Minute {span}",
    "span.bare": "{first:number} bis {last:number}",
    "whole.minute_spans": "den Minuten {spans|and} {whole:of}",
    "whole.one_minute": "Minute {minute:number} {whole:of}",
    "whole.minutes": "den Minuten {minutes:number|and} {whole:of}",
    "whole.minutes_span": "jeder vollen Minute von {first:clock} bis {last:clock} Uhr",
    "whole.hour": "jeder vollen Stunde",
    "whole.hour/of": "jeder Stunde",
    "whole.hours": "jeder vollen Stunde {spans|and}",
    "whole.hours/of": "jeder Stunde {spans|and}",
    "whole.nth_hours": "jeder {nth:place} vollen Stunde {spans|and}",
    "whole.nth_hours/of": "jeder {nth:place} Stunde {spans|and}",
    "whole.clocks": "{clocks:clock|and} Uhr",
    "whole.clocks/of": "der Stunden ab {clocks:clock|and} Uhr",
    "field.second": "Sekunde {text}",
    "field.minute": "Minute {text}",
    "field.hour": "Stunde {text}",
    "field.day": "Tag {text}",
    "field.day_of_week": "Wochentag {text}",
    "field.week": "Woche {text}",
    "field.month": "Monat {text}",
    "field.year": "Jahr {text}",
    # days
    "days.every": "täglich",
    "days.weekdays": "{weekdays:adverb|and}",
    "days.weekdays/each": "am {weekdays:weekday|and}",
    "days.weekday_span": "{first:adverb} bis {last:adverb}",
    "days.weekday_span/each": "von {first:weekday} bis {last:weekday}",
    "days.of_month": "{items|and} {of}",
    "days.which": "{items|and} des Monats",
    "days.which/fall": "auf {items:accusative|or} des Monats fällt",
    "days.spans_of_month": "{spans|and} {of}",
    "days.mixed_of_month": "{items|and} und {spans|and} {of}",
    "days.spans_of_month/fall": "{spans|or} {of} liegt",
    "days.nth_of_month": "an jedem {nth:place} Tag vom {first:ordinal} bis zum {last:ordinal} {of}",
    "days.nth_of_month/fall": "ein {nth:place_of_one} Tag vom {first:ordinal} bis zum {last:ordinal} {of} ist",
    "days.odd_of_month": "an ungeraden Tagen des Monats",
    "days.odd_of_month/fall": "ein ungerader Tag des Monats ist",
    "days.even_of_month": "an geraden Tagen des Monats",
    "days.even_of_month/fall": "ein gerader Tag des Monats ist",
    "days.odd": "an ungeraden Tagen",
    "days.even": "an geraden Tagen",
    "days.date": "am {days:ordinal|and} {month:month}",
    "days.date_spans": "{spans:date|and} {month:month}",
    "days.nth_date": "an jedem {nth:place} Tag vom {first:ordinal} bis zum {last:ordinal} {month:month}",
    "days.fall": "{weekdays}, wenn der Tag {where:fall},",
    "days.also": "{where}, wenn das auch {items:nominative|or} ist,",
    "days.either": "{first} und {second}",
    "days.hash": f"an einem Tag des Monats, der {_CHOSEN},",
    "days.hash_span": f"an einem Tag vom {{first:ordinal}} bis zum {{last:ordinal}} des Monats, der {_CHOSEN},",
    "days.hash_weekday": f"an einem Wochentag, der {_CHOSEN},",
    "days.hash_weekdays": f"an einem Tag von {{first:weekday}} bis {{last:weekday}}, der {_CHOSEN},",
    "days.hash_fields": "an Tagen, die sich aus der Job-ID ergeben ({fields|comma}),",
    "item.days": "am {days:ordinal|and}",
    "item.days/accusative": "den {days:ordinal|or}",
    "item.last_day": "am letzten Tag",
    "item.last_day/accusative": "den letzten Tag",
    "item.last_day/to": "zum letzten Tag",
    "item.last_days": "an den letzten {number:number} Tagen",
    "item.last_days/accusative": "einen der letzten {number:number} Tage",
    "item.day_before_last/to": "zum Tag vor dem letzten Tag",
    "item.nth_day_before_last/to": "zum {nth:place} Tag vor dem letzten Tag",
    "item.day_before_last": "am Tag vor dem letzten Tag",
    "item.day_before_last/accusative": "den Tag vor dem letzten Tag",
    "item.nth_day_before_last": "am {nth:place} Tag vor dem letzten Tag",
    "item.nth_day_before_last/accusative": "den {nth:place} Tag vor dem letzten Tag",
    "item.last_workday": "am letzten Werktag (Montag bis Freitag)",
    "item.last_workday/accusative": "den letzten Werktag (Montag bis Freitag)",
    "item.nearest_workday": "am nächstgelegenen Werktag (Montag bis Freitag) zum {day:ordinal}",
    "item.nearest_workday/accusative": "den nächstgelegenen Werktag (Montag bis Freitag) zum {day:ordinal}",
    "item.workday_nearest_to": "am nächstgelegenen Werktag (Montag bis Freitag) {days:to|and}",
    "item.workday_nearest_to/accusative": "den nächstgelegenen Werktag (Montag bis Freitag) {days:to|and}",
    "item.position": "am {places|and} {weekday:weekday}",
    "item.position/accusative": "den {places|or} {weekday:weekday}",
    "item.position/nominative": "der {places:nominative|or} {weekday:weekday}",
    "item.weekday": "am {weekday:weekday}",
    "item.weekday/nominative": "ein {weekday:weekday}",
    "item.workdays": "am {places|and} Werktag (Montag bis Freitag)",
    "item.weekend_days": "am {places|and} Tag eines Wochenendes (Samstag oder Sonntag)",
    "item.year_days": "am {days:ordinal|and} Tag",
    "item.business_days": "am {places|and} Geschäftstag",
    "item.business_day_before_last": "am vorletzten Geschäftstag",
    "item.nth_business_day_before_last": "am {nth:place} Geschäftstag vor dem letzten",
    "place.nth": "{nth:place}",
    "place.nth/nominative": "{nth:place_of_the}",
    "place.last": "letzten",
    "place.last/nominative": "letzte",
    "of.every_month": "jedes Monats",
    "of.the_month": "des Monats",
    "of.month_that_has": "jedes Monats, der einen hat,",
    "of.nth_month": "jedes {nth:place} Monats",
    "of.every_year": "jedes Jahres",
    "of.nth_year": "jedes {nth:place} Jahres",
    "of.month_span": "jedes Monats von {first:month} bis {last:month}",
    "of.one_month": "im {month:month}",
    "of.month_of_day": "{month:month}",
    "of.months": "der Monate {months:month|and}",
    "of.month_hash": f"eines Monats, der {_CHOSEN},",
    "months.in": "im {months:month|and}",
    "months.span": "von {first:month} bis {last:month}",
    "months.nth": "in jedem {nth:place} Monat",
    "months.only": "nur {months},",
    "months.hash": f"in einem Monat, der {_CHOSEN},",
    "weeks.one": "in Kalenderwoche {week:number}",
    "weeks.list": "in den Kalenderwochen {weeks:number|and}",
    "weeks.span": "in den Kalenderwochen {first:number} bis {last:number}",
    "weeks.last": "in der letzten Kalenderwoche des Jahres",
    "weeks.odd": "in ungeraden Kalenderwochen",
    "weeks.even": "in geraden Kalenderwochen",
    "weeks.nth": "in jeder {nth:place} Kalenderwoche von {first:number} bis {last:number}",
    "weeks.begin": "Wochenbeginn am {weekday:weekday}",
    "years.every": "jedes Jahr",
    "years.every_nth": "{distance:each}",
    "years.leap": "in Schaltjahren",
    "years.of_month": "{years|and}",
    "years.in_one": "im Jahr {year}",
    "years.in": "in den Jahren {years|and}",
    "years.span": "von {first} bis {last}",
    "years.since": "ab {first}",
    "years.odd": "in ungeraden Jahren",
    "years.even": "in geraden Jahren",
    "years.nth_since": "in jedem {nth:place} Jahr ab {first}",
    "years.nth_span": "in jedem {nth:place} Jahr von {first} bis {last}",
    # distances
    "every.one": "{distance:each}",
    "every.clock": "im Abstand von {distances:dative|and} nach der Uhr",
    "every.sum": "im Abstand von {distances:dative|and}",
    "distance.weekdays": "{distance:each} {days:each}",
    "distance.day": "{distance:each} am {day:ordinal}",
    # single moments, and what isn't told by times
    "once": "einmal, am {moment:moment}",
    "once.each": "je einmal, am {moments:moment|and}",
    "once.many": "je einmal zu {number:number} Zeitpunkten vom {first:moment} bis zum {last:moment}",
    "once.added": "einmal, sofort beim Hinzufügen",
    "after.success": "immer wenn ein Lauf des Jobs {job} gelungen ist",
    "after.failure": "immer wenn ein Lauf des Jobs {job} fehlgeschlagen, zu lang geworden oder verloren gegangen ist",
    "after.any": "immer wenn ein Lauf des Jobs {job} beendet ist",
    "rule": "zu den Zeiten der iCalendar-Regel {rule}",
    "rules": "zu den Zeiten der iCalendar-Regeln {rules|and}",
    "said": "{text}",
    "sun": "{event:at} bei {latitude:latitude}, {longitude:longitude}",
    "sun.before": "{distance:count|and} vor {event} bei {latitude:latitude}, {longitude:longitude}",
    "sun.after": "{distance:count|and} nach {event} bei {latitude:latitude}, {longitude:longitude}",
    "sun.sunrise": "Sonnenaufgang",
    "sun.sunrise/at": "bei Sonnenaufgang",
    "sun.sunset": "Sonnenuntergang",
    "sun.sunset/at": "bei Sonnenuntergang",
    "sun.dawn": "der Morgendämmerung",
    "sun.dawn/at": "zu Beginn der Morgendämmerung",
    "sun.dusk": "dem Ende der Abenddämmerung",
    "sun.dusk/at": "am Ende der Abenddämmerung",
    "sun.noon": "dem Sonnenhöchststand",
    "sun.noon/at": "beim Sonnenhöchststand",
    "sun.depression": "bei Sonnenstand {angle:angle} unter dem Horizont",
    "sun.elevation": "{metres:decimal} m über dem Horizont",
    # several triggers
    "any": "{first}{others|none}",
    "any.brief": ", und außerdem {what}",
    "any.long": "; und außerdem {what}",
    "all": "immer wenn {triggers|and} zusammenfallen",
    "member": "({what})",
    # details
    "bounds.start": "ab {start:moment}",
    "bounds.end": "bis {end:moment}",
    "bounds.start_end": "vom {start:moment} bis zum {end:moment}",
    "bounds.counted": "gezählt ab dem Hinzufügen",
    "bounds.at_once": "sofort beim Hinzufügen beginnend",
    "bounds.added": "ab dem Tag des Hinzufügens",
    "bounds.added_end": "vom Tag des Hinzufügens bis zum {end:moment}",
    "first.added": "und einmal sofort beim Hinzufügen",
    "first.at": "und einmal am {moment:moment}",
    "first.begins": "und erstmals am {moment:moment}",
    "fires.once": "nur einmal",
    "fires.times": "insgesamt {number:number}-mal",
    "added": "und außerdem am {moments:moment|and}",
    "added.many": "und außerdem zu {number:number} Zeiten vom {first:moment} bis zum {last:moment}",
    "fires.once_from": "nur einmal {since}",
    "fires.times_from": "insgesamt {number:number}-mal {since}",
    "since": "ab {start:moment}",
    "since.added": "ab dem Hinzufügen",
    "skipping_dates": "ohne Tage, die es nicht gibt",
    "delayed": "um bis zu {longest:count|and} verzögert",
    "gap.skip": "ohne Zeiten, die es nicht gibt",
    "gap.shift": "wobei sich Zeiten, die es nicht gibt, mit der Uhr nach vorn verschieben",
    "fold.first": "beim ersten Mal bei Zeiten, die es zweimal gibt",
    "fold.second": "beim zweiten Mal bei Zeiten, die es zweimal gibt",
    "fold.both": "beide Male bei Zeiten, die es zweimal gibt",
    "except": "außer {exceptions|and}",
    "except.dates": "am {dates:moment|and}",
    "except.span": "vom {first:moment} bis zum {last:moment}",
    "except.many": "an {number:number} Tagen vom {first:moment} bis zum {last:moment}",
    "except.moments": "am {moments:moment|and}",
    "except.window": "vom {first:moment} bis zum {last:moment}",
    "except.closed": "an {days:plural|and}",
    "except.events": "während der Termine eines Kalenders",
    "except.days_of": "an den Tagen von {name}",
    "except.some_days": "an Tagen, die eine Sammlung enthält",
    "except.function": "wenn {name} es sagt",
    "except.some_function": "wenn eine Funktion es sagt",
    "closed.weekday": "{weekday:weekday}",
    "closed.weekday/plural": "{weekday:dative_plural}",
    "closed.holidays": "Feiertag",
    "closed.holidays/plural": "Feiertagen",
    "closed.holidays_of": "Feiertag in {place}",
    "closed.holidays_of/plural": "Feiertagen in {place}",
    "business": "wobei alle Tage außer {closed:plural|and} Geschäftstage sind",
    "business.all": "wobei alle Tage Geschäftstage sind",
    "rolled.next": "auf den nächsten Geschäftstag verschoben, wenn der Tag ein {closed|or} ist",
    "rolled.previous": "auf den vorigen Geschäftstag verschoben, wenn der Tag ein {closed|or} ist",
    "shifted.later": "jeweils {distance:count|and} später",
    "shifted.earlier": "jeweils {distance:count|and} früher",
    "spread": "je nach Job-ID über {span:count|and} verteilt",
    "spread.by": "je nach Job-ID über {span:count|and} verteilt, also etwa {delay:count|and} später",
    "within": "nur {spans|and}",
    # the sentence
    "never": "nie: {what}",
    "next": "; nächster Lauf: {moment:exact}",
    "next.never": "; nächster Lauf: nie",
}


def _place(number: int, ending: str) -> str:
    return f"{_ORDINALS[number - 1]}{ending}" if number <= len(_ORDINALS) else f"{number}."


def _clock(time: Clock) -> str:
    minutes, second = divmod(time.seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}" + (f":{second:02}" if time.has_seconds else "")


def _number(number: float) -> str:
    return digits(number).replace(".", ",")


def _unit(count: Count) -> str:
    one, many, _ = _UNITS[count.unit]
    return one if count.number == 1 else many


def _count(count: Count) -> str:
    return f"{_number(count.number)} {_unit(count)}"


def _dative(count: Count) -> str:
    words = _count(count)
    return f"{words}n" if count.unit in ("day", "month", "year") and count.number != 1 else words


def _each(count: Count) -> str:
    return f"{_UNITS[count.unit][2]} {_unit(count)}" if count.number == 1 else f"alle {_count(count)}"


def _day(day: date) -> str:
    return f"{day.day:02}.{day.month:02}.{day.year:04}"


def _moment(moment: Moment | date) -> str:
    if isinstance(moment, date):
        return _day(moment)
    wall = moment.wall.replace(tzinfo=None)
    has_seconds = bool(wall.second or wall.microsecond)
    text = f"{_day(wall)} um {wall.time().isoformat('auto' if has_seconds else 'minutes')} Uhr"
    return f"{text} {moment.zone}".rstrip()


def _exact(moment: Moment) -> str:
    wall = moment.wall.replace(tzinfo=None)
    weekday = _WEEKDAYS[wall.weekday()][:2]
    return f"{weekday} {_day(wall)} {wall.time().isoformat('seconds')} {moment.zone}".rstrip()


def _weekday(weekday: Weekday) -> str:
    return _WEEKDAYS[weekday.number]


def _month(month: Month) -> str:
    return _MONTHS[month.number - 1]


CATALOGUE = Catalogue(
    templates=TEMPLATES,
    forms={
        "adverb": lambda weekday: f"{_weekday(weekday).lower()}s",
        "angle": lambda degrees: f"{_number(degrees)}°",
        "clock": _clock,
        "count": _count,
        "dative": _dative,
        "dative_plural": lambda weekday: f"{_weekday(weekday)}en",
        "decimal": _number,
        "each": _each,
        "exact": _exact,
        "latitude": lambda degrees: f"{_number(abs(degrees))}° {'S' if degrees < 0 else 'N'}",
        "longitude": lambda degrees: f"{_number(abs(degrees))}° {'W' if degrees < 0 else 'O'}",
        "moment": _moment,
        "month": _month,
        "name": _unit,
        "number": _number,
        "ordinal": lambda number: f"{number}.",
        "place": lambda number: _place(number, "en"),
        "place_of_one": lambda number: _place(number, "er"),
        "place_of_the": lambda number: _place(number, "e"),
        "weekday": _weekday,
    },
    conjunctions={"and": " und ", "or": " oder ", "comma": ", ", "none": ""},
    order=("years", "days", "weeks", "months", "times"),
    order_with={"years.of_month": ("days", "weeks", "months", "years", "times")},
    spans=frozenset({"days.either", "months.only"}),
)
