"""How jobs and values are written out and read back.

`typed_json.py` writes values as JSON that says their types, and `arguments.py` the arguments of jobs with it, or as pickles
where a program asks for that. `careful_pickle.py` reads pickles and calls nothing but what is known to be harmless, within
`bounds.py`; `signing.py` signs rows. `results.py` makes text of what a run returned. `v3_json.py`, `v3_pickle.py` and
`v4_alpha.py` read what APScheduler has written.

Promised: what was written is read back as it was, or is refused by a sentence; reading never runs code that a row names,
unless the store was told to trust it.
"""
