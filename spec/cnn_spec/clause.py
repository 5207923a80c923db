"""What a clause is: one statement of the notes, its standing, and how it is checked.

Clause files never import SymPy: the formula and the proofs of a clause are found by its id in
`cnn_spec.checks`, so that holding a candidate against the laws starts fast.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case, Situation
from cnn_spec.comparison import Comparison
from cnn_spec.operations import Implementation

Predicate = Callable[[Case], bool]


class Standing(StrEnum):
    """How a statement of the notes fares when it is executed."""

    HOLDS = "holds"
    DOMAIN = "holds on a domain"
    AMBIGUOUS = "ambiguous"
    CORRECTED = "corrected"
    NOT_EXECUTABLE = "not executable"


LawFunction = Callable[[Implementation, Case, Oracle], Comparison | None]
"""`law(implementation, case, oracle)`: whether the clause holds of this implementation in this case, if that can be said."""


@dataclass(frozen=True, kw_only=True)
class Law:
    """A law, the operation it judges, where it applies, and what it must have seen to mean something."""

    operation: str
    check: LawFunction
    situation: Situation = Situation.ORDINARY
    when: tuple[Predicate, ...] = ()
    must_see: tuple[Predicate, ...] = ()
    least_rank: int = 0
    """Fewer spatial axes than this and there is nothing to judge."""

    @property
    def name(self) -> str:
        """The law's name in words."""
        return str(self.check.__name__).replace("_", " ")

    def applies(self, case: Case) -> bool:
        """Whether a case of the law's operation is one to judge by it."""
        return case.situation is self.situation and all(applies(case) for applies in self.when)


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One statement with a stable id.

    `section` is the notes' section, or "interface" for what the notes leave open and users rely on.
    `statement` says in our own words what must hold; `domain` where it is meaningful. For a corrected or
    ambiguous claim `notes_say` is what the notes' wording says, and `counterexample` the smallest case in
    which that goes wrong.
    """

    id: str
    section: str
    standing: Standing
    statement: str
    domain: str = ""
    notes_say: str = ""
    counterexample: str = ""
    laws: tuple[Law, ...] = ()
