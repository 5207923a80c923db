"""The executable specification: what must hold, and the literal definitions that say it."""

SPEC_VERSION = "0.1"
"""Changes whenever a clause, or what is drawn for a seed, changes."""
