"""The pages' templates."""

from jinja2 import Environment, PackageLoader, StrictUndefined


def templates() -> Environment:
    """Of which every value that is put in is escaped, and none may be missing."""
    return Environment(
        loader=PackageLoader("cnn_conformance", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
