"""Networks as tutorials write them: they convert without a changed spike, or are refused."""

import pytest
import torch
from support.tutorial_forms import N, T
from support.tutorials import FORMS, answer, given

from arlif.base.errors import LoweringError
from arlif.interop.recognise import to_arlif
from arlif.quantize import linearize

CONVERT = [name for name, form in FORMS.items() if not form.refused]
REFUSED = [name for name, form in FORMS.items() if form.refused]


@pytest.mark.parametrize("name", CONVERT)
def test_it_returns_what_its_library_returns(name: str) -> None:
    form = FORMS[name]
    net, x = given(form)
    want = answer(net, form, x)
    network = to_arlif(net, x).eval()
    got = network(x)
    assert want.abs().sum() > 0
    torch.testing.assert_close(got.reshape(want.shape), want, atol=1e-5, rtol=1e-5)
    linear = linearize(network, form.shape)
    assert linear.static == (form.frames == 1)
    assert linear.readout.shape == (want.shape[-1],)


READ = {
    "snn: mem_rec[-1]": "the last v of lif2",
    "snn: mem_rec.max": "the largest v of lif2",
    "norse: torch.max": "the largest v of out",
    "norse: the last": "the last v of out",
    "norse: convolutions": "the largest v of out",
    "jelly: last_mem": "the last v of net_3_1",
    "jelly: max-mem": "the largest v of net_3_1",
}


@pytest.mark.parametrize("name", READ)
def test_potentials_are_read_as_it_reads_them(name: str) -> None:
    net, x = given(FORMS[name])
    readout = linearize(to_arlif(net, x), FORMS[name].shape).readout
    assert str(getattr(readout, "reading", None)) == READ[name]


@pytest.mark.parametrize("name", REFUSED)
def test_the_rest_is_refused_with_a_cure(name: str) -> None:
    net, x = given(FORMS[name])
    with pytest.raises(LoweringError, match=FORMS[name].refused):
        to_arlif(net, x)


def test_a_loop_in_the_training_script_is_the_network_over_time() -> None:
    """SpikingJelly: out += net(x) for every step; the network itself takes all of them."""
    form = FORMS["jelly: out_fr"]
    net = given(form)[0].net
    x = (torch.rand(T, N, *form.shape) < 0.5).float()
    want = torch.stack([net(frame) for frame in x])
    assert torch.equal(to_arlif(net, x).eval()(x), want)


def test_time_may_be_second() -> None:
    form = FORMS["jelly: x_seq[t]"]
    net, x = given(form)
    want, inner = answer(net, form, x), net.written
    net.written = lambda m, x: inner(m, x.permute(1, 0, 2, 3, 4))
    assert torch.equal(to_arlif(net, x).eval()(x), want)
