"""How jobs and values are written out and read back."""
