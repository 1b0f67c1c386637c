"""Calls side by side through joblib, on whichever backend the caller has chosen."""

import os
import warnings
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any

from arlif.base.errors import ArlifError
from arlif.base.workers import begin_with


def in_parallel(calls: Iterable[Any], jobs: int) -> Iterator[Any]:
    """The results of joblib.delayed calls, in their order, each when it is there.

    jobs: processes side by side, -1 for as many as there are. A backend that cannot hand results
    out one by one (multiprocessing, Ray) gets two rounds of calls at a time.
    """
    from joblib import Parallel
    from joblib.parallel import LokyBackend, get_active_backend

    backend, _ = get_active_backend()
    if not backend.supports_return_generator:
        return _in_rounds(iter(calls), jobs, 2 * backend.effective_n_jobs(jobs))
    own = isinstance(backend, LokyBackend)  # its processes are ours to begin
    begin = {"initializer": begin_with, "initargs": (os.getpid(),)} if own else {}
    workers = Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2 * n_jobs", **begin)
    return _closed_quietly(workers(calls))


def _closed_quietly(results: Generator[Any]) -> Iterator[Any]:
    """All of them; who stops before knows that the calls which are left are given up."""
    try:
        for result in results:  # noqa: UP028  a `yield from` closes them before the filter is set
            yield result
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*You could benefit from", UserWarning)
            results.close()


def _in_rounds(calls: Iterator[Any], jobs: int, size: int) -> Iterator[Any]:
    from joblib import Parallel

    with Parallel(n_jobs=jobs) as parallel:
        while part := [*islice(calls, size)]:
            yield from parallel(part)


def on_cluster(address: str | None) -> ExitStack:
    """While open, in_parallel runs on the Dask cluster of a scheduler; None leaves it as it is.

    Raises ArlifError where no scheduler answers, or where dask.distributed is not installed.
    """
    opened = ExitStack()
    if address is None:
        return opened
    import joblib

    try:
        from dask.distributed import Client

        opened.enter_context(Client(address, timeout=5))  # type: ignore[no-untyped-call]
    except ImportError:
        raise ArlifError("--dask needs dask.distributed: pip install distributed") from None
    except (OSError, ValueError) as error:
        raise ArlifError(f"no Dask scheduler answers at {address!r} ({error})") from None
    opened.enter_context(joblib.parallel_config("dask"))
    return opened
