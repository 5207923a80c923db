"""Hold any implementation of CNN operations against the specification in `cnn_spec`."""

from typing import Any

__version__ = "0.1.0"
__all__ = ["assert_conforms", "check"]


def __getattr__(name: str) -> Any:
    """Import the harness only when it is used."""
    if name in __all__:
        from cnn_conformance import checking

        return getattr(checking, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
