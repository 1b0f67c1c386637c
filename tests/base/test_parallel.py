"""Calls side by side: in order on every backend, and not all taken at once."""

import joblib
import pytest
from joblib import delayed

from arlif.base.errors import ArlifError
from arlif.base.side_by_side import in_parallel, on_cluster


@pytest.mark.parametrize("backend", ["threading", "multiprocessing", "sequential"])
def test_results_come_in_the_order_of_the_calls(backend: str) -> None:
    with joblib.parallel_config(backend):
        assert [*in_parallel((delayed(pow)(n, 2) for n in range(30)), 2)] == [
            n * n for n in range(30)
        ]
        assert [*in_parallel(iter([]), 2)] == []


def test_a_backend_without_generators_takes_calls_round_by_round() -> None:
    taken = []

    def calls():
        for number in range(20):
            taken.append(number)
            yield delayed(abs)(-number)

    with joblib.parallel_config("multiprocessing"):
        results = in_parallel(calls(), 2)
        assert next(results) == 0
        assert len(taken) == 4
        assert [*results] == [*range(1, 20)]


def test_a_scheduler_that_does_not_answer_is_named() -> None:
    pytest.importorskip("dask.distributed", reason="dask.distributed is missing")
    with pytest.raises(ArlifError, match=r"no Dask scheduler answers at .tcp://127\.0\.0\.1:9."):
        on_cluster("tcp://127.0.0.1:9")
