"""Values and calls as plain data, as messages, reports and journals have them."""

from collections.abc import Mapping
from typing import Any

from cnn_spec.cases.stream import FUNCTIONS
from cnn_spec.operations import OPERATIONS, Call


def listed(value: Any) -> Any:
    """With lists where there are tuples."""
    if isinstance(value, Mapping):
        return {name: listed(part) for name, part in value.items()}
    return [listed(part) for part in value] if isinstance(value, tuple) else value


def tuples(value: Any) -> Any:
    """With tuples where there are lists."""
    if isinstance(value, Mapping):
        return {name: tuples(part) for name, part in value.items()}
    return tuple(map(tuples, value)) if isinstance(value, list) else value


def call_with(function: str, given: Mapping[str, Any], valid: bool) -> Call:
    """A call of a function by its name, with its arguments and parameters by theirs. Raises KeyError."""
    operation, rank = FUNCTIONS[function]
    declared = OPERATIONS[operation]
    return Call(
        operation,
        rank,
        {name: given[name] for name in declared.arrays},
        {name: given[name] for name in declared.parameters},
        valid,
    )
