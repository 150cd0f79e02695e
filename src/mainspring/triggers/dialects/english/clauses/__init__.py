"""The clauses of a sentence, a file for each kind. They read from a `Reading` and note in it what is said; where they read nothing, they return ``None``."""
