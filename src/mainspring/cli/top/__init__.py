"""``mainspring top``: what goes on on a store, on one screen that is kept up to date, with keys for the switches.

It asks `mainspring.admin` and nothing else, on a thread of its own (`store_thread.py`), so that a store that is slow or away never stops the screen. `panes.py` says what is
shown of what, without a terminal; `table.py`, `dialogs.py` and `details.py` are the parts of the screen, `application.py` puts them together, `command.py` starts it.

Needs Textual: ``pip install "mainspring[tui]"``. Only `command.py` may be imported without it.
"""
