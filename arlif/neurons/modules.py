"""ARLIF and LIF: torch modules that run a step over time, [T, N, ...] in and out."""

from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from arlif import kernels
from arlif.arithmetic.floating import FloatOps
from arlif.arithmetic.surrogates import Rectangle, Surrogate
from arlif.base.errors import require
from arlif.core.neuron import Neuron
from arlif.core.real_neurons import RealArlif, RealLifHard, RealLifSoft


def check_constants(decay: float, v_threshold: float) -> None:
    """Raise ArlifError where no LIF neuron has these: k = 1 - 1/tau in [0, 1], v above 0."""
    require(0 <= decay <= 1, f"the decay k = 1 - 1/tau lies in [0, 1], not {decay}")
    require(v_threshold > 0, f"the threshold must be positive, not {v_threshold}")


class SpikingNeuron(nn.Module):
    """Base of all neurons: supplies the loop over time; subclasses say which neuron it is.

    width: of the rectangular surrogate gradient; `surrogate` may be set to another shape.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.surrogate: Surrogate = Rectangle(width)

    @property
    def stepwise(self) -> bool:
        """Whether spikes of a step need nothing of later ones, and a returned state continues."""
        return True

    def real_neuron(self) -> Neuron:
        """The neuron's constants, effective values, as the step reads them."""
        raise NotImplementedError

    def learned(self) -> dict[str, Tensor]:
        """What training changes, by name, as the step reads it."""
        return {}

    def keep_bounds(self) -> None:
        """Put parameters that are clamped back into their bounds: to be called after every step.

        A clamp passes a gradient at its bound, and none beyond: there a parameter would stay.
        """

    def lowered(self) -> tuple[Neuron, float]:
        """A neuron with an integer counterpart, and the factor of its currents, that do the same.

        Raises LoweringError where there is none.
        """
        return self.real_neuron(), 1.0

    def forward(
        self, x: Tensor, state: Any = None, return_state: bool = False
    ) -> Tensor | tuple[Tensor, Any]:
        """Spikes [T, N, ...] for input currents x [T, N, ...].

        state: the state to start from, as returned before; None starts at 0.
        return_state: also return the state after the last step.
        Raises ArlifError where x has no time step or is not floating point, and where the state
        is another neuron's or of another shape.
        """
        self.check(x)
        spikes, state = self.run(x, state, self.surrogate, return_state)
        return (spikes, state) if return_state else spikes

    def check(self, x: Tensor) -> None:
        """Raise ArlifError where x is no input of a neuron."""
        require(
            x.ndim >= 2 and x.shape[0] >= 1,
            f"a neuron takes [T, N, ...] with at least one time step, not {tuple(x.shape)}; "
            "put time first",
        )
        require(
            x.is_floating_point(),
            f"a neuron takes floating-point currents, not {x.dtype}; use x.float()",
        )

    def run(
        self, x: Tensor, state: Any, surrogate: Surrogate, return_state: bool
    ) -> tuple[Tensor, Any]:
        """Spikes and, where asked for, the last state, with this surrogate gradient."""
        neuron = cast(self.real_neuron(), x)
        if kernels.applies(neuron, x, surrogate):
            return kernels.run(neuron, x, _given(neuron, state, x), surrogate, return_state)
        return run_steps(neuron, FloatOps(surrogate), x, state)


def spikes_of(answer: Tensor | tuple[Tensor, Any]) -> Tensor:
    """What a layer returned, without the state that may be beside it."""
    return answer[0] if isinstance(answer, tuple) else answer


def run_steps(neuron: Neuron, ops: FloatOps, x: Tensor, state: Any) -> tuple[Tensor, Any]:
    """Spikes of x [T, N, ...] and the last state, one step after another: what kernels must equal.

    Numbers narrower than float32 are computed, and states kept, in float32.
    """
    currents = x.float() if x.dtype.itemsize < 4 else x
    state = _given(neuron, state, x) or neuron.initial_state(torch.zeros_like(currents[0]))
    spikes = []
    for current in currents:
        fired, after = neuron.step(ops, state, current)
        state = neuron.state_type(*after)
        spikes.append(fired)
    return torch.stack(spikes).to(x.dtype), state


def cast(neuron: Neuron, x: Tensor) -> Neuron:
    """The neuron with constants of more than one value in the precision that x is computed in."""
    dtype = torch.float32 if x.dtype.itemsize < 4 else x.dtype
    other = {
        name: value.to(dtype)
        for name, value in neuron.constants().items()
        if isinstance(value, Tensor) and value.ndim > 0 and value.dtype != dtype
    }
    found: Neuron = neuron.with_constants(other) if other else neuron
    return found


def _given(neuron: Neuron, state: Any, x: Tensor) -> Any:
    """The state to start x from as the neuron's own type; None stays None."""
    if state is None:
        return None
    names = neuron.variables
    require(
        len(state) == len(names) and getattr(state, "_fields", names) == names,
        f"this neuron starts from a state {names}, not from another's, {type(state).__name__} of "
        f"{len(state)}; give what it returned itself, or None to start at 0",
    )
    shapes = [tuple(part.shape) for part in state]
    require(
        all(shape == x.shape[1:] for shape in shapes),
        f"currents {tuple(x.shape)} need states {tuple(x.shape[1:])}, not {shapes}; "
        "start every batch of another size from None",
    )
    return neuron.state_type(*state)


class ARLIF(SpikingNeuron):
    """Adaptive-reset LIF neuron (arXiv:2507.20746, Eqs. 5-8), one alpha and beta per layer.

    h = k u + x;  theta = v_threshold + beta tanh(x);  s = [h >= theta]
    r = r (sigma(alpha x) if r >= 0 else 1 - sigma(alpha x)) + (2 s - 1) sigma(x)
    u = h - s (theta + sigma(r))

    decay: k in [0, 1]. memory: False restarts r at 0 every step (the released CIFAR10-DVS variant).
    alpha_raw, beta_raw: trained parameters; alpha = clamp(alpha_raw, 0, 1) starts at 1,
    beta = tanh(beta_raw) starts at 0. Freeze them (requires_grad_) for the ablations of Table 2.
    free_alpha: alpha = alpha_raw, which may leave [0, 1], as in the released programs.
    strict: a spike needs h > theta, as in the released CIFAR10-DVS runs.
    """

    def __init__(
        self,
        decay: float = 0.5,
        v_threshold: float = 1.0,
        memory: bool = True,
        width: float = 1.0,
        free_alpha: bool = False,
        strict: bool = False,
    ) -> None:
        super().__init__(width)
        check_constants(decay, v_threshold)
        self.decay, self.v_threshold, self.memory = decay, v_threshold, memory
        self.free_alpha, self.strict = free_alpha, strict
        self.alpha_raw = nn.Parameter(torch.ones(()))
        self.beta_raw = nn.Parameter(torch.zeros(()))

    @property
    def alpha(self) -> Tensor:
        """Effective alpha, in [0, 1] unless it is free."""
        return self.alpha_raw if self.free_alpha else self.alpha_raw.clamp(0, 1)

    @property
    def beta(self) -> Tensor:
        """Effective beta, in [-1, 1]."""
        return self.beta_raw.tanh()

    def learned(self) -> dict[str, Tensor]:
        return {"alpha": self.alpha, "beta": self.beta}

    @torch.no_grad()
    def keep_bounds(self) -> None:
        if not self.free_alpha:
            self.alpha_raw.clamp_(0, 1)

    def real_neuron(self) -> RealArlif:
        return RealArlif(
            self.decay, self.v_threshold, self.alpha, self.beta, self.memory, self.strict
        )

    def extra_repr(self) -> str:
        options = "".join(f", {n}=True" for n in ("free_alpha", "strict") if getattr(self, n))
        return f"decay={self.decay}, v_threshold={self.v_threshold}, memory={self.memory}{options}"


class LIF(SpikingNeuron):
    """LIF: h = k u + x; s = [h >= v]; u = h - s v (reset "soft") or (1 - s) h (reset "hard")."""

    NEURONS: ClassVar[dict[str, type[RealLifSoft] | type[RealLifHard]]] = {
        "soft": RealLifSoft,
        "hard": RealLifHard,
    }

    def __init__(
        self,
        decay: float = 0.5,
        v_threshold: float = 1.0,
        reset: Literal["hard", "soft"] = "soft",
        width: float = 1.0,
    ) -> None:
        super().__init__(width)
        check_constants(decay, v_threshold)
        require(reset in self.NEURONS, f"reset is 'hard' or 'soft', not {reset!r}")
        self.decay, self.v_threshold, self.reset = decay, v_threshold, reset

    def real_neuron(self) -> RealLifSoft | RealLifHard:
        return self.NEURONS[self.reset](self.decay, self.v_threshold)

    def extra_repr(self) -> str:
        return f"decay={self.decay}, v_threshold={self.v_threshold}, reset={self.reset}"
