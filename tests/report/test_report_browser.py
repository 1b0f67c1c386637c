"""The report in a real browser: no network, no script errors, every number is in the JSON."""

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.browser import CHROMIUM, SWITCHES
from support.noted import note
from support.report_text import NUMBER, Text, unknown_numbers

from arlif.base.numerals import significant
from arlif.run_folder import Run
from hw_sim.cli import main
from hw_sim.energy.sensors import measured
from hw_sim.engines.traces import read_traces
from hw_sim.report import write_report

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small runs that have been through every verb, in one report."""
    folder, other = (tmp_path_factory.mktemp("report") / name for name in ("run", "other"))
    small = ("--recipe", "digits", "--set", "architecture.features=[4,'pool',6,'pool']")
    sweep = ("--samples", "60", "--weight-bits", "4,8", "--time-steps", "1,4")
    verbs: list[tuple[Any, ...]] = [
        ("train", folder, *small, "--set", "epochs=2", "--cross-check", "2"),
        ("train", other, *small, "--set", "epochs=1", "--set", "neuron.name=lif-soft"),
        *(("quantize", each) for each in (folder, other)),
        *(("sweep", each, *sweep) for each in (folder, other)),
        ("export", folder),
        *(
            ("simulate", folder, "--engine", engine, "--samples", "60")
            for engine in ("float", "integer", "onnx")
        ),
        *(("compare", folder, "--got", engine) for engine in ("onnx", "float")),
        ("energy", folder),
        ("report", folder, "--beside", other),
    ]
    for verb in verbs:
        with pytest.raises(SystemExit) as stop:
            main([str(part) for part in verb])
        assert not stop.value.code, verb
    return folder


def browse(page: Path, profile: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Open a page in a browser of its own that finds no host."""
    return subprocess.run(
        [str(CHROMIUM), *SWITCHES, f"--user-data-dir={profile}", *options, page.as_uri()],
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )


def requests_of_the_page(log: Path) -> set[str]:
    """What a page asked the network for; the browser's own requests have no origin."""
    content = json.loads(log.read_text())
    start = content["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    jobs = [event.get("params", {}) for event in content["events"] if event["type"] == start]
    return {
        request["url"]
        for request in jobs
        if request.get("initiator", "not an origin") != "not an origin"
    }


def visit(page: Path, folder: Path) -> tuple[str, list[str], set[str]]:
    """The page as the browser has understood it, its console, and its requests."""
    log = folder / "net.json"
    done = browse(page, folder / "profile", f"--log-net-log={log}", "--dump-dom")
    console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    return done.stdout, console, requests_of_the_page(log)


@pytest.fixture(scope="module")
def visited(run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str], set[str]]:
    return visit(run / "report.html", tmp_path_factory.mktemp("visit"))


def test_the_report_has_every_section(run: Path) -> None:
    report = json.loads((run / "report.json").read_text())
    assert {row["engine"] for row in report["engines"]} >= {"float", "integer", "onnx"}
    for part in ("quantization", "comparisons", "crosscheck", "energy", "sweep", "neurons"):
        assert report[part], part
    assert len(report["crosscheck"]) == 1
    assert len(report["neurons"]["networks"]) == 2
    assert len(report["plots"]) >= 10


def test_the_report_adds_up_and_names_what_is_in_it(run: Path) -> None:
    report = json.loads((run / "report.json").read_text())
    page = (run / "report.html").read_text()
    energy, (check,) = report["energy"], report["crosscheck"]
    assert sum(layer["updates"] for layer in energy["layers"]) == energy["total"]["updates"]
    assert f"<td>{significant(check['figures']['energy_uj']['paper']['integer'])}</td>" in page
    assert "energy, paper (uJ)" in page
    assert energy["models"]["loihi1"]["unpriced"] == "contained in the prices"
    assert "contained in the prices" in page


def test_what_is_drawn_of_one_sample_is_in_the_json(run: Path) -> None:
    report = json.loads((run / "report.json").read_text())
    spikes = {engine: read_traces(run / "traces" / f"{engine}.h5") for engine in report["raster"]}
    assert {"integer", "onnx"} <= set(spikes)
    for engine, layers in report["raster"].items():
        for layer, steps in layers.items():
            drawn = spikes[engine].traces[layer].spikes[:, report["sample"]]
            first = drawn.reshape(len(drawn), -1)[:, :64].astype(int)
            assert [[int(s) for s in step] for step in steps] == first.tolist()
    states = read_traces(run / "traces" / "float.h5").traces
    assert set(report["membrane"]) == set(states)
    for layer, curves in report["membrane"].items():
        u = states[layer].states["u"][:, report["sample"]]
        assert curves["float"] == u.reshape(len(u), -1)[:, curves["neuron"]].tolist()
        assert np.abs(np.subtract(curves["fixed point"], curves["float"])).max() < 2


def test_every_plot_stands_in_its_own_section(run: Path) -> None:
    report = json.loads((run / "report.json").read_text())
    sections = (run / "report.html").read_text().split("<h2>")[1:]
    assert sections[0].startswith("Verdict</h2>")
    where = {
        title: section.partition("</h2>")[0]
        for title in report["plots"]
        for section in sections
        if f"<h3>{title[0].upper()}{title[1:]}</h3>\n<figure>" in section
    }
    assert list(where) == report["plots"]
    assert where["learning curves"] == "Accuracy"
    assert where["spike rate per layer"] == "Spikes and states"
    assert where["where the energy goes"] == "Events and energy per inference"
    assert where["accuracy and energy"] == "Bit widths and time steps"
    assert where["networks side by side"] == "Networks at equal accuracy"
    (spikes,) = [section for section in sections if section.startswith("Spikes and states")]
    assert "integer (60 samples)" in spikes


def test_measured_energy_stands_beside_the_estimates(run: Path, tmp_path: Path) -> None:
    """Here no CPU package may be readable: a measurement in the kernel's format joins the run."""
    copy, zone = shutil.copytree(run, tmp_path / "copy"), tmp_path / "intel-rapl:0"
    zone.mkdir()
    for name, content in (("name", "package-0"), ("max_energy_range_uj", "9e9")):
        (zone / name).write_text(content)
    (zone / "energy_uj").write_text("1000000")
    with measured(tmp_path) as sensors:
        (zone / "energy_uj").write_text("1246913")
    outcome = copy / "traces" / "integer.json"
    content = json.loads(outcome.read_text())
    outcome.write_text(json.dumps(content | {"measured": sensors.per_inference(2)}))
    note(copy, "traces/integer.json")
    report = write_report(Run(copy))
    page = (copy / "report.html").read_text()
    assert "CPU package-0" in page
    assert "<td>123 k</td>" in page
    assert unknown_numbers(page, report) == []
    for row in report["engines"]:
        if row["engine"] != "integer":
            named = (*row["measured"]["energy_uj"], *row["measured"]["absent"])
            assert {name.split()[0] for name in named} == {"CPU", "GPU"}
            assert row["measured"]["seconds"] > 0
    for reason in report["engines"][-1]["measured"]["absent"].values():
        assert any(" ".join(reason.split()) in piece for piece in Text(page).pieces)


def test_it_needs_no_network_and_has_no_script_errors(
    run: Path, visited: tuple[str, list[str], set[str]]
) -> None:
    page, console, requests = visited
    assert console == []
    assert requests == set()
    inside = ("#", "data:image/png;base64,")
    assert all(reference.startswith(inside) for reference in Text(page).references)
    assert "@import" not in page


def test_a_page_that_asks_and_fails_would_be_noticed(run: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    extra = '<img src="http://example.invalid/x.png"><script>missing()</script></body>'
    bad.write_text((run / "report.html").read_text().replace("</body>", extra))
    page, console, requests = visit(bad, tmp_path)
    assert requests == {"http://example.invalid/x.png"}
    assert any("missing is not defined" in line for line in console)
    assert "http://example.invalid/x.png" in Text(page).references


def test_every_number_on_the_page_is_in_the_json(
    run: Path, visited: tuple[str, list[str], set[str]]
) -> None:
    page, report = visited[0], json.loads((run / "report.json").read_text())
    assert sum(len(NUMBER.findall(piece)) for piece in Text(page).pieces) > 200
    assert unknown_numbers(page, report) == []
    total = significant(report["energy"]["total"]["energy_uj"]["memory"]["mean"])
    wrong = f"{float(total) + 0.01234:.5f}"
    assert f"<th>{total} " in page
    assert unknown_numbers(page.replace(f"<th>{total} ", f"<th>{wrong} "), report) == [wrong]


MEASURE = """<script>
const wide = document.documentElement.clientWidth, out = [], silent = [];
for (const part of document.querySelectorAll("body *")) {
  if (part.closest("svg, .table table")) continue;
  const box = part.getBoundingClientRect();
  if (box.right > wide + 1 && !part.closest("figure")) out.push(part.tagName + part.className);
  const cut = part.clientWidth && part.scrollWidth > part.clientWidth + 1;
  if (cut && getComputedStyle(part).overflowX !== "auto") out.push(part.tagName);
}
const hint = document.querySelector(".scrolls").getBoundingClientRect().height > 0;
const narrow = [...document.querySelectorAll(".table")].filter(t => t.scrollWidth > t.clientWidth);
parent.document.body.dataset.measured = JSON.stringify(
  {wide, page: document.documentElement.scrollWidth, out, hint, narrow: narrow.length});
</script></body>"""


def measured_at(page: Path, folder: Path, width: int) -> dict[str, Any]:
    """What is cut off of a page in a frame of so many pixels, and whether it says what scrolls.

    In a frame, since the windows of a browser have a least width.
    """
    copy, inner = folder / f"at-{width}.html", page.read_text().replace("</body>", MEASURE)
    frame = f'<iframe width="{width}" height="900" style="border: 0" srcdoc="{escape(inner)}">'
    copy.write_text(f"<!doctype html><body>{frame}</iframe></body>")
    done = browse(copy, folder / "profile", "--window-size=1400,1000", "--dump-dom")
    (found,) = re.findall('data-measured="(.*?)"', done.stdout)
    measured: dict[str, Any] = json.loads(unescape(found))
    return measured


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_cut_off_on_a_telephone_and_on_a_desk(
    run: Path, tmp_path: Path, width: int
) -> None:
    found = measured_at(run / "report.html", tmp_path, width)
    assert width - 20 <= found["wide"] <= width  # a scroll bar stands beside the page
    assert found["page"] == found["wide"]
    assert found["out"] == []
    assert found["hint"]
    assert (width == 390) <= bool(found["narrow"])
    bad = tmp_path / "bad.html"
    wide = '<p style="width: 1400px">too wide</p></body>'
    bad.write_text((run / "report.html").read_text().replace("</body>", wide))
    assert measured_at(bad, tmp_path, width)["out"] != []


def test_it_is_drawn(run: Path, tmp_path: Path) -> None:
    colours = {}
    empty = tmp_path / "empty.html"
    empty.write_text("<!doctype html><title>empty</title>")
    for page in (run / "report.html", empty):
        picture = tmp_path / f"{page.stem}.png"
        browse(page, tmp_path / "profile", f"--screenshot={picture}", "--window-size=1100,6000")
        with Image.open(picture) as image:
            colours[page] = len(image.convert("RGB").getcolors(1 << 24))
    assert colours[empty] < 50
    assert colours[run / "report.html"] > 200
