"""`cfmock contract`: a client put through errors and broken connections, from the command line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from cfmock import CloudFlow
from cfmock.api import client
from tests.support.processes import environment, gone
from tests.support.processes import run as run_process
from tests.support.waiting import until

PYTHON = [sys.executable, "-I", "-S"]

CLIENT = '''
"""A client without any library. Tries each call so many times; `careless` ones never tell."""
import http.client, json, os, sys, time

tries, careless = int(sys.argv[1]), "careless" in sys.argv
host = os.environ["CFMOCK_ENDPOINT"]


def call(method, query):
    why = ""
    for number in range(tries):
        time.sleep(0.02 * number)
        try:
            connection = http.client.HTTPConnection(host, timeout=2)
            connection.request(method, "/?Version=2019-03-15&Action=" + query)
            answer = connection.getresponse()
            fields = json.loads(answer.read())
        except Exception as error:
            why = type(error).__name__
        else:
            if answer.status == 200:
                return fields
            why = fields["Code"]
            if why not in ("ResourceThrottled", "InternalServerError"):
                break
    if not careless:
        sys.exit("gave up: " + why)
    return {}


print("a line of its own")
call("POST", "StartExecution&FlowName=f&ExecutionName=e1")
if "describe" in sys.argv:
    call("GET", "DescribeExecution&FlowName=f&ExecutionName=e1")
if "odd" in sys.argv:
    sys.exit(3)
'''


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("client.py").write_text(CLIENT)
    Path("f.yaml").write_text("cfmock: 1\nsettings: {auth: off}\nflows: [{name: f}]\n")
    return tmp_path


@pytest.fixture
def contract(cfmock):
    """Runs `cfmock contract` with some faults, on the client with these words."""

    def run(faults: str, *words: str, client: tuple[str, ...] = ("3",)):
        codes = [word for fault in faults.split() for word in ("--code", fault)]
        return cfmock("contract", "f.yaml", *codes, *words, "--", *PYTHON, "client.py", *client)

    return run


def cases(text: str) -> list[dict]:
    return json.loads(text)["cases"]


def test_the_table_says_what_the_client_did_in_each_case(contract):
    ran = contract("AccessDenied ResourceThrottled reset hang", "--jobs", "2", "--operation", "StartExecution")
    lines = [line.split()[:5] for line in ran.out.splitlines()]
    assert ran.code == 0
    assert lines[:5] == [
        ["OPERATION", "FAULT", "RESULT", "EXIT", "CALLS"],
        ["StartExecution", "AccessDenied", "failed", "1", "1"],
        ["StartExecution", "ResourceThrottled", "recovered", "0", "2"],
        ["StartExecution", "reset", "recovered", "0", "2"],
        ["StartExecution", "hang", "recovered", "0", "2"],
    ]
    assert ran.out.endswith("\n\n4 cases: 3 recovered, 1 failed\n")
    assert ran.err == "cfmock contract: 4 cases of StartExecution\n"


def test_cases_run_without_the_proxies_of_the_environment_which_is_said_once(folder):
    Path("proxied.py").write_text(
        f"import os, sys; sys.argv.append('1'); assert 'HTTP_PROXY' not in os.environ\n{CLIENT}"
    )
    words = "contract", "f.yaml", "--code", "AccessDenied", "--code", "reset", "--", *PYTHON, "proxied.py"
    ran = run_process(*words, env={"HTTP_PROXY": "http://127.0.0.1:9"})
    assert "2 cases: 2 failed" in ran.stdout
    assert ran.stderr.count("HTTP_PROXY") == 1


def test_json_has_a_case_for_each(contract):
    ran = contract("AccessDenied close", "--format", "json", client=("2", "describe"))
    found = {(case["operation"], case["code"], case["transport"]): case for case in cases(ran.out)}
    assert list(found) == [
        ("StartExecution", "AccessDenied", None), ("StartExecution", None, "close"),
        ("DescribeExecution", "AccessDenied", None), ("DescribeExecution", None, "close"),
    ]  # fmt: skip
    denied, closed, *_, last = found.values()
    assert {**denied, "seconds": 0} == {
        "operation": "StartExecution", "code": "AccessDenied", "transport": None, "exit": 1, "calls": 1, "spacing": [],
        "recovered": False, "seen": True, "timed_out": False, "polls": 0, "violations": [], "seconds": 0,
        "said": "gave up: AccessDenied",
    }  # fmt: skip
    assert (closed["exit"], closed["calls"], len(closed["spacing"]), closed["recovered"]) == (0, 3, 1, True)
    assert closed["spacing"][0] >= 0.02
    assert closed["said"] == "a line of its own"
    assert last["calls"] == 3


def test_a_client_that_ignores_the_error_shows_by_what_it_assumed(contract):
    ran = contract("AccessDenied", "--operation", "StartExecution", client=("1", "careless", "describe"))
    assert " recovered " in ran.out
    assert "StartExecution AccessDenied: violation: success assumed\n" in ran.out


def test_another_call_than_the_first_can_be_struck(contract):
    ran = contract("InternalServerError", "--nth", "2", "--format", "json")
    assert [(case["seen"], case["recovered"], case["calls"]) for case in cases(ran.out)] == [(False, False, 1)]


def test_the_fixtures_own_faults_do_not_come_before(contract):
    with Path("f.yaml").open("a") as file:
        file.write("faults: [{when: {operation: '*', call: 1}, error: InternalServerError}]\n")
    (case,) = cases(contract("AccessDenied", "--format", "json").out)
    assert case["said"] == "gave up: AccessDenied"


def test_after_its_time_a_case_ends_and_says_so(cfmock, folder):
    client = "import http.client, os; c = http.client.HTTPConnection(os.environ['CFMOCK_ENDPOINT']); "
    client += "c.request('POST', '/?Version=2019-03-15&Action=StartExecution&FlowName=f'); c.getresponse().read()"
    words = ("--timeout", "3s", "--code", "hang", "--format", "json")  # the clean run, too, has no longer
    ran = cfmock("contract", "f.yaml", *words, "--", *PYTHON, "-c", client)
    (case,) = cases(ran.out)
    assert ran.code == 0
    assert (case["timed_out"], case["exit"], case["recovered"], case["seen"]) == (True, 143, False, True)
    assert 3 <= case["seconds"] < 40


def test_only_operations_that_are_tried_are_named(contract):
    ran = contract("AccessDenied", "--operation", "DescribeExecution", client=("1", "describe"))
    assert ran.err == "cfmock contract: 1 case of DescribeExecution\n"


def test_jobs_run_at_the_same_time_and_no_more_of_them(contract, folder):
    with Path("client.py").open("a") as file:
        file.write(MEETING)
    ran = contract("InternalServerError ResourceThrottled reset close", "--jobs", "2", "--format", "json")
    most = [int(case["said"]) for case in cases(ran.out)]
    assert len(most) == 4
    assert max(most) == 2


MEETING = """
if not os.path.exists("here"):
    os.mkdir("here")  # the clean run, which is alone
    sys.exit()
mine, most = f"here/{os.getpid()}", 0
open(mine, "w").close()
for _ in range(6000):
    most = max(most, sum(name != "met" for name in os.listdir("here")))
    if most > 1:
        open("here/met", "w").close()
    if os.path.exists("here/met"):
        break
    time.sleep(0.01)
time.sleep(0.1)  # for a third one to come, if any may
print(max(most, sum(name != "met" for name in os.listdir("here"))))
os.remove(mine)
"""
"""Goes on in a client: the first to run with another waits for it; prints how many there were at a time."""


# -- nothing to go by --------------------------------------------------------------------------------------------------


def test_a_clean_run_that_fails_is_told_with_what_it_wrote(cfmock):
    client = "import sys; print('to stdout'); sys.exit('no such thing')"
    ran = cfmock("contract", "f.yaml", "--", *PYTHON, "-c", client)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "cfmock contract: without any fault CMD ended with status 1; it wrote:\n  to stdout\n  no such thing\n"
    )


def test_a_client_may_succeed_with_another_status_than_0(contract):
    ran = contract("AccessDenied ResourceThrottled", "--ok-exit", "3", "--ok-exit", "4", client=("3", "odd"))
    assert [line.split()[2:4] for line in ran.out.splitlines()[1:3]] == [["failed", "1"], ["recovered", "3"]]
    refused = contract("AccessDenied", client=("3", "odd"))
    assert refused.code == 1
    assert "ended with status 3 (where that is its success, give --ok-exit 3); it wrote:" in refused.err
    assert contract("AccessDenied", "--ok-exit", "3").code == 1, "then 0 is none"


def test_a_clean_run_that_does_not_end_fails(cfmock):
    ran = cfmock("contract", "--timeout", "200ms", "--", *PYTHON, "-c", "import time; time.sleep(60)")
    assert ran.code == 1
    assert "CMD was ended after" in ran.err


def test_a_command_that_calls_nothing_fails(cfmock):
    ran = cfmock("contract", "f.yaml", "--", "true")
    assert ran.code == 1
    assert ran.err.startswith("cfmock contract: CMD made no calls")


def test_violations_of_a_clean_run_fail_it_when_strict(contract):
    Path("client.py").write_text(CLIENT.replace("&ExecutionName=e1", "&ExecutionName=e1&Colour=red"))
    ran = contract("AccessDenied", "--strict")
    assert ran.code == 1
    assert "1 violation" in ran.err
    assert contract("AccessDenied").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--", "no-such-command"], "cfmock contract: no command 'no-such-command'\n"),
        (["--", "/etc"], "cfmock contract: cannot run '/etc': Permission denied\n"),
        (["--code", "rest", "--", "true"], "(did you mean 'reset'?)"),
        (["--operation", "ListFlow", "--", "true"], "there is no operation 'ListFlow' (did you mean 'ListFlows'?)\n"),
        (["--timeout", "soon", "--", "true"], "--timeout: 'soon' is not a duration"),
        (["--timeout", "0", "--", "true"], "--timeout: it must be more than zero\n"),
        (["--nth", "0", "--", "true"], "0 is not in the range"),
        (["--update", "--", "true"], "--update goes with --expect FILE"),
        (["--expect", "a.json", "--", "true"], "--expect: there is no a.json; --update"),
        (["--expect", ".", "--", "true"], "--expect: cannot read .: Is a directory\n"),
        (["--output", "none/such", "--", "true"], "--output: cannot write none/such\n"),
        (["--port", "8791", "--jobs", "2", "--", "true"], "--port 8791 needs --jobs 1"),
        (["--proxy", "--tls", "--", "true"], "--proxy cannot be used with TLS"),
        (["gone.yaml", "--", "true"], "gone.yaml: no such file or folder"),
        ([], "no command: put it after --"),
        (["true"], "no command: put it after --"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_bad_usage_is_told_before_anything_runs(cfmock, words, said):
    ran = cfmock("contract", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_what_the_client_does_not_use_cannot_be_tried(contract):
    ran = contract("AccessDenied", "--operation", "ListFlows")
    assert (ran.code, ran.err) == (1, "--operation: CMD does not call ListFlows; it calls StartExecution\n")
    ran = contract("ScheduleNotExists")
    assert (ran.code, ran.err) == (2, "--code: StartExecution documents none of ScheduleNotExists\n")


# -- the accepted matrix, and the other forms --------------------------------------------------------------------------


def test_a_matrix_is_accepted_and_then_held(contract):
    ran = contract("AccessDenied ResourceThrottled", "--expect", "a.json", "--update")
    assert (ran.code, ran.err.splitlines()[1:]) == (0, ["cfmock contract: accepted, in a.json"])
    accepted = Path("a.json").read_text()
    assert "said" not in accepted
    ran = contract("AccessDenied ResourceThrottled", "--expect", "a.json")
    assert (ran.code, ran.err.splitlines()[1:]) == (0, [])
    assert ran.out.endswith("2 cases: 1 recovered, 1 failed; none not as accepted\n")

    ran = contract("AccessDenied ResourceThrottled", "--expect", "a.json", "--format", "junit", client=("1",))
    change = "StartExecution ResourceThrottled: recovered -> failed, exit 0 -> 1, calls 2 -> 1, retries 1 -> 0"
    assert (ran.code, ran.err.splitlines()[1:]) == (1, [change])
    (suite,) = ElementTree.fromstring(ran.out)
    assert dict(suite.attrib, name="") == {"name": "", "tests": "2", "failures": "1", "errors": "0", "skipped": "0"}
    assert [failure.get("message") for failure in suite.iter("failure")] == [change]
    assert Path("a.json").read_text() == accepted


def test_a_malformed_accepted_matrix_is_told_by_its_place(contract):
    Path("a.json").write_text('{"cases": [\n{"operation": "StartExecution"}]}')
    ran = contract("AccessDenied", "--expect", "a.json")
    assert ran.code == 2
    assert ran.err.splitlines()[0] == "a.json:2:1: cases[0]: 'calls' is missing"


@pytest.mark.parametrize("form", ["table", "json", "junit", "html"])
def test_a_report_can_go_to_a_file(contract, form):
    ran = contract("AccessDenied", "--format", form, "--output", "report")
    assert (ran.code, ran.out) == (0, "")
    assert "AccessDenied" in Path("report").read_text()


def test_a_report_for_the_file_named_like_stdout_goes_there(contract):
    ran = contract("AccessDenied", "--format", "json", "--output", "-")
    assert [case["code"] for case in json.loads(ran.out)["cases"]] == ["AccessDenied"]
    assert not Path("-").exists()


# -- the process -------------------------------------------------------------------------------------------------------


def test_an_interrupt_leaves_nothing_behind(folder):
    waits = "import os, sys, time; print(os.getpid(), file=open(f'pids/{os.getpid()}', 'w')); time.sleep(60)"
    with Path("client.py").open("a") as file:
        file.write(f"\nif os.path.exists('pids'):\n    exec({waits!r})\nelse:\n    os.mkdir('pids')\n")
    command = [
        sys.executable,
        "-m",
        "cfmock",
        "contract",
        "f.yaml",
        "--code",
        "reset",
        "--code",
        "close",
        "--jobs",
        "2",
    ]
    process = subprocess.Popen(
        [*command, "--", *PYTHON, "client.py", "2"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    until(lambda: Path("pids").exists() and len([*Path("pids").iterdir()]) == 2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out, err.splitlines()[1:]) == (130, "", [])
    for pid in map(int, (path.name for path in Path("pids").iterdir())):
        until(lambda pid=pid: gone(pid))


def test_the_client_gets_what_run_gives(folder):
    Path("f.yaml").write_text(
        Path("f.yaml").read_text() + "credentials: [{access_key_id: ak, access_key_secret: sk}]\n"
    )
    script = "import json, os, urllib.request as u; open('env', 'w').write(json.dumps(dict(os.environ)))"
    script += "; u.urlopen('http://cn-hangzhou.fnf.aliyuncs.com/?Version=2019-03-15&Action=ListFlows')"
    ran = run_process("contract", "f.yaml", "--proxy", "--code", "AccessDenied", "--", sys.executable, "-c", script)
    assert ran.returncode == 0, ran.stderr
    variables = json.loads(Path("env").read_text())
    assert variables["HTTP_PROXY"] == variables["FNF_ENDPOINT"] == f"http://{variables['CFMOCK_ENDPOINT']}"
    assert variables["ALIBABA_CLOUD_ACCESS_KEY_ID"] == "ak"
    assert ran.stdout.splitlines()[1].split()[:3] == ["ListFlows", "AccessDenied", "failed"]


WORKER = '''
"""Answers as told by the case's name; the number of the case in this process goes before what it says."""
import http.client, json, os, sys, time

for number, line in enumerate(sys.stdin, 1):
    case = json.loads(line)["case"]
    connection = http.client.HTTPConnection(os.environ["CFMOCK_ENDPOINT"], timeout=2)
    connection.request("POST", "/?Version=2019-03-15&Action=StartExecution&FlowName=f&ExecutionName=e1")
    answer = connection.getresponse()
    fields = json.loads(answer.read())
    print("a line of its own,", '{"not": "an answer"}', flush=True)
    if "MissingRequiredParams" in case:
        sys.exit("gone")
    if "AccessDenied" in case:
        time.sleep(60)
    print(json.dumps({"exit": 0 if answer.status == 200 else 3, "said": f"{number} {fields.get('Code')}"}), flush=True)
'''


def test_a_worker_is_started_once_and_again_where_it_ends_or_is_silent(cfmock):
    Path("worker.py").write_text(WORKER)
    codes = [
        "InvalidArgument",
        "MissingRequiredParams",
        "InternalServerError",
        "AccessDenied",
        "FlowNotExists",
        "ResourceThrottled",
    ]
    words = [word for code in codes for word in ("--code", code)]
    done = cfmock(
        "contract", "f.yaml", *words, "--timeout", "1s", "--format", "json", "--worker", "--", *PYTHON, "worker.py"
    )
    assert done.code == 0, done.err
    found = {case["code"]: (case["exit"], case["timed_out"], case["calls"], case["said"]) for case in cases(done.out)}
    assert found == {
        "InvalidArgument": (3, False, 1, "2 InvalidArgument"),  # the first was the run without a fault
        "MissingRequiredParams": (1, False, 1, "gone"),
        "InternalServerError": (3, False, 1, "1 InternalServerError"),
        "AccessDenied": (143, True, 1, 'a line of its own, {"not": "an answer"}'),
        "FlowNotExists": (3, False, 1, "1 FlowNotExists"),
        "ResourceThrottled": (3, False, 1, "2 ResourceThrottled"),
    }


def test_several_workers_share_the_cases(cfmock, folder):
    Path("worker.py").write_text(WORKER)
    words = ["--code", "FlowNotExists", "--code", "ResourceThrottled", "--code", "EntityTooLarge"]
    done = cfmock(
        "contract", "f.yaml", *words, "--jobs", "2", "--format", "json", "--worker", "--", *PYTHON, "worker.py"
    )
    assert [(case["exit"], case["calls"]) for case in cases(done.out)] == [(3, 1)] * 3, done.err


def test_a_worker_that_answers_nothing_fails_without_a_fault(cfmock, folder):
    done = cfmock("contract", "f.yaml", "--worker", "--", *PYTHON, "-c", "print('bye')")
    assert (done.code, done.out) == (1, "")
    assert done.err == "cfmock contract: without any fault CMD ended with status 1; it wrote:\n  bye\n"


def test_no_worker_is_left_when_the_matrix_is_done(cfmock, folder):
    Path("worker.py").write_text(WORKER.replace("case = json", "open('pid', 'w').write(str(os.getpid())); case = json"))
    done = cfmock("contract", "f.yaml", "--code", "FlowNotExists", "--worker", "--", *PYTHON, "worker.py")
    assert done.code == 0, done.err
    assert gone(int(Path("pid").read_text()))


def test_the_report_is_shown_in_the_console_of_a_running_server(contract, monkeypatch):
    with CloudFlow(admin_token="t") as shown:
        refused = contract("FlowNotExists", "--show", shown.url)
        assert (refused.code, refused.out) == (2, "")
        assert "--show: " in refused.err
        monkeypatch.setenv("CFMOCK_ADMIN_TOKEN", "t")
        done = contract("FlowNotExists", "--show", shown.url, "--format", "json")
        assert done.code == 0, done.err
        kept = client.ask(shown.url, "contract", token="t")[1]["contract"]
    assert kept["cases"] == cases(done.out)
    assert kept["command"].endswith("client.py 3")


def test_where_no_server_is_to_show_the_report_nothing_is_run(contract):
    done = contract("FlowNotExists", "--show", "http://127.0.0.1:1")
    assert (done.code, done.out) == (2, "")
    assert "no answer from http://127.0.0.1:1" in done.err
