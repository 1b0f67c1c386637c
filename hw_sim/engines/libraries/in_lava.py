"""The engine lava-lif."""

from hw_sim.engines.lava.lava_options import LimitOptions
from hw_sim.engines.lava.lif_launch import simulate_lif
from hw_sim.engines.simulation import Simulation, Trace
from hw_sim.engines.work import Outcome, Work
from hw_sim.origin.of_run import load_original


def run(work: Work[LimitOptions]) -> Outcome:
    """lif.nir on Lava's own LIF, Dense and Conv; its layers in the shapes that the run has."""
    found = simulate_lif(
        work.path,
        work.real.numpy(),
        work.time_steps,
        work.traced,
        time_limit_s=work.options.time_limit_s,
        progress=work.progress,
    )
    shapes = {p.name: p.current.shape for p in load_original(work.path.parent).linear.populations}
    return Outcome(
        Simulation(
            found.readout,
            {name: c.reshape(len(c), *shapes[name]) for name, c in found.counts.items()},
            {
                name: Trace(trace.spikes.reshape(*trace.spikes.shape[:2], *shapes[name]))
                for name, trace in found.traces.items()
            },
        )
    )
