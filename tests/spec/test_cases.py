"""Cases: drawn where their row says, with data that tell right from wrong, from a stream of their own."""

import numpy as np
import pytest

from cnn_spec.bounds import Oracle, componentwise
from cnn_spec.case import Case, Data
from cnn_spec.cases.layouts import LAYOUTS
from cnn_spec.cases.stream import DTYPES, FUNCTIONS, case_ids, case_of, rows
from cnn_spec.cases.validity import describe, drawable, rebuild
from cnn_spec.definitions import definition
from cnn_spec.laws import ON_ARRAYS
from cnn_spec.sights import spans_of


def cases(function: str, source: str = "pairs", seed: int = 0, step: int = 1) -> list[Case]:
    numbers = range(0, len(rows(function, source)), step)
    found = [case_of(i, seed) for n in numbers for i in case_ids(function, source, range(n, n + 1), DTYPES)]
    return [case for case in found if case is not None]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_drawn_case_may_be_drawn(function: str) -> None:
    drawn = cases(function)
    assert drawn
    assert [case.id for case in drawn if not drawable(case)] == []


def stride_level(stride: int, span: int) -> str:
    return "1" if stride == 1 else "overlapping" if stride <= span else "gapped"


@pytest.mark.parametrize("function", ["conv1d", "conv2d", "conv3d", "max_pool2d", "avg_pool3d_backward"])
def test_parameters_have_the_levels_of_the_row(function: str) -> None:
    for case in cases(function):
        call, row = case.call, case.levels
        axes = list(zip(call["stride"], spans_of(call), call["padding"], strict=True))
        how = row.get("axes", "equal")
        judged = axes[:1] if how == "first only" else axes[-1:] if how == "last only" else axes
        assert {stride_level(stride, span) for stride, span, _ in judged} == {row["stride"]}, case.id
        assert all((padding == (0, 0)) == (row["padding"] == "none") for *_, padding in judged), case.id
        if how == "equal":
            assert len(set(axes)) == 1, case.id


def test_unequal_axes_differ_where_they_can() -> None:
    unequal = [
        c for c in cases("conv2d", "triples") if c.levels["axes"] == "unequal" and c.levels["stride"] != "1"
    ]
    differing = [c for c in unequal if len(set(c.call["stride"])) > 1 or len(set(spans_of(c.call))) > 1]
    assert len(differing) >= 0.8 * len(unequal) > 20


def test_the_same_id_and_seed_draw_the_same_bits_in_any_order() -> None:
    ids = list(case_ids("conv2d", "pairs", range(6), DTYPES))
    forwards = {i: case_of(i, 3) for i in ids}
    for i in reversed(ids):
        again, first = case_of(i, 3), forwards[i]
        assert again is not None
        assert first is not None
        assert again.call.parameters == first.call.parameters
        for name, a in first.call.arguments.items():
            assert a is None or a.tobytes() == again.call[name].tobytes()


def test_another_seed_varies_values_and_not_coverage() -> None:
    for one, other in zip(cases("conv1d", seed=0), cases("conv1d", seed=1), strict=True):
        assert one.levels == other.levels
    pairs = zip(cases("conv1d", seed=0), cases("conv1d", seed=1), strict=True)
    assert any(not np.array_equal(a.call["x"], b.call["x"]) for a, b in pairs)


@pytest.mark.parametrize("function", ["conv2d", "conv1d_backward", "avg_pool2d", "max_pool3d_backward"])
def test_exact_data_keep_every_partial_sum_representable(function: str) -> None:
    """The sum of absolute values bounds every partial sum, and all terms are multiples of the smallest power."""
    for case in cases(function):
        if not case.exact or case.data is Data.TIED:
            continue
        limit = 2.0 ** (np.finfo(case.dtype).nmant + 1)
        absolute = Oracle(_reference())(case.call.map_arrays(np.abs)) if "max" not in function else ()
        assert all(np.max(a, initial=0) <= limit for a in absolute), case.id
        assert all(a is None or np.array_equal(a, np.round(a)) for a in case.call.arguments.values())


def _reference():  # type: ignore[no-untyped-def]
    import cnn_reference
    from cnn_spec.operations import implementation_of

    return implementation_of(cnn_reference)


@pytest.mark.parametrize("narrow", [np.float16, "bfloat16", "tf32", np.float32])
def test_wide_data_show_any_rounding_through_a_narrower_format(narrow: object) -> None:
    dtype = np.dtype(np.float64 if narrow is np.float32 else np.float32)
    wide = [c for c in cases("conv2d", "triples", step=3) if c.data is Data.WIDE and c.dtype == dtype]
    changed = [
        any(a is not None and not np.array_equal(narrowed(a, narrow), a) for a in c.call.arguments.values())
        for c in wide
    ]
    assert all(changed)
    assert len(changed) > 20


def narrowed(a: np.ndarray, to: object) -> np.ndarray:
    """Rounded to a narrower format and back."""
    if isinstance(to, type):
        with np.errstate(over="ignore"):
            return a.astype(to).astype(a.dtype)
    dropped = 16 if to == "bfloat16" else 13
    bits = a.astype(np.float32).view(np.uint32)
    rounded = (bits + (1 << (dropped - 1))) & np.uint32(0xFFFFFFFF << dropped & 0xFFFFFFFF)
    return rounded.view(np.float32).astype(a.dtype)


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_keep_the_numbers(name: str) -> None:
    a = np.arange(24.0).reshape(2, 3, 4)
    assert np.array_equal(LAYOUTS[name](a), a)


def test_layouts_differ_in_memory() -> None:
    a = np.arange(24.0).reshape(2, 3, 4)
    seen = {(LAYOUTS[n](a).strides, LAYOUTS[n](a).flags.writeable) for n in LAYOUTS}
    assert len(seen) == len(LAYOUTS)


@pytest.mark.parametrize("function", ["conv2d", "max_pool1d_backward", "upsample3d", "pool_output_size"])
def test_a_case_is_rebuilt_from_its_description(function: str) -> None:
    for case in cases(function, step=5):
        again = rebuild(case, describe(case))
        assert again.call.parameters == case.call.parameters
        for name, a in case.call.arguments.items():
            assert a is None or np.array_equal(again.call[name], a)


def test_what_may_not_be_drawn_is_noticed() -> None:
    case = next(c for c in cases("avg_pool1d") if c.exact)
    call = case.call
    assert not drawable(case.with_call(call.but(x=call["x"][..., :0])))
    tied = next(c for c in cases("max_pool1d_backward") if c.data is Data.EXACT)
    assert not drawable(tied.with_call(tied.call.but(x=np.zeros_like(tied.call["x"]))))
    thirds = case.call.but(
        x=np.ones((1, 1, 3), case.dtype), kernel_size=(3,), stride=(1,), padding=((0, 0),), ceil_mode=False
    )
    assert not drawable(case.with_call(thirds))


def test_bounds_hold_for_correct_float32_and_not_for_bfloat16() -> None:
    """The definition in float32 stays within the bound of the definition in float64; rounded inputs do not."""
    small = [
        c
        for c in cases("conv1d")
        if c.data is Data.ROUNDED
        and c.dtype == np.float32
        and c.call["w"].size < 200
        and c.levels["padding"] != "beyond the kernel"
    ]
    assert len(small) > 5
    rounded_away = 0
    for case in small:
        wide = case.call.map_arrays(lambda a: a.astype(np.float64))
        (right,), (bound,) = definition(wide), componentwise(wide, case.dtype, definition)
        (single,) = definition(case.call)
        assert np.all(np.abs(single.astype(np.float64) - right) <= bound), case.id
        (brain,) = definition(case.call.map_arrays(lambda a: narrowed(a, "bfloat16")))
        rounded_away += bool(np.any(np.abs(brain.astype(np.float64) - right) > bound))
    assert rounded_away == len(small)


@pytest.mark.parametrize("function", [f for f, (name, _) in FUNCTIONS.items() if name in ON_ARRAYS])
def test_over_pairs_each_level_meets_each_dtype_and_each_kind_of_data(function: str) -> None:
    ids = case_ids(function, "pairs", range(len(rows(function, "pairs"))), DTYPES)
    met = {
        (level, variant)
        for i in ids
        for level in rows(function, "pairs")[int(i.split("/")[2])].items()
        for variant in i.split("/")[3:]
    }
    levels = {level for row in rows(function, "pairs") for level in row.items()}
    variants = {variant for _, variant in met}
    assert set(DTYPES) < variants
    assert met == {(level, variant) for level in levels for variant in variants}


@pytest.mark.parametrize("function", ["conv2d", "max_pool1d", "conv1d_backward", "upsample2d"])
def test_over_triples_each_level_meets_each_kind_in_each_dtype(function: str) -> None:
    found = rows(function, "triples")
    ids = [i.split("/") for i in case_ids(function, "triples", range(len(found)), DTYPES)]
    met = {(level, variant, data) for _, _, n, variant, data in ids for level in found[int(n)].items()}
    levels = {level for row in found for level in row.items()}
    assert met == {
        (level, dtype, data) for level in levels for dtype in DTYPES for data in {i[4] for i in ids}
    }
