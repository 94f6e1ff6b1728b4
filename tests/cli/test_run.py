"""`cfmock run`: what it writes of the flows that were used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.flowtests import document
from tests.support.processes import run

START = """
import json, os, subprocess, sys
for amount in (1, 500):
    call = [sys.executable, "-m", "cfmock", "call", "StartExecution", "FlowName=order", f"Input={json.dumps({'amount': amount})}"]
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("order.yaml").write_text(document("- {name: t, flow: order, input: {amount: 1}}").text)
    return tmp_path


def test_coverage_is_what_the_executions_of_the_command_reached(folder):
    ran = run("run", "order.yaml", "--clock", "virtual", "--coverage", "coverage.json", "--", "python", "-c", START)
    assert (ran.returncode, ran.stdout) == (0, "")
    (coverage,) = json.loads(Path("coverage.json").read_text())["coverage"]
    hits = {point["id"]: point["hits"] for point in coverage["points"] if point["hits"]}
    assert hits == {"Charge": 2, "Size": 2, "Size?0": 1, "Size?default": 1, "Pause": 1, "Ship": 1}
    assert coverage["points"][0]["line"] == 11
    tested = run("test", "order.yaml", "--coverage", "coverage.json")
    assert "coverage 66 % (6 of 9 points)" in tested.stdout


def test_it_is_written_even_if_the_command_fails(folder):
    ran = run("run", "order.yaml", "--coverage", "coverage.json", "--", "python", "-c", "raise SystemExit(3)")
    assert ran.returncode == 3
    assert json.loads(Path("coverage.json").read_text())["coverage"][0]["percent"] == 0


def test_a_file_that_cannot_be_written_is_told_before_the_command_runs(folder):
    ran = run("run", "--coverage", "none/such.json", "--", "python", "-c", "print('ran')")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "--coverage: cannot write none/such.json: No such file or directory\n"
