"""The executable specification: what must hold, and the literal definitions that say it."""
