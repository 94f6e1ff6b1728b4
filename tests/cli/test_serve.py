"""`cfmock serve`, `run` and `call` as processes."""

from __future__ import annotations

import json
import re
import signal
import sys
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import run, serving
from tests.support.raw import connect, exchange, parsed, read_answer
from tests.support.waiting import PATIENCE, until

FIXTURE = """\
cfmock: 1
credentials: [{access_key_id: ak, access_key_secret: sk}]
flows:
  - name: order_flow
    outcomes:
      - {when: {execution: "bad-*"}, status: Failed, error: {code: Refused}}
      - {when: {execution: "open"}, status: Running}
      - {output: {ok: true}}
"""
KEYS = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "ak", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "sk"}


@pytest.fixture
def fixture(tmp_path: Path) -> Path:
    file = tmp_path / "orders.yaml"
    file.write_text(FIXTURE)
    return file


def call(url: str, *words: str) -> tuple[int, dict[str, Any]]:
    done = run("call", *words, env={"CFMOCK_URL": url, **KEYS})
    return done.returncode, json.loads(done.stdout)


def admin(url: str, path: str) -> Any:
    with urllib.request.urlopen(f"{url}/_cfmock/{path}", timeout=PATIENCE) as answer:
        return json.load(answer)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_one_line_when_ready_and_ends_well_when_told(fixture: Path, number: int) -> None:
    with serving(str(fixture)) as server:
        assert server.ready == f"cfmock ready {server.url}\n"
        assert server.url.startswith("http://127.0.0.1:")
        assert call(server.url, "StartExecution", "FlowName=order_flow", "ExecutionName=e")[0] == 0
        code, out, err = server.stop(number)
    assert (code, out, err) == (0, "", "")


def test_it_ends_at_once_though_a_client_waits(fixture: Path) -> None:
    with serving(str(fixture), "--auth", "off") as server, connect(server.url) as waiting:
        target = "/?Version=2019-03-15&FlowName=order_flow&ExecutionName=open&Action="
        exchange(server.url, f"GET {target}StartExecution HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        waiting.sendall(f"GET {target}DescribeExecution&WaitTimeSeconds=60 HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        admin(server.url, "health")  # asked after it, so it waits by now
        begun = time.monotonic()
        assert server.stop()[0] == 0
        assert parsed(read_answer(waiting))[2]["Status"] == "Running"
        assert time.monotonic() - begun < 20


ENDLESS = """\
cfmock: 1
settings: {auth: off, seed: 1}
flows:
  - name: endless
    definition:
      Type: StateMachine
      SpecVersion: v1
      Name: endless
      StartAt: A
      States:
        - {Type: Task, Name: A, Action: "FNF:StartExecution", Parameters: {resourceArn: "acs:fnf:::flow/endless"}, Next: B}
        - {Type: Task, Name: B, Action: "FNF:StartExecution", Parameters: {resourceArn: "acs:fnf:::flow/endless"}, End: true}
  - name: open
    outcomes: [{status: Running}]
schedules: [{name: s, flow: open, cron: "@every 1m"}]
faults: [{when: {operation: ListFlows}, transport: hang}]
"""


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_it_ends_whatever_is_running(tmp_path: Path, clock: str) -> None:
    file = tmp_path / "endless.yaml"
    file.write_text(ENDLESS)
    target = "GET /?Version=2019-03-15&FlowName={}&Action={} HTTP/1.1\r\nHost: h\r\n\r\n"
    calls = [
        target.format("open", "StartExecution&ExecutionName=e"),
        target.format("endless", "StartExecution"),
        target.format("open", "DescribeExecution&ExecutionName=e&WaitTimeSeconds=60"),
        target.format("open", "ListFlows"),
        "GET /_cfmock/calls?wait=60s&count=9999 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        'POST /_cfmock/clock HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 19\r\n\r\n{"advance": "365d"}',
    ]
    with ExitStack() as stack:
        server = stack.enter_context(serving(str(file), "--clock", clock, CFMOCK_MAX_STARTS_PER_ADVANCE="10000000"))
        for call in calls:
            stack.enter_context(connect(server.url)).sendall(call.encode())
        admin(server.url, "health")
        begun = time.monotonic()
        assert server.stop() == (0, "", "")
        assert time.monotonic() - begun < 20


def test_a_server_that_is_stuck_is_broken_off(tmp_path: Path) -> None:
    """Nothing in cfmock takes so long; were it so, the process would end all the same."""
    stuck = (
        "import sys, time; from cfmock.__main__ import main; from cfmock.control.control import Control\n"
        "def health(self):\n"
        "    sys.stderr.write('stuck\\n'); sys.stderr.flush()\n"
        "    while True: time.sleep(0.01)\n"
        "Control.health = health\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    with serving(program=["-c", stuck]) as server, connect(server.url) as client:
        client.sendall(b"GET /_cfmock/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        server.until_said("stuck")
        code, _, err = server.stop()
    assert (code, err) == (1, "cfmock: the server was busy with one thing for too long and was stopped\n")


def test_a_port_in_use_is_one_line_and_exit_2(fixture: Path) -> None:
    with serving(str(fixture)) as server:
        port = server.url.rpartition(":")[2]
        done = run("serve", str(fixture), "--port", port)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"cannot listen on 127.0.0.1 port {port}: Address already in use (--port 0, or port=0 in Python, takes a free one)\n"
    )


def test_a_broken_fixture_lists_every_mistake_and_serves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("cfmock: 1\nflows:\n  - name: f\n    outcomes:\n      - status: Suceeded\n      - stauts: Failed\n")
    done = run("serve", str(file))
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"{file}:5:9: flows[0].outcomes[0].status: 'Suceeded' is not one of Starting, Running,")
    assert lines[1] == f"{file}:6:9: flows[0].outcomes[1].stauts: unknown key 'stauts' (did you mean 'status'?)"


def test_an_option_stands_over_the_environment_and_that_over_the_fixture(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text("cfmock: 1\nsettings: {clock: virtual, now: 2024-06-01T00:00:00Z}\n")
    with serving(str(file)) as server:
        assert admin(server.url, "clock") == {"now": "2024-06-01T00:00:00.000Z", "kind": "virtual"}
    with serving(str(file), CFMOCK_CLOCK="real") as server:
        assert admin(server.url, "clock")["kind"] == "real"
    with serving(str(file), "--clock", "virtual", CFMOCK_CLOCK="real") as server:
        assert admin(server.url, "clock")["kind"] == "virtual"


def test_every_call_is_appended_to_the_journal_file(fixture: Path, tmp_path: Path) -> None:
    journal = tmp_path / "calls.jsonl"
    with serving(str(fixture), "--journal", str(journal), "-v") as server:
        call(server.url, "StartExecution", "FlowName=order_flow", "ExecutionName=e")
        call(server.url.removeprefix("http://"), "DescribeFlow", "Name=nope")  # as CFMOCK_ENDPOINT has it
        _, _, err = server.stop()
    first, second = map(json.loads, journal.read_text().splitlines())
    assert (first["operation"], first["status"], first["code"]) == ("StartExecution", 200, None)
    assert (second["operation"], second["status"], second["code"]) == ("DescribeFlow", 404, "FlowNotExists")
    assert "DescribeFlow nope -> 404 FlowNotExists" in err
    assert "sk" not in journal.read_text().replace("task", "")


@pytest.mark.parametrize("place", ["missing/calls.jsonl", "."])
def test_a_journal_file_that_cannot_be_written_is_one_line_and_exit_2(tmp_path: Path, place: str) -> None:
    done = run("serve", "--port", "0", "--journal", str(tmp_path / place))
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert f"--journal: cannot write {tmp_path / place}: " in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this machine")
def test_a_disk_that_is_full_costs_the_journal_file_but_no_call(fixture: Path) -> None:
    with serving(str(fixture), "--journal", "/dev/full") as server:
        for _ in range(2):
            assert call(server.url, "ListFlows")[0] == 0
        code, _, err = server.stop()
    assert code == 0
    assert [line for line in err.splitlines() if "--journal" in line] == [
        "cfmock: --journal: No space left on device; no more calls are written to /dev/full"
    ]


def test_reload_takes_over_what_changed_and_keeps_the_rest(fixture: Path) -> None:
    with serving(str(fixture), "--reload") as server:
        call(server.url, "StartExecution", "FlowName=order_flow", "ExecutionName=e")
        fixture.write_text(FIXTURE.replace("ok: true", "ok: new") + "  - name: second\n")
        until(lambda: call(server.url, "DescribeFlow", "Name=second")[0] == 0)
        call(server.url, "StartExecution", "FlowName=order_flow", "ExecutionName=f")
        described = call(server.url, "DescribeExecution", "FlowName=order_flow", "ExecutionName=f")[1]
        assert described["Output"] == '{"ok":"new"}'
        assert call(server.url, "DescribeExecution", "FlowName=order_flow", "ExecutionName=e")[0] == 0
        _, _, err = server.stop()
    assert "reloaded: flow second added, flow order_flow changed (outcomes)\n" in err


def test_reload_takes_over_keys(fixture: Path) -> None:
    with serving(str(fixture), "--reload") as server:
        fixture.write_text(FIXTURE.replace("access_key_secret: sk", "access_key_secret: changed"))
        until(lambda: call(server.url, "ListFlows")[1].get("Code") == "SignatureNotMatch")
        fixture.write_text(FIXTURE + "settings: {auth: off}\n")
        until(lambda: call(server.url, "ListFlows")[0] == 0)
        _, _, err = server.stop()
    assert [line for line in err.splitlines() if "reloaded" in line] == [
        "cfmock: reloaded: credentials changed",
        "cfmock: reloaded: credentials changed, at the next start: setting auth",
    ]


def test_reload_keeps_serving_the_old_state_while_a_file_is_wrong(fixture: Path) -> None:
    with serving(str(fixture), "--reload") as server:
        fixture.write_text(FIXTURE.replace("outcomes", "outcoms"))
        server.until_said("not reloaded, still serving the previous version", "did you mean 'outcomes'?")
        assert call(server.url, "DescribeFlow", "Name=order_flow")[0] == 0


def test_run_gives_its_command_the_variables_and_exits_with_its_status(fixture: Path) -> None:
    script = (
        "import json, os, sys; print(json.dumps({k: v for k, v in os.environ.items() "
        "if k.startswith(('CFMOCK_', 'ALIBABA_', 'FNF_')) or k.lower().endswith('_proxy')})); sys.exit(7)"
    )
    done = run("run", str(fixture), "--", sys.executable, "-c", script)
    assert (done.returncode, done.stderr) == (7, "")
    found = json.loads(done.stdout)
    assert found["CFMOCK_URL"] == found["FNF_ENDPOINT"] == f"http://{found['CFMOCK_ENDPOINT']}"
    assert found["ALIBABA_CLOUD_ACCESS_KEY_ID"] == "ak"
    assert found["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] == "sk"
    assert found["ALIBABA_CLOUD_REGION_ID"] == "cn-hangzhou"
    assert "HTTP_PROXY" not in found
    proxied = json.loads(run("run", str(fixture), "--proxy", "--", sys.executable, "-c", script).stdout)
    assert proxied["HTTP_PROXY"] == proxied["http_proxy"] == proxied["CFMOCK_URL"]
    assert proxied["NO_PROXY"] == proxied["no_proxy"] == ""


def test_run_serves_its_command(fixture: Path) -> None:
    words = (sys.executable, "-m", "cfmock", "call", "DescribeFlow", "Name=order_flow")
    done = run("run", str(fixture), "--", *words)
    assert done.returncode == 0
    assert json.loads(done.stdout)["Name"] == "order_flow"


def test_run_without_a_command_or_with_one_that_is_not_there_says_so() -> None:
    assert run("run").returncode == 2
    missing = run("run", "--", "no-such-command-here")
    assert (missing.returncode, missing.stdout) == (127, "")
    assert "no-such-command-here" in missing.stderr


def test_call_prints_the_answer_and_exits_1_on_an_error_answer(fixture: Path) -> None:
    with serving(str(fixture)) as server:
        code, answer = call(server.url, "StartExecution", "FlowName=order_flow", 'Input={"a": "b=c"}')
        assert (code, answer["Input"]) == (0, '{"a": "b=c"}')
        code, answer = call(server.url, "DescribeFlow", "Name=nope")
        assert (code, answer["Code"], answer["Message"]) == (1, "FlowNotExists", "Flow nope does not exist.")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("StratExecution",), "there is no operation 'StratExecution' (did you mean 'StartExecution'?)"),
        (("ListFlows", "Limit"), "'Limit' is not of the form Key=Value"),
        (("ListFlows", "--url", "http://127.0.0.1:9"), "no answer from http://127.0.0.1:9"),
        (("ListFlows", "--url", "ftp://127.0.0.1"), "'ftp://127.0.0.1' is not a URL such as http://127.0.0.1:8790\n"),
        (
            ("ListFlows", "--url", "http:127.0.0.1"),
            "no answer from http://http:127.0.0.1: nonnumeric port: '127.0.0.1'\n",
        ),
        (("ListFlows", "Limit=1", "Limit=2"), "Limit is given twice\n"),
    ],
)
def test_a_call_that_cannot_be_made_is_explained(words: tuple[str, ...], said: str) -> None:
    done = run("call", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_answer_that_is_cut_off_is_told_in_a_line(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text("cfmock: 1\nfaults: [{transport: truncate}]\n")
    with serving(str(file)) as server:
        done = run("call", "DescribeRegions", "--url", server.url)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"no answer from {server.url}: IncompleteRead\(.*\)\n", done.stderr)


def test_violations_fail_a_strict_server_at_its_end(fixture: Path) -> None:
    with serving(str(fixture), "--strict") as server:
        assert call(server.url, "ListFlows", "Limits=1")[0] == 0
        code, out, err = server.stop()
    assert (code, out) == (1, "")
    assert "1 violation" in err
    assert "no parameter 'Limits' (did you mean 'Limit'?)" in err
    with serving(str(fixture)) as server:
        call(server.url, "ListFlows", "Limits=1")
        assert admin(server.url, "violations")["violations"][0]["kind"] == "unknown parameter"
        assert server.stop()[0] == 0


def test_a_strict_server_names_what_nothing_used_at_its_end(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text("cfmock: 1\nfaults: [{name: never, delay: 1}]\n")
    with serving(str(file), "--strict") as server:
        assert server.stop() == (0, "", "cfmock: unused set-ups in the files: fault 'never'\n")
    with serving(str(file)) as server:
        assert server.stop() == (0, "", "")


@pytest.mark.parametrize(("parameter", "status", "code"), [("Limit=1", 0, 0), ("Limits=1", 0, 1), ("Limits=1", 3, 3)])
def test_violations_fail_a_strict_run_whose_command_did_not(
    fixture: Path, parameter: str, status: int, code: int
) -> None:
    script = f"{sys.executable} -m cfmock call ListFlows {parameter} && exit {status}"
    done = run("run", "--strict", str(fixture), "--", "sh", "-c", script)
    assert done.returncode == code
    assert ("1 violation" in done.stderr) is (code == 1)


def explained(url: str, *words: str, **env: str) -> tuple[int, str]:
    done = run("call", "--explain", *words, env={"CFMOCK_URL": url, **KEYS, **env})
    assert json.loads(done.stdout)["RequestId"]
    return done.returncode, done.stderr


def test_a_call_is_explained_if_asked_for(fixture: Path) -> None:
    with serving(str(fixture)) as server:
        code, told = explained(server.url, "ListFlows", ALIBABA_CLOUD_ACCESS_KEY_SECRET="sk ")
        assert code == 1
        assert "the server's string to sign: GET&%2F&AccessKeyId%3Dak%26" in told
        assert "\nours is the same\nyour signature: a secret that ends in a blank or line break is used" in told
        code, told = explained(server.url, "ListFlows", ALIBABA_CLOUD_ACCESS_KEY_SECRET="wrong")
        assert told.endswith("\nours is the same\nmost likely the secret of key 'ak' is wrong\n")
        code, told = explained(server.url, "ListFlows", ALIBABA_CLOUD_SECURITY_TOKEN="tok")
        assert told.splitlines()[1:] == ["key 'ak' has no security token: send none with it"]
        code, told = explained(server.url, "StartExecution", "FlowName=order_flow", "ExecutionNme=x")
        assert code == 0
        assert "violation: StartExecution has no parameter 'ExecutionNme'" in told
        assert "outcome 1 of flow 'order_flow'" not in told
        assert "sk" not in server.stop()[2].replace("task", "")


def test_an_explanation_needs_the_admin_token_where_there_is_one(fixture: Path) -> None:
    with serving(str(fixture), "--admin-token", "t") as server:
        assert "the server does not explain it: this server asks for" in explained(server.url, "ListFlows")[1]
        code, told = explained(server.url, "ListFlows", CFMOCK_ADMIN_TOKEN="t")
        assert (code, told.partition(" in ")[0]) == (0, "ListFlows was answered 200")


def test_the_address_of_the_console_is_on_stderr_where_there_is_one(fixture: Path) -> None:
    with serving(str(fixture)) as server:
        server.until_said(f"cfmock: console at {server.url}/_cfmock/")
    with serving(str(fixture), "--host", "0.0.0.0") as server:
        server.process.send_signal(signal.SIGTERM)
        assert "console" not in server.process.communicate()[1]
