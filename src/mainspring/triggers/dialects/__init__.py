"""Readers of the texts that schedules are written in elsewhere: a file for each dialect, with a function ``read(text)``.

Each gives whichever trigger the text means, or refuses it with the place, what was expected there, and what was probably
meant. Two dialects that read one text differently are never guessed between. Start at `cursor.py`, by which most of them
read, and at `iso8601.py`, a short one.
"""
