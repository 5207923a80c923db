"""The files that a candidate's address names: changed, they are another candidate."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from shlex import split

from cnn_conformance.boundary.home import COMMAND, Isolated
from cnn_conformance.candidate import Subject

HASHED = "sha256:"


def files_of(subject: Subject) -> Iterator[str]:
    """The files that an address names, as it names them."""
    address = subject.address if isinstance(subject, Isolated) else subject
    if isinstance(address, str):
        yield from (word for word in _words(address) if Path(word).is_file())


def _words(address: str) -> list[str]:
    if not address.startswith(COMMAND):
        return [address.partition(":")[0]]
    try:
        return split(address.removeprefix(COMMAND))
    except ValueError:  # quotes that do not match: said when it is to be started
        return []


def digests(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each file with a hash of what is in it."""
    yield from ((name, digest(Path(name).read_bytes())) for name in names)


def digest(*parts: bytes) -> str:
    """A hash of some bytes."""
    return HASHED + sha256(b"\0".join(parts)).hexdigest()[:32]
