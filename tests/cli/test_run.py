"""`cfmock run`: what its command finds in the environment, and what is written of the flows that were used."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.support.flowtests import document
from tests.support.processes import run, serving

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
    ran = run(
        "run", "order.yaml", "--clock", "virtual", "--coverage", "coverage.json", "--", sys.executable, "-c", START
    )
    assert (ran.returncode, ran.stdout) == (0, "")
    (coverage,) = json.loads(Path("coverage.json").read_text())["coverage"]
    hits = {point["id"]: point["hits"] for point in coverage["points"] if point["hits"]}
    assert hits == {"Charge": 2, "Size": 2, "Size?0": 1, "Size?default": 1, "Pause": 1, "Ship": 1}
    assert coverage["points"][0]["line"] == 11
    tested = run("test", "order.yaml", "--coverage", "coverage.json")
    assert "coverage 66 % (6 of 9 points)" in tested.stdout


def test_it_is_written_even_if_the_command_fails(folder):
    ran = run("run", "order.yaml", "--coverage", "coverage.json", "--", sys.executable, "-c", "raise SystemExit(3)")
    assert ran.returncode == 3
    assert json.loads(Path("coverage.json").read_text())["coverage"][0]["percent"] == 0


def test_a_file_that_cannot_be_written_is_told_before_the_command_runs(folder):
    ran = run("run", "--coverage", "none/such.json", "--", sys.executable, "-c", "print('ran')")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "--coverage: cannot write none/such.json: No such file or directory\n"


def test_a_misspelt_variable_is_named():
    said = "cfmock: CFMOCK_CLOKC: there is no such variable (did you mean 'CFMOCK_CLOCK'?)\n"
    assert run("run", "--", "true", env={"CFMOCK_CLOKC": "virtual"}).stderr == said
    with serving(CFMOCK_CLOKC="virtual", CFMOCK_URL="http://127.0.0.1:9") as server:
        assert server.stop()[2] == said


# -- proxies ---------------------------------------------------------------------------------------------------------------

PRINT = "import json, os; print(json.dumps({n: v for n, v in os.environ.items() if n.lower().endswith('_proxy')}))"
SET = dict.fromkeys(
    ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:9"
)


def proxies_of(ran) -> dict[str, str]:
    assert ran.returncode == 0, ran.stderr
    found: dict[str, str] = json.loads(ran.stdout)
    return found


def test_the_command_gets_none_of_the_proxies_and_a_line_says_so():
    ran = run("run", "--", sys.executable, "-c", PRINT, env={**SET, "NO_PROXY": "example.com"})
    assert proxies_of(ran) == {"NO_PROXY": "example.com"}
    assert ran.stderr == (
        "cfmock: CMD runs without ALL_PROXY, HTTPS_PROXY, HTTP_PROXY, all_proxy, http_proxy, https_proxy: SDKs send even "
        "calls to 127.0.0.1 there and ignore NO_PROXY (--keep-proxy leaves them)\n"
    )


def test_where_there_is_no_proxy_nothing_is_said():
    ran = run("run", "--", sys.executable, "-c", PRINT, env={"HTTP_PROXY": "", "NO_PROXY": "*"})
    assert (proxies_of(ran), ran.stderr) == ({"NO_PROXY": "*"}, "")


def test_proxies_can_be_kept():
    ran = run("run", "--keep-proxy", "--", sys.executable, "-c", PRINT, env=SET)
    assert (proxies_of(ran), ran.stderr) == (SET, "")


def test_with_proxy_the_server_is_the_proxy_of_plain_http():
    found = proxies_of(run("run", "--proxy", "--", sys.executable, "-c", PRINT, env=SET))
    assert found["HTTP_PROXY"] == found["http_proxy"] != SET["HTTP_PROXY"]
    assert {name: value for name, value in found.items() if name.upper() != "HTTP_PROXY"} == {
        **{name: value for name, value in SET.items() if name.upper() != "HTTP_PROXY"}, "NO_PROXY": "", "no_proxy": "",
    }  # fmt: skip


def test_the_two_options_do_not_go_together():
    ran = run("run", "--proxy", "--keep-proxy", "--", "true")
    assert (ran.returncode, ran.stderr) == (2, "--keep-proxy cannot be used with --proxy, which sets HTTP_PROXY\n")


def test_a_folder_in_which_nothing_is_found_is_told(folder):
    Path("empty").mkdir()
    ran = run("run", "empty", "--", "true")
    assert (ran.returncode, ran.stdout) == (0, "")
    told = "no fixture and no flow definition in any *.yaml, *.yml, *.json, *.fdl, *.tf below it"
    assert ran.stderr == f"cfmock: empty: {told}\n"


SET_UP = """
cfmock: 1
flows:
  - name: order
    outcomes: [{when: {execution: "a*"}}, {when: {execution: "b*"}}]
    tasks: {Charge: [{returns: {}, times: 1}, {waits: true}]}
faults: [{name: used, when: {operation: "Start*"}, delay: 0}, {name: never, when: {operation: StopExecution}, delay: 1}]
"""
ADD = """
import json, os, subprocess, sys, urllib.request
def post(path, body):
    urllib.request.urlopen(urllib.request.Request(os.environ["CFMOCK_URL"] + "/_cfmock/" + path, json.dumps(body).encode()))
post("outcomes", {"flow": "order", "when": {"execution": "c*"}})
post("faults", {"name": "chance", "when": {"probability": 0.5, "operation": "StopExecution"}, "delay": 0})
post("mocks", {"flow": "order", "task": "Charge", "mocks": [{"waits": True}]})
call = [sys.executable, "-m", "cfmock", "call", "StartExecution", "FlowName=order", "ExecutionName=b1"]
subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
sys.exit(int(sys.argv[1]))
"""


def test_set_ups_that_nothing_used_are_named_and_change_no_status(folder):
    Path("f.yaml").write_text(SET_UP)
    ran = run("run", "f.yaml", "--", sys.executable, "-c", ADD, "0")
    assert (ran.returncode, ran.stdout) == (0, "")
    of_flow = "of flow 'order'"
    chance = '{"name":"chance","when":{"probability":0.5,"operation":"StopExecution"},"delay":0}'
    nearest = "the nearest is execution 'b1': execution: expected 'c*', got 'b1'"
    mocks = f"mock 1 of task 'Charge' {of_flow}, mock 2 of task 'Charge' {of_flow}"
    assert ran.stderr.splitlines()[-5:] == [
        "cfmock: 3 set-ups that nothing used",
        f'  outcome Succeeded {of_flow} for {{"execution":"c*"}}: {nearest}',
        f"  mock of task 'Charge' {of_flow}: execution 'b1' of the flow followed an outcome, and ran no task",
        f"  fault 'chance' {chance}",
        f"cfmock: unused set-ups in the files: outcome 1 {of_flow}, {mocks}, fault 'never'",
    ]
    failed = run("run", "f.yaml", "--", sys.executable, "-c", ADD, "3")
    assert (failed.returncode, "nothing used" in failed.stderr) == (3, False)


def test_of_many_set_ups_of_files_the_first_are_named(folder):
    Path("f.yaml").write_text("cfmock: 1\nflows: [{name: f, outcomes: [" + "{times: 1}, " * 12 + "]}]\n")
    ran = run("run", "f.yaml", "--", "true")
    named = ", ".join(f"outcome {number} of flow 'f'" for number in range(1, 11))
    assert (ran.returncode, ran.stderr) == (0, f"cfmock: unused set-ups in the files: {named} and 2 more\n")
