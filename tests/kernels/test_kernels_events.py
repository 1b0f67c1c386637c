"""The kernel of event-driven convolutions gives what products give."""

import numpy as np
import pytest
from support.event_convolutions import check_convolutions_by_events

from arlif.base.errors import ArlifError
from arlif.core.maps import Conv2d
from arlif.kernels import build, events

pytestmark = pytest.mark.skipif(build.library() is None, reason="no C++ compiler here")


def test_convolutions_by_events_are_exact():
    check_convolutions_by_events()


def test_a_misfit_is_refused():
    evaluate = events.EventConvolution(Conv2d(np.ones((64, 3, 1, 1), np.int8)))
    with pytest.raises(ArlifError, match="take uint8"):
        evaluate(np.zeros((1, 4, 4, 2), np.uint8), 1)
    with pytest.raises(ArlifError, match="take uint8"):
        evaluate(np.zeros((1, 4, 4, 3), np.int8), 1)
