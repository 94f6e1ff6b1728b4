"""The plugin, seen from an inner pytest run."""

from __future__ import annotations

import functools
import importlib
import os
import pkgutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

import cfmock
from cfmock.base.proxies import proxy_variables
from cfmock.pytest_plugin import reports, servers, setups
from tests.support.processes import environment

pytest_plugins = ["pytester"]

FIXTURE = """\
cfmock: 1
flows:
  - name: order_flow
    outcomes: [{output: {from: file}}]
"""


UNNEEDED = ("-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:hypothesispytest")
"""To load Hypothesis takes longer than all else in an inner run."""

HERE = ("-o", "asyncio_default_fixture_loop_scope=function")
"""What pytest-asyncio warns of, to whom the outer run listens."""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with a fixture file and pytest runs in processes of their own."""
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    pytester.path.joinpath("orders.yaml").write_text(FIXTURE)
    return pytester


def run(inner: pytest.Pytester, *words: str) -> pytest.RunResult:
    return inner.runpytest_subprocess(*UNNEEDED, *PLUGIN, *words)


@functools.lru_cache
def _import_all() -> None:
    """Import what the plugin imports when it needs it: modules that an inner run is the first to import are forgotten after it,
    and would be there twice."""
    for module in pkgutil.walk_packages(cfmock.__path__, "cfmock."):
        if not module.name.startswith(("cfmock.__", "cfmock.cli")):
            importlib.import_module(module.name)


def run_here(inner: pytest.Pytester, *words: str) -> pytest.RunResult:
    """The same in this process, which takes a tenth of the time; for tests that leave nothing behind."""
    _import_all()
    return inner.runpytest_inprocess(*UNNEEDED, *HERE, *PLUGIN, *words)


def installed() -> bool:
    from importlib.metadata import entry_points

    return any(point.name == "cfmock" for point in entry_points(group="pytest11"))


PLUGIN = () if installed() else ("-p", "cfmock.pytest_plugin")
"""From a checkout that is not installed, as a packager would run these tests, the plugin is named."""


def test_each_test_has_a_service_of_its_own(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", [1, 2])
        def test_start(cfmock, number):
            cfmock.load({"cfmock": 1, "flows": [{"name": "f"}]})
            cfmock.call("StartExecution", FlowName="f", ExecutionName="same")
            assert len(cfmock.executions("f")) == 1
        """
    )
    run(inner).assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({}, []),
        ({"NO_PROXY": "*", "HTTP_PROXY": ""}, []),
        (
            {"all_proxy": "http://proxy.example:1", "HTTP_PROXY": "http://proxy.example:1", "NO_PROXY": "*"},
            ["cfmock: unset HTTP_PROXY, all_proxy: SDKs send even calls to 127.0.0.1 there and ignore NO_PROXY"],
        ),
        (
            {"CFMOCK_URL": "x", "CFMOCK_PROT": "1"},
            ["cfmock: CFMOCK_PROT: there is no such variable (did you mean 'CFMOCK_PORT'?)"],
        ),
    ],
)
def test_the_header_names_proxies_and_misspelt_variables_of_the_environment(
    inner, monkeypatch, variables, line
) -> None:
    for name in proxy_variables(os.environ):
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    inner.makepyfile("def test_nothing(): pass")
    assert [each for each in run(inner).outlines if each.startswith("cfmock: ")] == line


def test_a_failed_test_without_calls_is_shown_the_proxy_that_they_may_have_gone_to(inner, monkeypatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:1")
    inner.makepyfile(
        """
        def test_none(cfmock):
            raise AssertionError

        def test_one(cfmock):
            cfmock.call("ListFlows")
            raise AssertionError
        """
    )
    lines = [line for line in run(inner, "-q").outlines if not line.startswith("cfmock: ")]
    shown = [n for n, line in enumerate(lines) if "unset" in line and "HTTP_PROXY" in line]
    assert len(shown) == 1
    assert lines[shown[0] - 1] == "none"


def test_the_marker_names_files_beside_the_test_and_settings(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.cfmock(clock="virtual", now="2024-06-01T00:00:00Z")

        @pytest.mark.cfmock("orders.yaml")
        def test_output(cfmock):
            assert cfmock.run("order_flow").output == {"from": "file"}
            assert cfmock.clock.now.year == 2024

        @pytest.mark.cfmock("orders.yaml", {"cfmock": 1, "flows": [{"name": "second"}]})
        def test_mapping(cfmock):
            assert [flow["Name"] for flow in cfmock.call("ListFlows")["Flows"]] == ["order_flow", "second"]
        """
    )
    run(inner).assert_outcomes(passed=2)


def test_the_ini_option_names_files_for_every_test_and_the_session(inner: pytest.Pytester) -> None:
    inner.makeini("[pytest]\ncfmock_fixtures = orders.yaml")
    inner.makepyfile(
        """
        def test_own(cfmock):
            assert cfmock.run("order_flow").output == {"from": "file"}

        def test_shared(cfmock_session):
            cfmock_session.call("StartExecution", FlowName="order_flow", ExecutionName="e")

        def test_still_there(cfmock_session):
            assert cfmock_session.executions("order_flow")[0].name == "e"
        """
    )
    run(inner).assert_outcomes(passed=3)


def test_a_marker_may_replace_a_flow_of_the_ini_option_but_not_name_it_twice(inner: pytest.Pytester) -> None:
    inner.makeini("[pytest]\ncfmock_fixtures = orders.yaml")
    with inner.path.joinpath("orders.yaml").open("a") as more:
        more.write("faults: [{when: {operation: ListFlows}, error: AccessDenied, times: 1}]\n")
    inner.makepyfile(
        """
        import pytest
        from cfmock import ServiceError

        def mine(output):
            return {"cfmock": 1, "flows": [{"name": "order_flow", "outcomes": [{"output": output}]}]}

        @pytest.mark.cfmock(mine({"from": "marker"}))
        def test_replaced(cfmock):
            assert cfmock.run("order_flow").output == {"from": "marker"}

        @pytest.mark.cfmock("orders.yaml")
        def test_the_very_same_file_is_loaded_once(cfmock):
            assert cfmock.run("order_flow").output == {"from": "file"}
            with pytest.raises(ServiceError):
                cfmock.call("ListFlows")
            cfmock.call("ListFlows")

        @pytest.mark.cfmock(mine({}), mine({"two": 2}))
        def test_twice(cfmock):
            pass
        """
    )
    result = run(inner)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*flow 'order_flow' is there already*"])


def test_mistakes_in_files_settings_and_markers_are_told_without_our_own_code(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        test_marker="""
        import pytest

        @pytest.mark.cfmock_errors("StratExecution")
        def test_client(cfmock):
            pass
        """,
        test_empty="""
        import pytest

        @pytest.mark.cfmock_errors()
        def test_client(cfmock):
            pass
        """,
        test_setting="""
        import pytest

        @pytest.mark.cfmock("gone.yaml", clock="virtul")
        def test_file(cfmock):
            pass

        @pytest.mark.cfmock(clock="virtul")
        def test_setting(cfmock):
            pass

        def test_no_case(cfmock_error):
            pass
        """,
    )
    result = run(inner, "--continue-on-collection-errors")
    result.assert_outcomes(errors=5)
    said = result.stdout.str()
    assert "test_client: cfmock_errors() missing 1 required positional argument: 'operation'" in said
    assert "gone.yaml: no such file or folder" in said
    assert "clock: 'virtul' is not one of real, virtual (did you mean 'virtual'?)" in said
    assert "no operation 'StratExecution' (did you mean 'StartExecution'?)" in said
    assert "needs @pytest.mark.cfmock_errors" in said
    assert "def " not in said
    assert "During handling" not in said


def test_each_documented_error_of_an_operation_is_a_case(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import pytest
        from cfmock import ServiceError

        @pytest.mark.cfmock_errors("StartExecution", times=1)
        def test_client(cfmock, cfmock_error):
            with pytest.raises(ServiceError) as caught:
                cfmock.call("StartExecution", FlowName="nope")
            answered = caught.value
            assert (answered.code, answered.status) == (cfmock_error.code, cfmock_error.status)
            assert answered.message == cfmock_error.message
            with pytest.raises(ServiceError, match="FlowNotExists"):
                cfmock.call("StartExecution", FlowName="nope")

        @pytest.mark.cfmock_errors("ListFlows")
        def test_without_asking_for_the_case(cfmock):
            for _ in range(2):
                with pytest.raises(ServiceError):
                    cfmock.call("ListFlows")
        """
    )
    result = run(inner, "-v")
    result.assert_outcomes(passed=15 + 12)
    result.stdout.fnmatch_lines(["*test_client?StartExecution-ResourceThrottled? PASSED*"])


def test_each_broken_connection_is_a_case_where_it_is_asked_for(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        test_client="""
        import pytest
        from cfmock import ServiceError

        @pytest.mark.cfmock_errors("ListFlows", times=1, transports=True)
        def test_client(cfmock, cfmock_error):
            broken = cfmock_error.transport not in (None, "slow")
            if cfmock_error.transport is not None:
                assert (cfmock_error.code, cfmock_error.status, cfmock_error.message) == (None, None, None)
                assert repr(cfmock_error) == f"<ListFlows: connection: {cfmock_error.transport}>"
            if broken:
                with pytest.raises(ConnectionError, match=cfmock_error.transport):
                    cfmock.call("ListFlows")
            elif cfmock_error.code is not None:
                with pytest.raises(ServiceError, match=cfmock_error.code):
                    cfmock.call("ListFlows")
            else:
                cfmock.call("ListFlows")
            assert cfmock_error.fault.hits == 1
            cfmock.call("ListFlows")
        """,
        test_misspelt="""
        import pytest

        @pytest.mark.cfmock_errors("ListFlows", transport=True)
        def test_misspelt(cfmock):
            pass
        """,
    )
    result = run(inner, "-v", "--continue-on-collection-errors")
    result.assert_outcomes(passed=12 + 6, errors=1)
    result.stdout.fnmatch_lines(["*test_client?ListFlows-reset? PASSED*"])
    assert "unexpected keyword argument 'transport'" in result.stdout.str()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("['ListFlows', 'DescribeFlow']", ": ['ListFlows', 'DescribeFlow'] is not the name of an operation"),
        ("'ListFlows', times=0", ": times: 0 is not a whole number from 1"),
        ("'ListFlows', times='2'", ": times: '2' is not a whole number from 1"),
        ("'ListFlows', 1, times=2", "() got multiple values for argument 'times'"),
    ],
)
def test_wrong_arguments_of_cfmock_errors_are_told_when_tests_are_collected(arguments, said) -> None:
    marker = eval(f"pytest.mark.cfmock_errors({arguments})")
    with pytest.raises(pytest.Collector.CollectError) as caught:
        servers._cases(SimpleNamespace(definition=SimpleNamespace(nodeid="t.py::test_t")), marker.mark)
    assert str(caught.value).startswith(f"t.py::test_t: cfmock_errors{said}")


def test_a_failed_test_shows_the_calls_the_server_saw(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        def test_fails(cfmock):
            try:
                cfmock.call("DescribeFlow", Name="nope", Nmae="x")
            except Exception:
                pass
            assert False
        """
    )
    run(inner).stdout.fnmatch_lines(
        ["*calls seen by cfmock*", "DescribeFlow(Name=nope, Nmae=x) -> 404 FlowNotExists", "*no parameter 'Nmae'*"]
    )


def test_a_test_that_is_interrupted_shows_what_it_waited_for(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import pytest

        @pytest.mark.cfmock(clock="virtual", now="2024-06-01T00:00:00Z")
        def test_hangs(cfmock):
            cfmock.load({"cfmock": 1, "flows": [{"name": "f", "outcomes": [{"after": "30s"}]}]})
            cfmock.call("StartExecution", FlowName="f", ExecutionName="e")
            for _ in range(20):
                cfmock.call("DescribeExecution", FlowName="f", ExecutionName="e")
            raise KeyboardInterrupt
        """
    )
    run(inner, "-q").stdout.fnmatch_lines(
        [
            "*calls seen by cfmock*",
            "*warning: f/e waits until 2024-06-01T00:00:30.000Z and the virtual clock stands still at *",
            "*executions seen by cfmock*",
            "    waits until 2024-06-01T00:00:30.000Z: the virtual clock stands still until cfmock.clock.advance('30s')",
        ]
    )


def test_a_report_that_cannot_be_made_ends_no_session(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong where a report is made: it is told with the report, and the next test runs."""

    def broken(*given: object) -> None:
        raise TypeError("sequence item 0: expected str instance, int found")

    monkeypatch.setattr(reports, "seen", broken)
    monkeypatch.setattr(setups, "summary", broken)
    inner.makepyfile("def test_fails(cfmock): assert False\n\ndef test_next(cfmock): pass")
    result = run_here(inner)
    result.assert_outcomes(passed=1, failed=1)
    said = result.stdout.str()
    assert "INTERNALERROR" not in said
    assert said.count("cfmock could not show all it saw") == 2
    assert "TypeError: sequence item 0: expected str instance, int found" in said


FLOW = """
Type: StateMachine
Name: order
SpecVersion: v1
StartAt: Charge
States:
  - {Type: Task, Name: Charge, Action: "FC:InvokeFunction", Parameters: {resourceArn: r}, Next: Ship}
  - {Type: Pass, Name: Ship, End: true}
"""


def test_a_failed_test_shows_how_its_runs_went(inner: pytest.Pytester) -> None:
    inner.path.joinpath("order.fdl.yaml").write_text(FLOW)
    inner.makepyfile(
        """
        import pytest

        @pytest.mark.cfmock("order.fdl.yaml", clock="virtual")
        def test_fails(cfmock):
            cfmock.task("order", "Charge").returns({})
            cfmock.run("order", name="o1")
            cfmock.reset()
            cfmock.task("order", "Charge").fails("Refused", "no money", times=1).returns({})
            cfmock.run("order", name="o2")
            cfmock.reset()
            cfmock.task("order", "Charge").fails("Refused", "no money")
            cfmock.run("order", name="o3")
            cfmock.task("order", "Charge").returns({})
            assert cfmock.run("order", name="o4").status == "Succeeded"
        """
    )
    said = run(inner).stdout.str()
    assert "- executions seen by cfmock -" in said
    assert "order, o3: Failed, Refused: no money\n    path: Charge\norder, o4: Failed" in said
    assert "order, o1" not in said


def test_executions_of_the_session_are_shown_with_the_test_that_made_them(inner: pytest.Pytester) -> None:
    inner.makeini("[pytest]\ncfmock_fixtures = orders.yaml")
    inner.makepyfile(
        """
        def test_before(cfmock_session):
            cfmock_session.run("order_flow", name="before")
            cfmock_session.outcome("order_flow", status="Failed")
            cfmock_session.run("order_flow", name="bad-before")

        def test_without(cfmock_session):
            assert False

        def test_fails(cfmock_session):
            cfmock_session.call("StartExecution", FlowName="order_flow", ExecutionName="mine")
            assert False
        """
    )
    said = run_here(inner).stdout.str()
    assert said.count("executions seen by cfmock_session") == 1
    assert (
        "order_flow, mine: Failed, FnF.Failed\n    path: no state runs, outcome 1 of flow 'order_flow' decides\n"
        in said
    )
    assert "before" not in said.partition("executions seen")[2]


def test_calls_of_the_session_are_shown_with_the_test_that_made_them(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import pytest

        def test_before(cfmock_session):
            cfmock_session.call("ListFlows")

        @pytest.fixture
        def broken(cfmock_session):
            cfmock_session.call("DescribeRegions", Bogus=1)
            assert False

        def test_setup(broken):
            pass

        def test_fails(cfmock_session):
            cfmock_session.call("ListFlows", Limit=1)
            assert False
        """
    )
    result = run(inner, "-o", "cfmock_strict=1")
    result.assert_outcomes(passed=1, failed=1, errors=1)
    said = result.stdout.str()
    assert said.count("1 violation: ") == 1  # told with the setup that broke
    assert said.count("calls seen by cfmock_session") == 2
    assert "ListFlows() -> 200" not in said
    assert said.count("ListFlows(Limit=1) -> 200") == said.count("DescribeRegions(Bogus=1) -> 200") == 1


def test_violations_in_a_session_fail_the_test_that_made_them(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        def test_wrong(cfmock_session):
            cfmock_session.call("ListFlows", Bogus=1)

        def test_right(cfmock_session):
            pass
        """
    )
    result = run(inner, "-v", "-o", "cfmock_strict=1")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*test_wrong FAILED*", "*test_right PASSED*", "1 violation: *"])


def test_a_failed_test_shows_what_nearly_matched_and_the_tasks_without_a_mock(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        TASK = "{Type: StateMachine, SpecVersion: v1, Name: f, StartAt: A, States: [" \\
            "{Type: Task, Name: A, Action: 'FC:InvokeFunction', Parameters: {resourceArn: r}, End: true}]}"

        def test_fails(cfmock):
            cfmock.load({"cfmock": 1, "flows": [{"name": "f", "definition": TASK}]})
            cfmock.fault(when={"flow": "g"}, transport="reset", name="cut")
            cfmock.call("DescribeFlow", Name="f")
            cfmock.call("StartExecution", FlowName="f")
            assert False
        """
    )
    run(inner).stdout.fnmatch_lines(
        [
            "DescribeFlow(Name=f) -> 200",
            "    hint: fault cut nearly matched: when.flow: expected 'g', got 'f'",
            "    warning: flow 'f': no mock for the task 'A' (FC:InvokeFunction); it succeeded with {}",
        ]
    )


def test_a_failed_test_says_that_its_marker_is_missing(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import pytest

        def test_none(cfmock):
            cfmock.call("StartExecution", FlowName="f")

        @pytest.mark.cfmock({"cfmock": 1})
        def test_empty(cfmock):
            cfmock.call("StartExecution", FlowName="f")
        """
    )
    run(inner).stdout.fnmatch_lines(
        [
            "StartExecution(FlowName=f) -> 404 FlowNotExists",
            "    hint: * has no flows in region 'cn-hangzhou': the test has no @pytest.mark.cfmock('FIXTURE')",
            "    hint: * has no flows in region 'cn-hangzhou': no fixture that was loaded defines one there",
        ]
    )


def test_violations_fail_a_test_where_the_ini_option_or_the_marker_says_so(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import pytest

        def test_ini(cfmock):
            cfmock.call("ListFlows", Limits=1)

        @pytest.mark.cfmock(strict=False)
        def test_marker(cfmock):
            cfmock.call("ListFlows", Limits=1)

        def test_good(cfmock):
            cfmock.call("ListFlows", Limit=1)

        @pytest.fixture
        def client(cfmock):
            yield
            cfmock.call("ListFlows", Limits=1)

        def test_late(client):
            pass

        def test_that_fails(cfmock):
            cfmock.call("ListFlows", Limits=1)
            assert False

        def test_that_fails_after_a_reset(cfmock):
            cfmock.call("ListFlows", Limits=1)
            cfmock.reset()
            cfmock.call("ListFlows", Limits=1)
            assert False

        @pytest.mark.cfmock(strict="maybe")
        def test_marked_wrong(cfmock):
            pass
        """
    )
    inner.makeini("[pytest]\ncfmock_strict = true")
    result = run_here(inner, "-rfE")
    result.assert_outcomes(failed=3, passed=3, errors=2)
    result.stdout.fnmatch_lines(
        ["*1 violation: *", "ListFlows (*): ListFlows has no parameter 'Limits'*", "*really: *"]
    )
    said = result.stdout.str()
    assert said.count("\n1 violation: ") == 4
    assert "cfmock/pytest_plugin" not in said
    assert "strict: 'maybe' is neither True nor False" in said


def test_a_wrong_word_of_an_ini_option_is_one_line(inner: pytest.Pytester) -> None:
    inner.makepyfile("def test_nothing(): pass")
    for word, line in (
        ("cfmock_strict=maybe", "cfmock_strict: invalid truth value 'maybe'; it is true or false"),
        ("cfmock_unused=eror", "cfmock_unused: 'eror' is not one of error, warn, ignore (did you mean 'error'?)"),
        ("cfmock_checks=shwo", "cfmock_checks: 'shwo' is not one of ignore, show, error (did you mean 'show'?)"),
    ):
        result = run_here(inner, "-o", word)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert result.stderr.str().strip() == f"ERROR: {line}"


def test_it_works_with_async_tests_of_both_plugins_and_with_xdist(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        test_asyncio="""
        import pytest
        from cfmock import CloudFlow

        @pytest.mark.asyncio
        async def test_asyncio(cfmock):
            await cfmock.call_async("ListFlows")
            assert len(await cfmock.wait_for_calls_async("ListFlows")) == 1

        @pytest.mark.asyncio
        async def test_own_loop():
            async with CloudFlow("orders.yaml") as cf:
                assert (await cf.run_async("order_flow")).output == {"from": "file"}
        """,
        test_aiohttp="""
        import aiohttp

        async def test_aiohttp(cfmock):
            async with aiohttp.ClientSession() as session:
                async with session.get(cfmock.url) as answer:
                    assert (await answer.json())["Code"] == "MissingRequiredParams"
        """,
    )
    inner.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function")
    run(inner, "-n", "2").assert_outcomes(passed=3)


def test_it_can_be_switched_off(inner: pytest.Pytester) -> None:
    inner.makepyfile("def test_nothing(cfmock):\n    pass")
    result = inner.runpytest_subprocess("-p", "no:cfmock", *UNNEEDED)
    result.assert_outcomes(errors=1)


def test_being_loaded_imports_no_server() -> None:
    heavy = ("aiohttp", "yaml", "click", "rich")
    script = f"import sys, cfmock, cfmock.pytest_plugin; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment())
    assert done.stdout == "[]\n"
