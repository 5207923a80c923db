"""Checks of the notes' §1.6: heads on the flattened features."""

from collections.abc import Callable, Mapping
from typing import Any

from cnn_spec.checks.check import Evidence, Reading, ambiguous, at_shapes, executed
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import derivative, distinct, same, symbols
from cnn_spec.operations import Array


def _folds_back(fold: Callable[[Array, tuple[int, ...]], Array]) -> bool:
    maps = distinct((2, 2, 3))
    flat = maps.reshape(-1)
    return len(flat) == 2 * 2 * 3 and same(fold(flat, maps.shape), maps)


def _told_apart(classes: int, outputs: int) -> int:
    """How many classes the largest of several outputs, or the sign of one, can name."""
    return min(classes, outputs if outputs > 1 else 2)


def _box_by_class_weights(F: int, after: bool) -> bool:
    """Whether the box depends on the weights of the class layer."""
    features, class_weights, box_weights = symbols((F,), (2, F), (4, 2 if after else F))
    box = box_weights @ (class_weights @ features if after else features)
    return any(derivative(box[0], class_weights).flat)


def _gradients_add(total: Callable[[Any, Any], Any]) -> bool:
    """Whether the features' gradient of a weighted sum of losses is that sum of their gradients."""
    features, class_weights, box_weights = symbols((3,), (2, 3), (4, 3))
    losses = [sum(y * y for y in weights @ features) for weights in (class_weights, box_weights)]
    apart = [derivative(loss, features) for loss in losses]
    return same(derivative(total(*losses), features), 2 * apart[0] + 3 * apart[1])


def _masked(box_loss: Callable[[list[Any], list[int]], Any]) -> bool:
    """Whether a sample without a label has no part in the box weights' gradient, and the class gradient stays."""
    features, labelled_class, box_weights, class_weights = symbols((2, 3), (2,), (4, 3), (3,))
    boxes = [sum(y * y for y in box_weights @ sample) for sample in features]
    loss = sum(labelled_class * (features @ class_weights)) + box_loss(boxes, [1, 0])
    by_box, by_class = derivative(loss, box_weights), derivative(loss, class_weights)
    class_alone = derivative(sum(labelled_class * (features @ class_weights)), class_weights)
    unlabelled = features[1]
    return same(by_class, class_alone) and not any(
        derivative(value, unlabelled).any() for value in by_box.flat
    )


EVIDENCE: Mapping[str, Evidence] = {
    "HEAD-FLAT": Evidence(
        checks=(
            executed(
                "folding the flattened maps gives them back",
                _folds_back,
                over="2 maps of 2x3",
                right=lambda flat, shape: flat.reshape(shape),
                wrong=lambda flat, shape: flat.reshape(shape, order="F"),
                wrong_says="folding in another order",
            ),
        )
    ),
    "HEAD-SINGLE": ambiguous(
        cases(classes=range(2, 6)),
        Reading(
            name="one layer, an output for each class", value=lambda classes: _told_apart(classes, classes)
        ),
        Reading(name="one number", value=lambda classes: _told_apart(classes, 1), differs_at={"classes": 3}),
    ),
    "HEAD-MULTI": ambiguous(
        cases(F=range(1, 4)),
        Reading(
            name="beside the class layer: does the box depend on the class weights?",
            value=lambda F: _box_by_class_weights(F, after=False),
        ),
        Reading(
            name="after the class layer: does the box depend on the class weights?",
            value=lambda F: _box_by_class_weights(F, after=True),
            differs_at={"F": 1},
        ),
        also=(
            at_shapes(
                "the features' gradient is the weighted sum of the losses' gradients",
                _gradients_add,
                over="3 features, 2 classes, a box of 4; squared losses, weights 2 and 3",
                right=lambda one, other: 2 * one + 3 * other,
                wrong=lambda one, other: one + other,
                wrong_says="the weights forgotten",
            ),
        ),
    ),
    "HEAD-LABELS": Evidence(
        checks=(
            at_shapes(
                "a sample without a box adds nothing to the box gradient; the class gradient is as before",
                _masked,
                over="2 samples of 3 features, the second without a box",
                right=lambda boxes, labelled: sum(
                    b * known for b, known in zip(boxes, labelled, strict=True)
                ),
                wrong=lambda boxes, labelled: sum(boxes),
                wrong_says="all samples counted",
            ),
        )
    ),
}
