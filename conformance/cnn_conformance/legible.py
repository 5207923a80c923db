"""What a candidate says, as text that every terminal, file format and reader can take."""


def legible(said: object) -> str:
    """Text on one line, in which what cannot be printed is written as Python escapes it.

    So neither a lone surrogate, which no file can hold, nor what steers a terminal, nor a character that is not
    allowed in XML, nor one that turns the reading direction round, comes further than this.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(said))
