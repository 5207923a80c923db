"""Plain text on a page of Markdown."""

_ESCAPES = str.maketrans({"*": r"\*", "_": r"\_", "<": "&lt;", ">": "&gt;", "|": r"\|", "\\": r"\\"})


def escaped(plain: str) -> str:
    """Text that shows as it is; what stands between backticks stays code."""
    parts = plain.split("`")
    return "`".join(part if k % 2 else part.translate(_ESCAPES) for k, part in enumerate(parts))
