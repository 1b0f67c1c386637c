"""A neuron of your own: one class, trained, as integers on every engine.

Run: python examples/own_neuron.py
"""

import tempfile
from pathlib import Path
from typing import Any

from arlif import Neuron, constant, learned
from arlif.training import load_recipe, train
from hw_sim.engines.table import ENGINES, INTEGER
from hw_sim.pipeline import Selection, compare_run, export_run, quantize_run, simulate_run


class AdaptiveThreshold(Neuron):
    """LIF whose threshold rises with its spikes (Bellec et al. 2018, arXiv:1803.09574, Eqs. 1-2).

    h = k u + x;  theta = v_threshold + beta b;  s = [h >= theta]
    u = h - s theta;  b = rho b + (1 - rho) s
    """

    state = ("u", "b")
    decay: float = constant(0.5, low=0, high=1)
    rho: float = constant(0.875, low=0, high=1)
    v_threshold: float = constant(1.0, low=0)
    beta: float = learned(0.5, low=0, high=8, per="channel")

    def step(self, ops: Any, state: Any, x: Any) -> Any:
        """One time step."""
        h = ops.saturate(ops.multiply(state.u, self.decay) + x)
        theta = self.v_threshold + ops.multiply(state.b, self.beta)
        s = ops.fire(h, theta)
        b = ops.multiply(state.b, self.rho) + ops.select(s, 1 - self.rho, 0)
        return s, (ops.saturate(h - ops.select(s, theta, 0)), ops.saturate(b))


def main() -> None:
    """Train on digits, quantize, export, run every engine, compare."""
    name = f"{__file__}:{AdaptiveThreshold.__name__}"
    recipe = load_recipe("digits", {"neuron.name": name, "epochs": 4})
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder, "run")
        summary = train(recipe, run)
        print(f"trained to {summary.last_accuracy:.1%} in {summary.seconds:.0f} s")
        quantize_run(run)
        export_run(run, also=("c",))
        print(f"{'engine':<8} {'reads':<13} {'accuracy':>8} {'compared':>9} {'different':>9}")
        for engine, row in ENGINES.items():
            if not row.demonstrated:
                continue  # they need tools that not every machine has
            done = simulate_run(run, engine, Selection(limit=16))
            line = f"{engine:<8} {row.reads.name:<13} {done['accuracy']:>8.1%}"
            if row.exact and row is not INTEGER:
                found = compare_run(run, got=engine)
                line += f" {found['spikes_compared']:>9,} {found['spikes_different']:>9,}"
                assert found["equal"], found["first"]
            print(line)


if __name__ == "__main__":
    main()
