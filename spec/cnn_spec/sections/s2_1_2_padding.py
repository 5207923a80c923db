"""Notes §2.1.2: padding that keeps a map's size, and what it is filled with."""

import numpy as np

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case
from cnn_spec.clause import Clause, Law, Standing
from cnn_spec.comparison import Comparison, compare
from cnn_spec.laws import same_numbers
from cnn_spec.operations import Implementation
from cnn_spec.sights import (
    a_kernel_above_one,
    exact_integers,
    padding,
)
from cnn_spec.sizes import same_padding


def padding_counts_as_zeros(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """conv(x, padding) = conv(x with zeros around it, no padding)."""
    call = case.call
    padded = call.but(x=np.pad(call["x"], ((0, 0), (0, 0), *call["padding"])), padding=((0, 0),) * call.rank)
    return same_numbers(
        case, oracle, implementation(padded)[0], implementation(call)[0], (padded, 0), (call, 0)
    )


def half_the_kernel_on_each_side(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """K - 1 in all, shared evenly; an odd rest goes to the side that the convention names."""
    larger = oracle.declared.convention("same_padding_extra")
    expected = same_padding(case.call["kernel_size"], larger)
    return compare(implementation(case.call)[0], np.array(expected))


def odd_kernel(case: Case) -> bool:
    """An odd kernel."""
    return bool(case.call["kernel_size"] % 2)


def even_kernel(case: Case) -> bool:
    """An even kernel."""
    return not odd_kernel(case)


CLAUSES = (
    Clause(
        id="PAD-ODD",
        section="2.1.2",
        standing=Standing.HOLDS,
        statement="For an odd kernel K, (K - 1) / 2 on each side keeps the size at stride 1.",
        laws=(
            Law(
                operation="same_padding",
                check=half_the_kernel_on_each_side,
                when=(odd_kernel,),
                must_see=(a_kernel_above_one,),
            ),
        ),
    ),
    Clause(
        id="PAD-EVEN",
        section="2.1.2",
        standing=Standing.AMBIGUOUS,
        statement=(
            "For an even kernel K, K / 2 on one side and K / 2 - 1 on the other keep the size at stride 1; "
            "the larger half goes behind, unless the convention `same_padding_extra` says before."
        ),
        notes_say="K/2 on one side and K/2 - 1 on the other, not saying which.",
        counterexample="N=1, K=2, x=(1), w=(10, 20): zero before gives 20, zero after gives 10.",
        laws=(Law(operation="same_padding", check=half_the_kernel_on_each_side, when=(even_kernel,)),),
    ),
    Clause(
        id="PAD-VALUE",
        section="2.1.2",
        standing=Standing.AMBIGUOUS,
        statement="A convolution's padding is filled with zeros.",
        notes_say="The fill is not stated; §3.2.2 implies zeros.",
        counterexample="N=1, K=3, x=(1), w=(1, 1, 1), one on each side: zeros give 1, replication gives 3.",
        laws=(Law(operation="conv", check=padding_counts_as_zeros, when=(exact_integers, padding)),),
    ),
    Clause(
        id="PAD-LOSS",
        section="2.1.2",
        standing=Standing.DOMAIN,
        statement=(
            "Without padding, sample i lies in min(K, i + 1, N - i, N - K + 1) windows: the border is "
            "used less, and N - K + 1 outputs of one filter cannot hold N samples."
        ),
        domain="K >= 2.",
        notes_say="Without padding information may be lost, as if padding prevented it.",
        counterexample="N=1, L=2, one zero before, w=(1, 0): the output is 0 whatever the input.",
    ),
    Clause(
        id="PAD-SIZE",
        section="2.1.2",
        standing=Standing.HOLDS,
        statement="The padded map has N + L - 1 samples, for odd and for even L.",
    ),
    Clause(
        id="PAD-OUT",
        section="2.1.2",
        standing=Standing.DOMAIN,
        statement="The convolution of the padded map leaves ceil(N / S) samples.",
        domain="N at stride 1.",
        notes_say="The output has the input's size.",
        counterexample="N=2, L=1, S=2: 1 sample.",
    ),
)
