"""What neurons take up of the currents that reach them: units of their own, and integrators."""

from arlif.base.errors import LoweringError, require
from arlif.core.neuron import Neuron
from arlif.core.real_neurons import RealLifHard, RealLifReset, RealSynaptic
from arlif.core.step_gains import with_step_gains
from arlif.quantize.integrated import Integrated
from arlif.quantize.linearized import Current
from arlif.quantize.scale_free import free_constants
from arlif.quantize.values import Stepped, Stretched, as_drive


def unstretched(neuron: Neuron, current: Current) -> tuple[Neuron, Current]:
    """A neuron in units of its own at every place, so that its current needs no factor.

    Exact: a neuron with a constant threshold fires alike where threshold, reset, leak and current
    are divided by one positive number. Raises LoweringError for other neurons and numbers.
    """
    if not isinstance(current, Stretched):
        return neuron, current
    free = free_constants(neuron)
    require(
        bool(free) and bool((current.factor > 0).all()),
        "constants that differ within a channel multiply its current, which takes positive ones "
        "and a neuron with a constant threshold; make them equal",
        LoweringError,
    )
    mine: Neuron = neuron.with_constants(
        {name: getattr(neuron, name) / current.factor for name in free or ()}
    )
    return mine, Current(current.terms, current.bias, current.shape)


def stepwise(neuron: Neuron, current: Current) -> tuple[Neuron, Current]:
    """A neuron that knows its current's gain at every time step, so that the current needs none."""
    if not isinstance(current, Stepped):
        return neuron, current
    plain = Current(current.terms, current.bias, current.shape)
    return with_step_gains(neuron, current.gains.tolist()), plain


def current_based(neuron: Neuron, value: Integrated) -> tuple[Neuron, Current]:
    """The current-based neuron that does what a neuron behind integrators does, and its current.

    Exact: h = k u + v + behind with v = decay v + drive. Raises LoweringError for integrators of
    two decays and for neurons that have no such form.
    """
    cure = "put a neuron between them, or end the network with the integrator"
    require(
        not value.current_decay.any(),
        "integrators whose currents decay too feed it, and a neuron has one current that decays; "
        f"{cure}",
        LoweringError,
    )
    require(
        isinstance(neuron, RealLifHard | RealLifReset),
        "it is fed with membrane potentials, which only LIF that resets to a potential takes up as "
        f'its current: use arlif.LIF(reset="hard"), {cure}',
        LoweringError,
    )
    assert isinstance(neuron, RealLifHard | RealLifReset)
    current = as_drive(value.drive)
    behind = value.behind.reshape(-1, *(1 for _ in current.shape[1:]))
    if isinstance(current, Stretched):
        behind = behind * current.factor
    leak, reset = (neuron.leak, neuron.reset) if isinstance(neuron, RealLifReset) else (0.0, 0.0)
    leak = leak + behind if behind.any() else leak
    decay = value.decay if value.decay.ndim else value.decay.item()
    return RealSynaptic(decay, neuron.decay, neuron.threshold, leak, reset), current
