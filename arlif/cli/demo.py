"""arlif demo: the whole pipeline on handwritten digits."""

from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.cli import compare as compare_verb
from arlif.cli import quantize as quantize_verb
from arlif.cli import simulate as simulate_verb
from arlif.cli.compare import MISMATCH
from arlif.cli.energy import run_energy
from arlif.cli.export import run_export
from arlif.cli.output import JsonOption, Output, percent
from arlif.cli.report import run_report
from arlif.cli.simulate import EngineName
from arlif.cli.source import Source
from hw_sim.options import EngineOptions


def demo(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")] = Path(
        "runs/demo"
    ),
    as_json: JsonOption = False,
) -> None:
    """Train on digits, quantize, export, simulate on every engine, compare, report."""
    from arlif import training

    output = Output(as_json)
    output.say("1/6 train: a small AR-LIF network on scikit-learn's handwritten digits, T = 4")
    summary = training.train(training.load_recipe("digits"), run, overwrite=True)
    output.say(
        f"    test accuracy {percent(summary.last_accuracy)} after {summary.epochs} epochs, "
        f"{summary.seconds:.0f} s"
    )
    output.say("2/6 quantize: 8-bit weights, 16-bit states")
    quantize_verb.show(output, quantize_verb.run_quantize(run, "compact16", 8, 0, None))
    output.say("3/6 export: network.net for Lava, network.onnx for ONNX Runtime")
    run_export(run)
    output.say("4/6 simulate")
    outcomes = {engine: _simulate(output, run, engine) for engine in EngineName}
    output.say("5/6 compare, bit for bit")
    comparisons = []
    for engine in (EngineName.LAVA, EngineName.ONNX):
        comparisons.append(compare_verb.run_compare(run, EngineName.INTEGER, engine))
        compare_verb.show(output, comparisons[-1])
    run_energy(run, EngineName.INTEGER, None)
    output.say("6/6 report")
    content = run_report(run)
    _summary(output, outcomes, comparisons)
    output.say(f"report: {content['html']}")
    output.result(content)
    if not all(comparison["equal"] for comparison in comparisons):
        raise typer.Exit(MISMATCH)


def _simulate(output: Output, run: Path, engine: EngineName) -> dict[str, Any]:
    with output.progress(f"    {engine}") as update:
        result = simulate_verb.run_simulate(
            run, engine, Source(), simulate_verb.TRACED_SAMPLES, EngineOptions(), update
        )
    simulate_verb.show(output, result)
    return result


def _summary(
    output: Output, outcomes: dict[EngineName, dict[str, Any]], comparisons: list[dict[str, Any]]
) -> None:
    compared = {result["got"]: result for result in comparisons}
    rows = []
    for engine, result in outcomes.items():
        against = compared.get(str(engine))
        rows.append(
            [
                str(engine),
                str(result["samples"]),
                percent(result["accuracy"]),
                f"{result['events_per_inference']:.1f}",
                f"{against['spikes_compared']:,}" if against else "",
                f"{against['spikes_different']:,}" if against else "",
            ]
        )
    output.table(
        "Digits, T = 4",
        [
            "engine",
            "samples",
            "accuracy",
            "events per inference",
            "spikes compared",
            "spikes different",
        ],
        rows,
    )
