"""The times of a day as bits: bit n is n seconds after midnight."""

from __future__ import annotations

__all__ = ["numbers_of", "seconds_of_day"]


def seconds_of_day(hours: int, minutes: int, seconds: int) -> int:
    """The seconds of the day with these hours, minutes and seconds, each as bits."""
    of_hour = sum(seconds << 60 * minute for minute in numbers_of(minutes))
    return sum(of_hour << 3600 * hour for hour in numbers_of(hours))


def numbers_of(bits: int) -> list[int]:
    """The numbers of the bits that are set."""
    return [number for number in range(bits.bit_length()) if bits >> number & 1]
