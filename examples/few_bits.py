"""Weights of two bits, rounded and trained, on handwritten digits.

Run: python examples/few_bits.py
"""

import tempfile
from pathlib import Path

import numpy as np

from arlif.quantize import Precision, QatNetwork, calibrate_input, linearize, quantize
from arlif.quantize.finetune import finetune, finetuning
from arlif.training import load_recipe, load_trained, train
from hw_sim.engines.integer.fast import simulate


def main() -> None:
    """Train in float, round to two bits, train on as integers."""
    recipe = load_recipe("digits", {"epochs": 6})
    data = recipe.load_data()
    with tempfile.TemporaryDirectory() as folder:
        summary = train(recipe, Path(folder, "run"))
        module, _ = load_trained(Path(folder, "run"))
    print(f"float: {summary.last_accuracy:.1%}")

    known, images = (data.network_input(split).numpy() for split in (data.train, data.test))
    linear = linearize(module, recipe.network().input_shape)
    source = calibrate_input(known, linear.input_shape, linear.static)
    two_bits = Precision(weight_bits=2)
    rounded = quantize(linear, source, two_bits, recipe.time_steps)
    result = simulate(rounded, source.encode(images[0]), recipe.time_steps)
    print(f"2 bits, rounded: {result.accuracy(data.test.labels):.1%}")

    trainable = QatNetwork(linear, source, two_bits, recipe.time_steps)
    accuracy = finetune(trainable, finetuning(recipe, 4), data)
    print(f"2 bits, trained as integers: {accuracy:.1%}")

    trained = trainable.quantized()
    result = simulate(trained, source.encode(images[0]), recipe.time_steps)
    np.testing.assert_allclose(result.accuracy(data.test.labels), accuracy, rtol=1e-6)


if __name__ == "__main__":
    main()
