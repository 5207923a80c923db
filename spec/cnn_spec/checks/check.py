"""What stands behind a clause: its formula, its readings, and its checks with their negative controls."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cnn_spec.checks.formula import Formula
from cnn_spec.checks.search import Cases, smallest, words


class Kind(StrEnum):
    """What a check that holds has shown."""

    FOR_ALL = "proved for all parameters"
    AT_SHAPES = "proved for every real tensor at each of these shapes"
    EXECUTED = "executed on"
    SMALLEST = "smallest by exhaustive search over"

    @property
    def proof(self) -> bool:
        """Whether it is a proof, and not an execution."""
        return self in (Kind.FOR_ALL, Kind.AT_SHAPES)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One test, put to the statement (`right`) and to a nearby false one (`wrong`, the negative control).

    A check passes if the test accepts the one and rejects the other. `over` names the shapes or cases.
    """

    kind: Kind
    says: str
    over: str = ""
    test: Callable[[Any], bool]
    right: Any
    wrong: Any
    wrong_says: str

    def holds(self) -> bool:
        """Whether the test accepts the statement."""
        return bool(self.test(self.right))

    def rejects(self) -> bool:
        """Whether the test rejects the negative control."""
        return not self.test(self.wrong)

    def failure(self) -> str:
        """Why the check fails, in words; empty if it passes."""
        if not self.holds():
            return "does not hold"
        return "" if self.rejects() else f"accepts the negative control, {self.wrong_says}"

    @property
    def scope(self) -> str:
        """What it shows, in words."""
        return f"{self.kind}: {self.over}" if self.over else str(self.kind)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way to read an ambiguous claim, as a function of a case.

    `differs_at` is the smallest case at which it differs from the normative reading, None for the normative one.
    `convention` names the convention by which an implementation may choose it all the same.
    """

    name: str
    value: Callable[..., Any]
    differs_at: dict[str, Any] | None = None
    convention: str = ""

    @property
    def normative(self) -> bool:
        """Whether this is the reading that the specification takes."""
        return self.differs_at is None

    @property
    def standing(self) -> str:
        """How it stands, in words."""
        if self.convention:
            return f"allowed by the convention {self.convention}"
        return "normative" if self.normative else "differs"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that stands behind one clause."""

    formula: Formula | None = None
    readings: tuple[Reading, ...] = ()
    checks: tuple[Check, ...] = ()


def for_all(says: str, test: Callable[[Any], bool], *, right: Any, wrong: Any, wrong_says: str) -> Check:
    """A proof for all parameters."""
    return Check(kind=Kind.FOR_ALL, says=says, test=test, right=right, wrong=wrong, wrong_says=wrong_says)


def at_shapes(
    says: str, test: Callable[[Any], bool], *, over: str, right: Any, wrong: Any, wrong_says: str
) -> Check:
    """A proof for every real tensor at each of the shapes in `over`."""
    return Check(
        kind=Kind.AT_SHAPES, says=says, over=over, test=test, right=right, wrong=wrong, wrong_says=wrong_says
    )


def executed(
    says: str, test: Callable[[Any], bool], *, over: str, right: Any, wrong: Any, wrong_says: str
) -> Check:
    """A property, executed on the cases in `over`."""
    return Check(
        kind=Kind.EXECUTED, says=says, over=over, test=test, right=right, wrong=wrong, wrong_says=wrong_says
    )


def counted(
    formula: Formula,
    count: Callable[..., Any],
    *,
    says: str,
    wrong: Callable[..., Any],
    wrong_says: str,
) -> Check:
    """A formula against what it counts, at every point of its grid."""
    return executed(
        says,
        lambda statement: all(statement(**point) == count(**point) for point in formula.points()),
        over=", ".join(f"{s} {values[0]}..{values[-1]}" for s, values in formula.grid.items())
        + ", in the domain",
        right=formula,
        wrong=wrong,
        wrong_says=wrong_says,
    )


def differs_first_at(
    at: dict[str, Any],
    *,
    claim: Callable[..., Any],
    truth: Callable[..., Any],
    among: Cases,
    claim_says: str = "the notes' wording",
    truth_says: str = "right is",
) -> Check:
    """A smallest counterexample: `claim` differs from `truth` at the case `at`, and at no smaller one."""
    claimed, true = claim(**at), truth(**at)
    if claimed is True and claim_says.startswith("that "):
        says = f"at {words(at)}: it is false {claim_says}"
    else:
        says = f"at {words(at)}: {claim_says} gives {words(claimed)}; {truth_says} {words(true)}"
    return Check(
        kind=Kind.SMALLEST,
        says=says,
        over=among.words,
        test=lambda statement: at in smallest(among, statement, truth),
        right=claim,
        wrong=truth,
        wrong_says="the right statement, to which there is no counterexample",
    )


def ambiguous(among: Cases, *readings: Reading, also: tuple[Check, ...] = ()) -> Evidence:
    """The evidence of an ambiguous claim: exactly one normative reading, and where each other one differs."""
    (norm,) = (reading for reading in readings if reading.normative)
    differences = (
        differs_first_at(
            reading.differs_at,
            claim=reading.value,
            truth=norm.value,
            among=among,
            claim_says=f'the reading "{reading.name}"',
            truth_says="the normative one gives",
        )
        for reading in readings
        if reading.differs_at is not None
    )
    return Evidence(readings=readings, checks=(*also, *differences))
