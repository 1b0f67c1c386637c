"""The page for those who bring a network does what it says, word for word."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest
from support.command_line import Cli
from support.places import DOCS

TEXT = (DOCS / "bring-your-network.md").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore")
def test_a_network_of_snntorch_has_its_table_by_the_page_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mynet", raising=False)
    network, training = re.findall("```python\n(.*?)```", TEXT, re.DOTALL)
    Path("mynet.py").write_text(network, encoding="utf-8")
    exec(compile(training.replace("range(10)", "range(3)"), "page", "exec"), {})
    (commands,) = re.findall("```bash\n(.*?)```", TEXT, re.DOTALL)
    brought, verified, reported = (shlex.split(line)[1:] for line in commands.splitlines())
    assert cli(*brought)[0] == 0
    code, out, _ = cli(*verified, "--engine", "float", "--engine", "onnx", "--json")
    rows = {row["engine"]: row for row in json.loads(out)["engines"]}
    assert code == 0
    assert rows["onnx"]["outcome"] == "equal"
    assert rows["integer"]["accuracy"] == pytest.approx(rows["float"]["accuracy"], abs=0.02)
    head, _, *shown = re.findall(r"^\|.*\|$", TEXT, re.MULTILINE)
    reads = dict(re.findall(r"\| ([\w-]+) \| ([\w./]+) \|", "\n".join(shown)))
    assert head.startswith("| engine | reads | images | accuracy |")
    assert {name: row["reads"] for name, row in rows.items()}.items() <= reads.items()
    assert cli(*reported)[0] == 0
    assert "<h2>Verdict</h2>" in Path("runs/mine/report.html").read_text(encoding="utf-8")
    monkeypatch.delitem(sys.modules, "mynet", raising=False)
