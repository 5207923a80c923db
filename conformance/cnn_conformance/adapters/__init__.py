"""Adapters for libraries: each imports its library only when it is asked for."""
