"""What the notes leave to the reader and users rely on: how calls are answered, and parameters the notes lack."""

import numpy as np

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case
from cnn_spec.clause import Clause, Law, Standing
from cnn_spec.comparison import Comparison
from cnn_spec.laws import ON_ARRAYS, every, on_every_call, same_numbers
from cnn_spec.operations import OPERATIONS, Implementation
from cnn_spec.sights import a_dilation_above_one, exact_integers, several_groups, several_samples


def dilation_spreads_the_kernel(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """conv(w, dilation D) = conv(w with D - 1 zeros between neighbours, dilation 1)."""
    call = case.call
    sizes = (d * (k - 1) + 1 for k, d in zip(call["w"].shape[2:], call["dilation"], strict=True))
    spaced = np.zeros((*call["w"].shape[:2], *sizes), call["w"].dtype)
    spaced[every(call["dilation"])] = call["w"]
    plain = call.but(w=spaced, dilation=(1,) * call.rank)
    expected, got = implementation(plain)[0], implementation(call)[0]
    return same_numbers(case, oracle, expected, got, (plain, 0), (call, 0))


def groups_are_separate_convolutions(
    implementation: Implementation, case: Case, oracle: Oracle
) -> Comparison:
    """Each group of filters sees its own group of channels, as a convolution of its own."""
    call = case.call
    split = {n: np.split(call[n], call["groups"], axis=n == "x") for n in ("x", "w")}
    biases = [None] * call["groups"] if call["b"] is None else np.split(call["b"], call["groups"])
    parts = [
        call.but(x=x, w=w, b=b, groups=1) for x, w, b in zip(split["x"], split["w"], biases, strict=True)
    ]
    expected = np.concatenate([implementation(part)[0] for part in parts], axis=1)
    return same_numbers(case, oracle, expected, implementation(call)[0], (call, 0), *((p, 0) for p in parts))


def samples_are_independent(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """The last sample alone is answered as it is in the batch."""
    call = case.call
    per_sample = {n: call[n][-1:] for n in ("dy", "x") if n in call.arguments}
    alone = call.but(**per_sample)
    expected, got = implementation(alone)[0], implementation(call)[0][-1:]
    return same_numbers(case, oracle, expected, got, (alone, 0), (call, 0))


_PER_SAMPLE = tuple(name for name in ON_ARRAYS if OPERATIONS[name].ranked or name.startswith("linear"))

CLAUSES = (
    Clause(
        id="VALID-CALL-ANSWERED",
        section="interface",
        standing=Standing.HOLDS,
        statement="A valid call is answered, or declined with NotImplementedError.",
        laws=on_every_call(),
    ),
    Clause(
        id="RESULT-KIND",
        section="interface",
        standing=Standing.HOLDS,
        statement="The answer is as many arrays (or integers) as the operation has results.",
        laws=on_every_call(),
    ),
    Clause(
        id="RESULT-SHAPE",
        section="interface",
        standing=Standing.HOLDS,
        statement="A result has the operation's number of axes, with the batch and the channels that belong there.",
        laws=on_every_call(),
    ),
    Clause(
        id="RESULT-DTYPE",
        section="interface",
        standing=Standing.HOLDS,
        statement="A result has the dtype of the arguments; an index any integer dtype.",
        laws=on_every_call(),
    ),
    Clause(
        id="INPUTS-UNCHANGED",
        section="interface",
        standing=Standing.HOLDS,
        statement="A call leaves its arguments as they were.",
        laws=on_every_call(ON_ARRAYS),
    ),
    Clause(
        id="BATCH-INDEPENDENT",
        section="interface",
        standing=Standing.HOLDS,
        statement="The samples of a batch do not influence one another.",
        laws=tuple(
            Law(operation=name, check=samples_are_independent, when=(exact_integers, several_samples))
            for name in _PER_SAMPLE
        ),
    ),
    Clause(
        id="DILATION",
        section="interface",
        standing=Standing.HOLDS,
        statement="Dilation by D is a kernel with D - 1 zeros between neighbours.",
        laws=(
            Law(
                operation="conv",
                check=dilation_spreads_the_kernel,
                when=(exact_integers, a_dilation_above_one),
            ),
        ),
    ),
    Clause(
        id="GROUPS",
        section="interface",
        standing=Standing.HOLDS,
        statement="Groups are separate convolutions of equal shares of the input channels and the filters.",
        laws=(
            Law(
                operation="conv",
                check=groups_are_separate_convolutions,
                when=(exact_integers, several_groups),
            ),
        ),
    ),
)
