"""Readers of the texts that schedules are written in elsewhere: a file for each dialect, with a function ``read(text)``."""
