"""A scheduler at work, to look at: ``make demo``, or ``python -m examples.demo --help``."""
