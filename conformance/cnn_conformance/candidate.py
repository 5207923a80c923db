"""Finding a candidate and reading what it declares of itself."""

import importlib
import importlib.util
import inspect
import pickle
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

from cnn_conformance.boundary.home import COMMAND, Isolated, home_of, isolated
from cnn_conformance.guard import Watch, guarded, said, unwatched
from cnn_conformance.legible import legible
from cnn_spec.cases.stream import DTYPES, FEW_ROWS, FUNCTIONS, RANKS
from cnn_spec.conventions import CONVENTIONS, Declared
from cnn_spec.operations import OPERATIONS, Implementation

BUILT_IN = "reference"
GROUP = "cnn_conformance.candidates"
ADAPTERS = {
    "torch": "torch",
    "torch_channels_last": "torch",
    "jax": "jax",
    "tensorflow": "tensorflow-cpu",
    "keras": "keras",
    "tinygrad": "tinygrad",
    "mlx": "mlx[cpu]",
    "paddle": "paddlepaddle",
    "autograd": "autograd",
    "scipy": "scipy",
    "onnx": "onnx",
    "onnxruntime": "onnxruntime onnx",
    "openvino": "openvino onnx",
    "opencv": "opencv-python-headless onnx",
    "ncnn": "ncnn",
}
"""Libraries that come with an adapter, each in `cnn_conformance.adapters`, and what to install for it."""

LARGEST_PICKLE = 90_000
"""Bytes of a pickled candidate: it travels in a command line."""

Subject = object
"""What is to be checked: the address of a candidate (a string), or the candidate itself."""


class CandidateError(Exception):
    """A candidate cannot be found, imported or understood; the message says what to do."""


class Seat(StrEnum):
    """Where a candidate is, which decides what can be seen of it."""

    INSIDE = "inside"
    """In the process that judges it."""
    CHILD = "child"
    """Python in a process of its own, behind our own guard."""
    PROGRAM = "program"
    """A program that speaks the wire format."""


@dataclass(frozen=True)
class About:
    """What a candidate says of itself and offers. Picklable, so that a run can be planned without loading it."""

    name: str
    version: str
    importing: str
    """Python that binds it to the name `candidate`; a comment where it has no address."""
    offered: frozenset[str]
    """The functions that it has, for numbers of axes that it declares."""
    dtypes: tuple[str, ...] = DTYPES
    declared: Declared = field(default_factory=Declared)
    seat: Seat = Seat.INSIDE
    few_shapes: int | None = None
    """It compiles for each shape, and is asked for so many of each function; None for any number."""


@dataclass(frozen=True)
class Candidate:
    """A loaded candidate."""

    about: About
    guard: Callable[[Watch], Implementation]

    def implementation(self, watch: Watch = unwatched) -> Implementation:
        """The candidate behind its guard, for one sitting: what it did in an earlier one counts for nothing.

        `watch` sees every call before it is made.
        """
        return self.guard(watch)


def about(subject: Subject) -> About:
    """What the candidate at an address, or an object that is one, says of itself. Raises CandidateError."""
    return load(subject).about


def placed(
    subject: Subject, isolate: bool = True, timeout: float | None = None, memory: int | None = None
) -> Subject:
    """The subject in a process of its own if it is to be there, or cannot be elsewhere. Raises CandidateError."""
    if isinstance(subject, Isolated) or not (isolate or str(subject).startswith(COMMAND)):
        return subject
    return isolated(_address(subject), timeout, memory)


def _address(subject: Subject) -> str | bytes:
    if isinstance(subject, str):
        return subject
    if isinstance(subject, ModuleType):
        return subject.__name__
    try:
        pickled = pickle.dumps(subject)
    except Exception as error:
        raise CandidateError(
            f"The {type(subject).__name__} cannot be sent to a process of its own: {said(error)}; "
            "give its address, such as package.module:name."
        ) from error
    if len(pickled) > LARGEST_PICKLE:
        raise CandidateError(
            f"The {type(subject).__name__} is {len(pickled)} bytes large, too large for a process of its own; "
            "give its address, such as package.module:name."
        )
    return pickled


def load(subject: Subject) -> Candidate:
    """The candidate at an address, the one that an object is, or one in a process of its own.

    Addresses are the name of an adapter or of a registered candidate, `file.py`, `file.py:name`,
    `package.module` and `package.module:name`, and `cmd:program` for one that speaks the wire format. Raises
    CandidateError.
    """
    if isinstance(subject, str) and subject.startswith(COMMAND):
        subject = isolated(subject)
    if isinstance(subject, Isolated):
        from cnn_conformance.boundary.remote import connect

        return connect(subject)
    return _loaded(find(subject))


def _loaded(found: "Found") -> Candidate:
    about = described(found)
    return Candidate(about, partial(guarded, found.functions, declared=about.declared))


@dataclass(frozen=True)
class Found:
    """A candidate's functions, before anything is known of them, and Python that imports them."""

    functions: Any
    name: str
    importing: str


def find(subject: Subject) -> Found:
    """The candidate at an address in this process, or the one that an object is. Raises CandidateError."""
    if isinstance(subject, str):
        return _find_address(subject)
    name = getattr(subject, "__name__", type(subject).__name__)
    return Found(subject, name, _importing_object(subject))


def afresh(subject: Subject) -> Candidate:
    """The candidate as it is before its first call, if it is a file's or isolated; any other as it is now."""
    if isinstance(subject, Isolated):
        home_of(subject).end()
    elif isinstance(subject, str) and subject.partition(":")[0].endswith(".py"):
        return _loaded(_find_address.__wrapped__(subject))
    return load(subject)


def forget() -> None:
    """Look for every candidate anew: its file may be another by now."""
    _find_address.cache_clear()


@lru_cache(maxsize=16)
def _find_address(address: str) -> Found:
    if address == BUILT_IN:
        import cnn_reference

        return Found(cnn_reference, "cnn_reference", "import cnn_reference as candidate")
    place, _, name = address.partition(":")
    if place in ADAPTERS:
        module = _imported(f"cnn_conformance.adapters.{place}", place)
        member = f"\ncandidate = getattr(candidate, {name!r})" if name else ""
        importing = f"from cnn_conformance.adapters import {place} as candidate{member}"
        return Found(_member(module, name, address), name or place, importing)
    if place.endswith(".py"):
        path = Path(place).resolve()
        found = _member(_from_file(path), name, address)
        return Found(found, name or path.stem, _import_file_lines(path, name))
    from importlib.metadata import entry_points  # slow to import

    for registered in entry_points(group=GROUP, name=address):
        module_name, _, member = registered.value.partition(":")
        registered_as = _member(_imported(module_name, address), member, address)
        return Found(registered_as, address, _import_line(module_name, member))
    found = _member(_imported(place, address), name, address)
    return Found(found, name or place, _import_line(place, name))


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise CandidateError(f"There is no file {path}; give the path of a Python file, or a module's name.")
    module_name = f"candidate_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise CandidateError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise CandidateError(f"{path} cannot be imported: {said(error)}; mend it and run again.") from error
    finally:
        sys.path.remove(str(path.parent))
    return module


def _imported(module_name: str, address: str) -> ModuleType:
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        if address in ADAPTERS:
            wanted = ADAPTERS[address]
            raise CandidateError(f"{missing} is not installed; run `pip install {wanted}` first.") from error
        if not module_name.startswith(missing):
            raise CandidateError(
                f"{module_name} wants the module {missing}, which is not installed."
            ) from error
        near = get_close_matches(address, (*ADAPTERS, BUILT_IN), n=1)
        hint = f"did you mean {near[0]}?" if near else f"known names are {', '.join((BUILT_IN, *ADAPTERS))}."
        raise CandidateError(
            f"There is no candidate {address}: neither a file, nor a module that can be imported; {hint}"
        ) from error
    except Exception as error:
        raise CandidateError(f"{module_name} cannot be imported: {said(error)}.") from error


def _member(module: ModuleType, name: str, address: str) -> Any:
    if not name:
        return module
    found = getattr(module, name, None)
    if found is None:
        near = get_close_matches(name, dir(module), n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise CandidateError(f"{address}: there is no {name} in {module.__name__}{hint}")
    if not isinstance(found, type):
        return found
    try:
        return found()
    except Exception as error:
        raise CandidateError(f"{address} cannot be made without arguments: {said(error)}.") from error


def _import_line(module: str, name: str) -> str:
    return f"from {module} import {name} as candidate" if name else f"import {module} as candidate"


def _import_file_lines(path: Path, name: str) -> str:
    return (
        "import importlib.util\n"
        f"spec = importlib.util.spec_from_file_location('candidate', {str(path)!r})\n"
        "candidate = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(candidate)" + (f"\ncandidate = candidate.{name}" if name else "")
    )


def _importing_object(subject: object) -> str:
    if isinstance(subject, ModuleType):
        return f"import {subject.__name__} as candidate"
    home = sys.modules.get(type(subject).__module__)
    for name, value in vars(home).items() if home and home.__name__ != "__main__" else ():
        if value is subject:
            return f"from {home.__name__ if home else ''} import {name} as candidate"
    return f"candidate = ...  # the {type(subject).__name__} that was checked"


def described(found: Found) -> About:
    """What a candidate in this process says of itself. Raises CandidateError where that cannot be right."""
    return understood(found.name, found.importing, *told(found))


def told(found: Found) -> tuple[list[str], Any]:
    """The names of a candidate's functions, and its `about`. Raises CandidateError."""
    functions = found.functions
    _check_signatures(functions, found.name)
    declared = getattr(functions, "about", {})
    if isinstance(declared, Mapping):
        declared = {"version": getattr(functions, "__version__", ""), **declared}
    return [function for function in FUNCTIONS if callable(getattr(functions, function, None))], declared


def understood(
    name: str, importing: str, functions: Sequence[str], declared: Any, seat: Seat = Seat.INSIDE
) -> About:
    """What the names of a candidate's functions and its `about` mean. Raises CandidateError."""
    if not functions:
        raise CandidateError(
            f"{name} offers none of the interface's functions (conv2d, max_pool2d, ...); define at least one."
        )
    if not isinstance(declared, Mapping):
        raise CandidateError(f"{name}.about is a {type(declared).__name__}; make it a mapping.")
    _known(name, "about", declared, ABOUT)
    conventions = declared.get("conventions", {})
    for key, kind in (("conventions", Mapping), ("ranks", Iterable), ("dtypes", Iterable)):
        if not isinstance(declared.get(key, ()), kind) and key in declared:
            raise CandidateError(f'{name}.about["{key}"] is {declared[key]!r}, which is no {kind.__name__}.')
    _known(name, 'about["conventions"]', conventions, CONVENTIONS)
    for convention, value in conventions.items():
        _one_of(name, f'about["conventions"]["{convention}"]', [value], CONVENTIONS[convention])
    ranks, dtypes = tuple(declared.get("ranks", RANKS)), tuple(declared.get("dtypes", DTYPES))
    accuracy, shapes = declared.get("accuracy", "componentwise"), declared.get("shapes", "many")
    _one_of(name, 'about["ranks"]', ranks, RANKS)
    _one_of(name, 'about["dtypes"]', dtypes, DTYPES)
    _one_of(name, 'about["accuracy"]', [accuracy], ("componentwise", "normwise"))
    if shapes not in ("many", "few") and (type(shapes) is not int or shapes < 1):
        raise CandidateError(
            f'{name}.about["shapes"] is {shapes!r}; make it "many", "few", or how many of each function.'
        )
    growth = declared.get("growth", Declared.growth)
    if not isinstance(growth, int | float) or not growth > 0:
        raise CandidateError(f'{name}.about["growth"] is {growth!r}; make it a positive number.')
    return About(
        legible(declared.get("name", name)),
        legible(declared.get("version", "")),
        importing,
        frozenset(function for function in functions if FUNCTIONS[function][1] in (0, *ranks)),
        dtypes,
        Declared(
            accuracy == "normwise",
            float(growth),
            dict(conventions),
            bool(declared.get("deterministic", True)),
        ),
        seat,
        {"many": None, "few": FEW_ROWS}.get(shapes, shapes),
    )


def _check_signatures(functions: Any, name: str) -> None:
    """Notice before the run that a function does not take the interface's arguments."""
    for function, (operation, _) in FUNCTIONS.items():
        offered, wanted = getattr(functions, function, None), OPERATIONS[operation]
        try:
            signature = inspect.signature(offered) if callable(offered) else None
        except ValueError:  # a compiled function may not have one
            continue
        if signature is not None:
            try:
                signature.bind(*wanted.arrays, **dict.fromkeys(wanted.parameters))
            except TypeError as error:
                form = ", ".join([*wanted.arrays, *(["*"] if wanted.parameters else []), *wanted.parameters])
                raise CandidateError(
                    f"{name}.{function} cannot be called as {function}({form}): {error}; mend its signature."
                ) from error


ABOUT = ("name", "version", "dtypes", "ranks", "accuracy", "growth", "deterministic", "shapes", "conventions")
"""What a candidate may declare."""


def _known(name: str, where: str, given: Mapping[str, Any], allowed: Any) -> None:
    for key in given:
        if key not in allowed:
            raise CandidateError(f"{name}.{where} has no {key!r}; it may have {', '.join(allowed)}.")


def _one_of(name: str, where: str, given: Any, allowed: tuple[Any, ...]) -> None:
    for value in given:
        if value not in allowed:
            raise CandidateError(f"{name}.{where} has {value!r}; it may be {', '.join(map(str, allowed))}.")
