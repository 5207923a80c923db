"""The network against torch, step by step, and what the notes say of heads side by side."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cnn_reference.network import (
    Layer,
    Network,
    cross_entropy,
    descend,
    differentiate,
    linear_layer,
    predict,
    relu_layer,
    run,
    run_backward,
    squared_error,
)
from cnn_reference.receptive_fields import receptive_field, unit_gradient

torch.set_num_threads(1)
PATH = Path(__file__).parents[2] / "reference" / "examples" / "digits.py"


def example() -> Any:
    spec = importlib.util.spec_from_file_location("digits_example", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_float64(layers: list[Layer]) -> list[Layer]:
    return [
        layer._replace(parameters=tuple(p.astype(np.float64) for p in layer.parameters)) for layer in layers
    ]


def test_fifty_steps_match_torch_from_the_same_weights() -> None:
    digits, rng = example(), np.random.default_rng(3)
    drawn = digits.convolutional(rng)
    network = Network(in_float64(drawn.trunk), {name: in_float64(head) for name, head in drawn.heads.items()})
    leaves = [torch.tensor(p, requires_grad=True) for p in network.parameters()]
    optimiser = torch.optim.SGD(leaves, lr=digits.RATE, momentum=digits.MOMENTUM)
    velocities = [np.zeros_like(p) for p in network.parameters()]
    functions = torch.nn.functional
    for _ in range(50):
        x = rng.random((4, 1, 16, 16))
        labels, boxes = rng.integers(0, 10, 4), rng.random((4, 4))
        loss = digits.step(network, velocities, x, labels, boxes, digits.RATE)
        maps = torch.tensor(x)
        for w, b in zip(leaves[0:6:2], leaves[1:6:2], strict=True):
            maps = functions.max_pool2d(functions.conv2d(maps, w, b, padding=w.shape[-1] // 2).relu(), 2)
        features = maps.flatten(1)
        logits, corners = (functions.linear(features, leaves[i], leaves[i + 1]) for i in (6, 8))
        expected = functions.cross_entropy(logits, torch.tensor(labels))
        expected = expected + ((corners - torch.tensor(boxes)) ** 2).sum() / 2 / len(x)
        optimiser.zero_grad()
        expected.backward()
        optimiser.step()
        assert loss == pytest.approx(expected.item(), rel=1e-10)
    for ours, theirs in zip(network.parameters(), leaves, strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-8, atol=1e-10)


def small_network(rng: np.random.Generator) -> Network:
    def head(out: int) -> list[Layer]:
        return [linear_layer(rng.integers(-2, 3, (out, 5)).astype(float), np.zeros(out))]

    trunk = [linear_layer(rng.integers(-2, 3, (5, 6)).astype(float), np.zeros(5)), relu_layer()]
    return Network(trunk, {"class": head(3), "box": head(4)})


def test_gradients_of_both_heads_match_differences() -> None:
    rng = np.random.default_rng(0)
    network, x, labels = small_network(rng), rng.standard_normal((3, 6)), np.array([0, 2, 1])
    losses = {
        "class": cross_entropy(labels),
        "box": squared_error(rng.standard_normal((3, 4)), np.array([True, False, True]), weight=0.5),
    }
    _, gradients = differentiate(network, x, losses)
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        for place in np.ndindex(parameter.shape):
            kept, sides = parameter[place], []
            for change in (1e-5, -1e-5):
                parameter[place] = kept + change
                sides.append(sum(differentiate(network, x, losses)[0].values()))
            parameter[place] = kept
            assert gradient[place] == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-6, abs=1e-8)


def test_a_box_head_leaves_the_class_head_as_it_was() -> None:
    network, x = small_network(np.random.default_rng(0)), np.ones((2, 6))
    alone = Network(network.trunk, {"class": network.heads["class"]})
    both = predict(network, x)
    np.testing.assert_array_equal(both["class"], predict(alone, x)["class"])
    assert both["box"].shape == (2, 4)


def test_images_without_a_box_add_nothing_to_its_loss() -> None:
    y, targets = np.ones((2, 4)), np.zeros((2, 4))
    value, gradient = squared_error(targets, np.array([True, False]))(y)
    assert value == 1
    np.testing.assert_array_equal(gradient, [[0.5] * 4, [0] * 4])


def test_descent_with_momentum_goes_by_the_rule() -> None:
    parameter, velocity = np.array([1.0]), np.array([0.0])
    descend([parameter], [np.array([2.0])], [velocity], 0.5, 0.5)
    descend([parameter], [np.array([2.0])], [velocity], 0.5, 0.5)
    assert (parameter[0], velocity[0]) == (-1.5, 3.0)


def test_a_unit_sees_its_field_and_with_positive_weights_all_of_it() -> None:
    rng = np.random.default_rng(0)
    trunk = example().convolutional(rng).trunk[:5]
    positive = [layer._replace(parameters=tuple(np.abs(p) + 1 for p in layer.parameters)) for layer in trunk]
    linear = [layer for index, layer in enumerate(positive) if index not in (1, 2, 4)]
    size, jump = receptive_field([(5, 1), (3, 1)])
    assert (size, jump) == (7, 1)
    seen = unit_gradient(linear, rng.random((1, 1, 16, 16)), (0, 8, 8))[0, 0] != 0
    expected = np.zeros((16, 16), bool)
    expected[5:12, 5:12] = True
    np.testing.assert_array_equal(seen, expected)


def test_the_field_grows_by_the_recurrence() -> None:
    assert receptive_field([(2, 2), (4, 1)]) == (8, 2)  # the notes' example: 4 outputs of windows of 2
    assert receptive_field([(3, 1), (2, 2), (3, 1)]) == (8, 2)


def test_backpropagation_stops_at_relu() -> None:
    layers = [linear_layer(np.array([[1.0]]), np.zeros(1)), relu_layer()]
    for x, slope in ((1.0, 1.0), (-1.0, 0.0)):
        maps = run(layers, np.array([[x]]))
        assert run_backward(layers, maps, np.ones((1, 1)))[0][0, 0] == slope
