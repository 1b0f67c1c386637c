"""What must hold on a GPU beside the kernels: the integer engine and training's compact memory."""

import copy

import pytest
import torch
from hypothesis import given, settings
from support.simulations import assert_equal
from support.strategies import Case, cases
from torch.nn import functional

from arlif.networks import NetworkConfig, NeuronConfig, PreActResNet, build
from arlif.training.compact import compact
from hw_sim.engines.integer import fast, reference
from hw_sim.engines.simulation import Record

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="there is no GPU that torch can use"
)


@settings(max_examples=30)
@given(cases())
def test_the_integer_engine_equals_the_reference(case: Case):
    record = Record.everything(case.network, states=True)
    engine = fast.FastEngine(case.network, "cuda")
    assert_equal(
        reference.simulate(case.network, case.inputs, case.time_steps, record),
        engine.simulate(case.inputs, case.time_steps, record),
    )


@pytest.mark.parametrize("autocast", [False, True])
def test_compact_training_is_training_in_less_than_half_the_memory(autocast):
    torch.manual_seed(0)
    config = NetworkConfig(PreActResNet(), NeuronConfig(), (3, 32, 32), 10, 4, static=True)
    net = build(config).cuda()
    other = copy.deepcopy(net)
    x, labels = torch.rand(1, 32, 3, 32, 32, device="cuda"), torch.arange(32, device="cuda") % 10
    kept, gradients = [], []
    for module, forward in ((net, net), (other, compact(other))):
        with torch.autocast("cuda", torch.bfloat16, enabled=autocast):
            before = torch.cuda.memory_allocated()
            logits = forward(x)
            kept.append(torch.cuda.memory_allocated() - before)
        functional.cross_entropy(logits.float().mean(0), labels).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in module.parameters()]))
    # Convolutions may add in another order each time, which can move single spikes.
    distance = (gradients[0] - gradients[1]).norm() / gradients[0].norm()
    assert distance < 1e-2
    assert kept[1] < 0.5 * kept[0]
