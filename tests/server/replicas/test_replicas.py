"""Several replicas on a real PostgreSQL: each call is answered by the one whose world it is about."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any

import pytest

from cfmock.base.errors import ServiceError
from cfmock.server.replicas import replica as replica_module
from tests.crash_replicas import Way
from tests.support.postgres import Cluster
from tests.support.replicas import TOKEN, Member, replica, replicas
from tests.support.signing import now
from tests.support.waiting import PATIENCE

WAITS = """\
Type: StateMachine
SpecVersion: v1
Name: waits
StartAt: A
States:
  - {Type: Wait, Name: A, Seconds: 1, Next: B}
  - {Type: Pass, Name: B, End: true}
"""
TASK = """\
Type: StateMachine
SpecVersion: v1
Name: task
StartAt: A
States:
  - {Type: Task, Name: A, Action: "FC:InvokeFunction", End: true}
"""
CALLBACK = TASK.replace("task", "callback").replace("End: true", "TaskMode: WaitForCustomCallback, End: true")
LONG = WAITS.replace("waits", "long").replace("Seconds: 1", "Seconds: 300")
FIXTURE = {
    "cfmock": 1,
    "flows": [
        {"name": "echo"},
        *({"name": text.splitlines()[2][6:], "definition": text} for text in (CALLBACK, LONG, TASK, WAITS)),
    ],
}
NAMES = ("callback", "echo", "long", "task", "waits")


Run = Callable[[Callable[[list[Member]], Awaitable[None]]], None]


@pytest.fixture
def run(postgres: Cluster) -> Run:
    def run(test: Callable[[list[Member]], Awaitable[None]], count: int = 3) -> None:
        async def begun() -> None:
            async with replicas(postgres.url(postgres.database()), count, FIXTURE) as members:
                await test(members)

        asyncio.run(begun())

    return run


async def until(holds: Callable[[], Awaitable[Any]]) -> Any:
    """What comes of it, once it is true and raises no ServiceError. Raises asyncio.TimeoutError."""

    async def found() -> Any:
        while True:
            with contextlib.suppress(ServiceError):
                if result := await holds():
                    return result
            await asyncio.sleep(0.02)

    return await asyncio.wait_for(found(), PATIENCE)


def test_any_replica_answers_for_all_worlds(run: Run) -> None:
    async def test(members: list[Member]) -> None:
        one, two, three = members
        await two.call("StartExecution", FlowName="echo", ExecutionName="e", Input='{"a": 1}')
        looks = [await each.call("DescribeExecution", FlowName="echo", ExecutionName="e") for each in members]
        assert len({(look["StartedTime"], look["Input"]) for look in looks}) == 1
        assert [len(each.owned) for each in members] == [1, 0, 0]
        await three.call("StartExecution", "cn-shanghai", FlowName="echo", ExecutionName="e")
        assert three.owned == {("", "cn-shanghai")}
        assert (await one.call("DescribeExecution", "cn-shanghai", FlowName="echo", ExecutionName="e"))["Name"] == "e"
        with pytest.raises(ServiceError, match="ExecutionNotExists"):
            await one.call("DescribeExecution", "cn-shanghai", FlowName="echo", ExecutionName="other")

    run(test)


def test_one_name_is_started_once(run: Run) -> None:
    async def test(members: list[Member]) -> None:
        starts = [each.call("StartExecution", FlowName="long", ExecutionName="e") for each in members * 3]
        done = await asyncio.gather(*starts)
        assert len({each["StartedTime"] for each in done}) == 1
        listed = await members[2].call("ListExecutions", FlowName="long")
        assert [each["Name"] for each in listed["Executions"]] == ["e"]

    run(test)


def test_another_takes_the_worlds_of_an_owner_that_is_gone(run: Run, postgres: Cluster) -> None:
    async def test(members: list[Member]) -> None:
        one, two, _ = members
        await two.call("StartExecution", FlowName="waits", ExecutionName="e")
        before = await two.call("GetExecutionHistory", FlowName="waits", ExecutionName="e")
        one.end_session(postgres)

        async def ended() -> bool:
            return (await two.call("DescribeExecution", FlowName="waits", ExecutionName="e"))["Status"] == "Succeeded"

        await until(ended)
        after = await until(lambda: one.call("GetExecutionHistory", FlowName="waits", ExecutionName="e"))
        assert after["Events"][: len(before["Events"])] == before["Events"]
        assert [each["EventId"] for each in after["Events"]] == list(range(1, len(after["Events"]) + 1))

    run(test)


def test_what_is_added_anywhere_holds_everywhere(run: Run) -> None:
    async def test(members: list[Member]) -> None:
        one, two, three = members
        await two.call("ListFlows", "cn-shanghai")
        fault = await three.admin("POST", "faults", {"when": {"operation": "ListFlows"}, "error": "AccessDenied"})
        for region in (None, "cn-shanghai"):
            for each in members:
                with pytest.raises(ServiceError, match="AccessDenied"):
                    await each.call("ListFlows", region)
        (listed,) = (await two.admin("GET", "faults"))["faults"]
        assert (listed["id"], listed["hits"]) == (fault["id"], 6)
        await two.admin("POST", "mocks", {"flow": "task", "task": "A", "mocks": [{"returns": {"a": 1}}]})
        await three.admin("POST", "outcomes", {"flow": "echo", "status": "Failed"})

        async def ends(member: Member, region: str) -> list[str]:
            for flow in ("task", "echo"):
                await member.call("StartExecution", region, FlowName=flow, ExecutionName="e")
            task, echo = [
                await member.call("DescribeExecution", region, FlowName=flow, ExecutionName="e")
                for flow in ("task", "echo")
            ]
            return [task["Output"], echo["Status"]]

        for each, region in ((one, "cn-hangzhou"), (two, "cn-shanghai"), (three, "cn-shenzhen")):
            assert await ends(each, region) == ['{"a":1}', "Failed"]
        async with replica(one.session.url, FIXTURE) as four:
            with pytest.raises(ServiceError, match="AccessDenied"):
                await four.call("ListFlows", "cn-beijing")
            assert four.owned == {("", "cn-beijing")}
            assert await ends(four, "cn-beijing") == ['{"a":1}', "Failed"]
            assert await two.admin("DELETE", f"faults/{fault['id']}") == {}
            for region in (None, "cn-shanghai", "cn-beijing"):
                assert (await four.call("ListFlows", region))["Flows"]
        assert (await one.admin("DELETE", f"faults/{fault['id']}"))[0] == 404

    run(test)


def test_a_fault_that_is_removed_anywhere_is_gone_everywhere_and_for_good(postgres: Cluster) -> None:
    async def refused(member: Member, region: str) -> bool:
        async def code() -> str:
            try:
                await member.call("ListFlows", region)
            except ServiceError as error:
                if error.code == "InternalServerError":
                    raise
                return error.code
            return "none"

        return bool(await until(code) == "AccessDenied")

    async def taken(by: Member, of: Member, *regions: str) -> None:
        """Have the worlds of one member taken by the other: a member that has lost its session may be the first to come back."""
        for region in regions:
            for _ in range(20):
                if ("", region) in by.owned:
                    break
                of.end_session(postgres)
                await until(lambda region=region: by.call("DescribeFlow", region, Name="echo"))
            assert ("", region) in by.owned

    async def test() -> None:
        denied = {"when": {"operation": "ListFlows"}, "error": "AccessDenied"}
        given = {**FIXTURE, "faults": [denied]}
        url = postgres.url(postgres.database())
        async with replicas(url, 2, given) as (one, two):
            assert await refused(two, "cn-shanghai")
            (fault,) = (await one.admin("GET", "faults"))["faults"]
            assert await two.admin("DELETE", f"faults/{fault['id']}") == {}
            added = [await two.admin("POST", "faults", denied | {"name": name}) for name in "ab"]
            assert await two.admin("DELETE", f"faults/{added[0]['id']}?region=cn-shanghai") == {}
            assert await one.admin("DELETE", f"faults/{added[1]['id']}") == {}
            assert [await refused(two, region) for region in ("cn-shanghai", "cn-beijing")] == [False, True]
            await taken(two, one, "cn-hangzhou")
            assert [await refused(two, region) for region in ("cn-shanghai", "cn-hangzhou")] == [False, True]
            await until(lambda: one.call("DescribeFlow", "cn-shenzhen", Name="echo"))
            assert await refused(one, "cn-shenzhen")
            await taken(one, two, "cn-shanghai")
            assert [await refused(one, region) for region in ("cn-shanghai", "cn-hangzhou")] == [False, True]
            assert await one.admin("DELETE", "faults") == {}
            async with replica(url, given) as later:
                assert not await refused(later, "cn-qingdao")

    asyncio.run(test())


def test_lists_are_those_of_all_replicas(run: Run) -> None:
    async def test(members: list[Member]) -> None:
        one, two, three = members
        for number in range(7):
            region = ("cn-hangzhou", "cn-shanghai", "cn-beijing")[number % 3]
            await members[number % 3].call("StartExecution", region, FlowName="waits", ExecutionName=f"e{number}")
        assert [len(each.owned) for each in members] == [1, 1, 1]
        names: list[str] = []
        after = ""
        while True:
            page = await two.admin("GET", f"executions?limit=3{after}")
            names += [each["name"] for each in page["executions"]]
            if "next" not in page:
                break
            after = f"&after={page['next']}"
        assert names == [f"e{number}" for number in reversed(range(7))]
        flows = await three.admin("GET", "flows?limit=9")
        rest = await three.admin("GET", f"flows?limit=9&after={flows['next']}")
        found = [(each["name"], each["region"]) for each in (*flows["flows"], *rest["flows"])]
        assert found == sorted((name, region) for name in NAMES for _, region in
                               (key for each in members for key in each.owned))  # fmt: skip
        assert "next" not in rest
        calls = (await one.admin("GET", "calls?operation=StartExecution"))["calls"]
        assert [call["parameters"]["ExecutionName"] for call in calls] == [f"e{number}" for number in range(7)]
        whole = await three.admin("GET", f"calls/{calls[0]['request_id']}")
        assert whole["parameters"]["ExecutionName"] == "e0"
        assert (await two.admin("GET", "calls?limit=2&wait=1ms&count=99"))["calls"] == calls[-2:]
        figures = await two.admin("GET", "metrics")
        assert 'cfmock_stored{kind="flows"} 15.0' in figures
        shown = await one.admin("GET", "executions/waits/e1?region=cn-shanghai")
        assert shown["name"] == "e1"
        assert (await one.admin("GET", "executions/waits/e1"))[0] == 404

    run(test)


def test_what_one_replica_knows_of_calls_and_tasks_any_tells(run: Run) -> None:
    async def test(members: list[Member]) -> None:
        one, two, three = members
        regions = {"": one, "cn-shanghai": two}
        for region, each in regions.items():
            given = {"FlowName": "callback", "ExecutionName": "e", "Bogus": "1"}
            await each.call("StartExecution", region, **given)
            with pytest.raises(ServiceError, match="ExecutionNotExists"):
                await each.call("DescribeExecution", region, FlowName="callback", ExecutionName="other")
            with pytest.raises(ServiceError, match="SignatureNotMatch"):
                await each.call("ListFlows", region, secret="wrong")
        fault = {"when": {"operation": "DescribeFlow"}, "error": "InternalServerError", "times": 1}
        await three.admin("POST", "faults", fault)
        for region, each in regions.items():
            with pytest.raises(ServiceError, match="InternalServerError"):
                await each.call("DescribeFlow", region, Name="echo")
            await each.call("DescribeFlow", region, Name="echo")
        assert not three.owned
        for each in members:
            for name, wanted in (("violations", 2), ("retries", 2), ("tasks", 2), ("faults", 1)):
                found = (await each.admin("GET", name))[name]
                assert len(found) == wanted, name
            (refused, _) = (await each.admin("GET", "calls?code=SignatureNotMatch"))["calls"]
            assert (await each.admin("GET", f"signature/{refused['request_id']}"))["string_to_sign"]
        (task, _) = (await three.admin("GET", "tasks?region=cn-shanghai"))["tasks"] + [None]
        assert await three.admin("POST", f"tasks/{task['token']}?region=cn-shanghai", {"succeed": {"a": 1}}) == {}
        assert [each["region"] for each in (await one.admin("GET", "tasks"))["tasks"]] == ["cn-hangzhou"]
        assert await one.admin("DELETE", "calls") == {}
        for each in members:
            assert (await each.admin("GET", "calls"))["calls"] == []
            assert (await each.admin("GET", "health"))["status"] == "ok"

    run(test)


def test_the_last_contract_is_shown_by_all(run: Run) -> None:
    async def test(members: list[Member]) -> None:
        case = {"operation": "ListFlows", "code": "AccessDenied", "exit": 0, "calls": 1, "spacing": [],
                "recovered": False, "seen": True}  # fmt: skip
        for number, each in enumerate(members):
            await each.admin("POST", "contract", {"command": str(number), "cases": [case]})
            for other in members:
                assert (await other.admin("GET", "contract"))["contract"]["command"] == str(number)
        await members[0].admin("POST", "reset")
        assert (await members[1].admin("GET", "contract"))["contract"] is None

    run(test, 2)


def test_the_console_of_any_replica_shows_all(run: Run) -> None:
    """What a browser asks for that has opened it."""

    async def test(members: list[Member]) -> None:
        one, two, three = members
        await one.call("StartExecution", FlowName="long", ExecutionName="here")
        await two.call("StartExecution", "cn-shanghai", FlowName="callback", ExecutionName="there")
        page = await three.admin("GET", "")
        app = await three.admin("GET", "console/app.js")
        files = re.findall(r'(?:href|src)="/_cfmock/(console/[^"]+)"', page)
        files += [f"console/{name}" for name in re.findall(r'from "./([^"]+)"', app)]
        assert len(files) > 8
        for file in files:
            assert await three.admin("GET", file) == await one.admin("GET", file) != ""
        listed = (await three.admin("GET", "executions"))["executions"]
        assert {each["name"] for each in listed} == {"here", "there"}
        for each in listed:
            place = f"executions/{each['flow']}/{each['name']}"
            world = f"account={each['account']}&region={each['region']}"
            shown = await three.admin("GET", f"{place}?{world}")
            assert (shown["name"], shown["status"]) == (each["name"], "Running")
            assert (await three.admin("GET", f"{place}/history?{world}"))["events"][0]["EventId"] == 1
            assert "<svg" in await three.admin("GET", f"{place}/graph.svg?{world}")
            assert "<svg" in await three.admin("GET", f"flows/{each['flow']}/graph.svg?{world}&coverage=true")
        ended = await three.admin("POST", "executions/callback/there/stop?region=cn-shanghai", {})
        assert ended["status"] == "Stopped"
        assert (await one.admin("GET", "executions?status=Stopped"))["executions"][0]["name"] == "there"
        started = await three.admin("POST", "executions?region=cn-shanghai", {"flow": "echo", "name": "new"})
        assert started["region"] == "cn-shanghai"
        assert not three.owned

    run(test)


def test_reset_is_of_all_worlds(run: Run) -> None:
    async def test(members: list[Member]) -> None:
        one, two, three = members
        await two.call("StartExecution", "cn-shanghai", FlowName="echo", ExecutionName="e")
        await one.call("DeleteFlow", Name="waits")
        assert await three.admin("POST", "reset") == {}
        assert (await one.admin("GET", "executions"))["executions"] == []
        assert {each["Name"] for each in (await two.call("ListFlows"))["Flows"]} == {*NAMES}

    run(test)


def test_who_handed_a_call_on_breaks_its_answer_as_a_fault_says(run: Run) -> None:
    async def test(members: list[Member]) -> None:
        one, two = members
        await one.admin("POST", "faults", {"when": {"operation": "ListFlows"}, "transport": "reset", "times": 1})
        with pytest.raises(Exception, match=r"(?i)reset|closed|disconnected|aborted"):
            await two.call("ListFlows")
        assert (await two.call("ListFlows"))["Flows"]

    run(test, 2)


def test_a_long_poll_is_handed_on(run: Run) -> None:
    async def test(members: list[Member]) -> None:
        one, two = members
        await one.call("StartExecution", FlowName="waits", ExecutionName="e")
        found = await two.call("DescribeExecution", FlowName="waits", ExecutionName="e", WaitTimeSeconds=20)
        assert found["Status"] == "Succeeded"

    run(test, 2)


def test_the_token_is_seen_by_no_client(run: Run) -> None:
    """A client that signs the header by which replicas know one another is not told what they put there."""

    async def test(members: list[Member]) -> None:
        one, two = members
        await one.call("ListFlows")
        headers = {
            "x-acs-action": "ListFlows", "x-acs-version": "2019-03-15", "x-acs-date": now(),
            "x-acs-signature-nonce": "n", "x-acs-content-sha256": sha256(b"").hexdigest(),
            "authorization": "ACS3-HMAC-SHA256 Credential=cfmock,SignedHeaders=host;x-cfmock-replica,Signature=" + "0" * 64,
        }  # fmt: skip
        with contextlib.suppress(urllib.error.HTTPError):
            await asyncio.to_thread(urllib.request.urlopen, urllib.request.Request(two.server.url, b"", headers))
        (call,) = (await two.admin("GET", "calls?code=SignatureNotMatch"))["calls"]
        signed = await two.admin("GET", f"signature/{call['request_id']}")
        assert "x-cfmock-replica" in signed["canonical_request"]
        assert TOKEN not in json.dumps([signed, await two.admin("GET", "calls")])

    run(test, 2)


def test_changes_are_those_of_all_replicas(run: Run) -> None:
    async def test(members: list[Member]) -> None:
        one, two = members

        def first() -> str:
            with urllib.request.urlopen(f"{one.server.url}/_cfmock/changes", timeout=PATIENCE) as stream:
                return next(each["id"] for each in map(json.loads, stream) if each["kind"] == "execution")

        reading = asyncio.create_task(asyncio.to_thread(first))
        while not reading.done():  # what happens before the stream begins is not told
            await two.call("StartExecution", "cn-shanghai", FlowName="echo")
        assert two.owned
        assert re.fullmatch(r"echo/.+\?account=&region=cn-shanghai", await reading)

    run(test, 2)


def test_only_who_knows_the_token_is_a_replica(run: Run) -> None:
    async def test(members: list[Member]) -> None:
        one, two = members
        await one.call("ListFlows")
        for token, status in (("wrong", 200), (TOKEN, 421)):
            found = await two.admin("GET", "flows/echo", **{"x-cfmock-replica": token})
            assert (found[0] if isinstance(found, tuple) else 200) == status
        assert (await two.admin("POST", "replica/additions", {}))[0] == 404

    run(test, 2)


def test_who_finds_an_entry_of_another_owner_is_no_owner(run: Run, postgres: Cluster) -> None:
    async def test(members: list[Member]) -> None:
        (one,) = members
        await one.call("StartExecution", FlowName="long", ExecutionName="before")
        with postgres.connect(one.database) as connection:
            connection.execute("INSERT INTO cfmock.recordings SELECT world, serial + 1, 1, '' FROM cfmock.executions")
            with pytest.raises(ServiceError, match="InternalServerError"):
                await one.call("StartExecution", FlowName="long", ExecutionName="e")
            assert not one.owned
            connection.execute("DELETE FROM cfmock.recordings WHERE entry = ''")
        await until(lambda: one.call("StartExecution", FlowName="long", ExecutionName="e"))
        listed = await one.call("ListExecutions", FlowName="long")
        assert [each["Name"] for each in listed["Executions"]] == ["e", "before"]

    run(test, 1)


def test_a_world_that_cannot_be_read_answers_nothing_and_keeps_no_other_from_going_on(postgres: Cluster) -> None:
    async def test() -> None:
        database = postgres.database()
        async with replica(postgres.url(database), FIXTURE) as other:
            async with replica(postgres.url(database), FIXTURE) as owner:
                await other.call("ListFlows")
                for region in ("cn-beijing", "cn-shanghai"):
                    await owner.call("StartExecution", region, FlowName="long", ExecutionName="e")
                with postgres.connect(database) as connection:
                    connection.execute("UPDATE cfmock.rows SET value = '-' || value WHERE world = '/cn-beijing'")
            await until(lambda: _is(("", "cn-shanghai") in other.owned))
            for _ in range(2):
                with pytest.raises(ServiceError, match="InternalServerError"):
                    await other.call("DescribeFlow", "cn-beijing", Name="long")
            with postgres.connect(database) as connection:
                connection.execute("UPDATE cfmock.rows SET value = substr(value, 2) WHERE world = '/cn-beijing'")
            found = await other.call("DescribeExecution", "cn-beijing", FlowName="long", ExecutionName="e")
            assert found["Status"] == "Running"

    asyncio.run(test())


async def _is(what: bool) -> bool:
    return what


def test_a_lock_of_ones_own_that_another_session_holds_makes_a_call_wait(run: Run, postgres: Cluster) -> None:
    async def test(members: list[Member]) -> None:
        (one,) = members
        key = "/cn-shanghai"
        with postgres.connect(one.database) as connection:
            connection.execute("INSERT INTO cfmock.owners VALUES (%s, %s)", [key, one.session.address])
            connection.execute("SELECT pg_advisory_lock(hashtextextended('cfmock/' || %s, 0))", [key])
            call = asyncio.create_task(one.call("StartExecution", key[1:], FlowName="long", ExecutionName="e"))
            await asyncio.sleep(1)
            assert not call.done()
        assert (await call)["Name"] == "e"

    run(test, 1)


def test_who_waits_in_vain_for_a_world_says_for_whom(
    run: Run, postgres: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(replica_module, "PATIENCE", 0.3)

    async def test(members: list[Member]) -> None:
        (one,) = members
        with postgres.connect(one.database) as connection:
            connection.execute("SELECT pg_advisory_lock(hashtextextended('cfmock/' || %s, 0))", ["/cn-shanghai"])
            with pytest.raises(ServiceError, match="InternalServerError"):
                await one.call("ListFlows", "cn-shanghai")
            status, text = await one.admin("GET", "flows/echo?region=cn-shanghai")
        assert status == 500
        said = r"session \d+ \(no application_name, user cfmock\)"
        assert re.fullmatch(f"region cn-shanghai waits for {said}", json.loads(text)["error"])
        waited = [each.getMessage() for each in caplog.records if "waited" in each.getMessage()]
        assert re.fullmatch(f"region cn-shanghai waited 0.3 seconds for {said}", waited[0])

    run(test, 1)


def test_a_request_to_all_says_who_does_not_answer_in_time(
    run: Run, postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica_module, "PATIENCE", 0.5)
    monkeypatch.setattr(replica_module, "PART_WITHIN", 2 * PATIENCE)  # which one replica may take for its part

    async def test(members: list[Member]) -> None:
        (one,) = members
        with socket.create_server(("127.0.0.1", 0)) as silent, postgres.connect(one.database) as connection:
            gone = f"127.0.0.1:{silent.getsockname()[1]}"
            connection.execute(
                "INSERT INTO cfmock.replicas SELECT %s, pid, backend_start FROM pg_stat_activity"
                " WHERE pid = pg_backend_pid()",
                [gone],
            )
            status, text = await asyncio.wait_for(one.admin("GET", "flows"), PATIENCE)
        assert (status, json.loads(text)) == (500, {"error": f"replica {gone} does not answer"})

    run(test, 1)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system has no such option")
def test_a_connection_to_a_replica_that_cannot_be_reached_any_more_ends(run: Run) -> None:
    async def test(members: list[Member]) -> None:
        one, two = members
        await two.call("StartExecution", FlowName="echo", ExecutionName="e")
        replica = two.server.replica
        assert replica is not None
        lines: Any = replica.lines
        (line,) = lines._idle[one.session.address]
        own = line._writer.get_extra_info("socket")
        assert own.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 3000

    run(test, 2)


def test_an_owner_that_is_cut_off_answers_nothing(postgres: Cluster) -> None:
    async def test() -> None:
        way, database = Way(postgres.port), postgres.database()
        async with (
            replica(postgres.url(database, way.port), FIXTURE) as former,
            replica(postgres.url(database), FIXTURE) as other,
        ):
            late = {"flow": "echo", "after": "60s"}
            await former.admin("POST", "outcomes", late)
            await former.call("StartExecution", FlowName="echo", ExecutionName="e")
            way.open.clear()
            look = asyncio.create_task(former.call("DescribeExecution", FlowName="echo", ExecutionName="e"))
            await until(lambda: other.call("StopExecution", FlowName="echo", ExecutionName="e"))
            with pytest.raises(ServiceError, match="InternalServerError"):
                await look
            assert not former.owned
            assert (await former.admin("GET", "health"))[0] == 500
            way.open.set()
            found = await until(lambda: former.call("DescribeExecution", FlowName="echo", ExecutionName="e"))
            assert found["Status"] == "Stopped"
            await former.call("StartExecution", "cn-shanghai", FlowName="echo", ExecutionName="e")
            assert former.owned == {("", "cn-shanghai")}
            assert (await former.admin("GET", "health"))["status"] == "ok"
        way.close()

    asyncio.run(test())
