"""The region of a failure: found as it was planted, on the rows of a real covering array."""

from collections.abc import Callable

import pytest

from cnn_conformance.region import Levels, Region, region_of
from cnn_spec.cases.stream import rows

ROWS = rows("conv2d", "triples")


def region(fails: Callable[[Levels], bool]) -> Region:
    return region_of([row for row in ROWS if fails(row)], [row for row in ROWS if not fails(row)])


@pytest.mark.parametrize(
    ("fails", "alternatives"),
    [
        (lambda r: r["kernel"] == "even", ({"kernel": {"even"}},)),
        (
            lambda r: r["groups"] == "several" and r["stride"] != "1",
            ({"groups": {"several"}, "stride": {"overlapping", "gapped"}},),
        ),
        (
            lambda r: (r["bias"] == "given" and r["dilation"] == "above 1") or r["padding"] == "asymmetric",
            ({"padding": {"asymmetric"}}, {"bias": {"given"}, "dilation": {"above 1"}}),
        ),
    ],
)
def test_the_condition_that_was_planted_is_found(
    fails: Callable[[Levels], bool], alternatives: tuple[dict[str, set[str]], ...]
) -> None:
    found = region(fails)
    as_sets = [{factor: set(levels) for factor, levels in one.items()} for one in found.alternatives]
    assert len(as_sets) == len(alternatives)
    assert all(one in as_sets for one in alternatives)
    assert found.failing == found.inside == sum(map(fails, ROWS))
    assert all(found.has(row) == fails(row) for row in ROWS)


def test_a_region_is_said_in_words() -> None:
    words = region(lambda r: r["groups"] == "several" and r["stride"] != "1").words
    assert words.startswith("fails when ")
    assert "groups is several" in words
    assert "stride is not 1" in words
    assert f"holds in all {sum(r['groups'] != 'several' or r['stride'] == '1' for r in ROWS)} others" in words


def test_what_fails_everywhere_has_no_condition() -> None:
    assert (
        region(lambda _: True).words
        == f"fails in {len(ROWS)} of {len(ROWS)} cases, whatever their parameters"
    )


def test_what_no_condition_separates_is_not_explained_away() -> None:
    """Every second row fails: the region may be narrow, but it says how many cases in it hold."""
    found = region(lambda r: ROWS.index(dict(r)) % 2 == 0)
    assert found.failing < found.inside
    assert found.inside + found.outside == len(ROWS)


def test_few_holding_cases_do_not_make_a_condition() -> None:
    """One holding case among many can be told apart by nearly any condition: that says nothing."""
    assert len(region_of(ROWS[1:], ROWS[:1]).alternatives) == 1
