"""The public API as type checkers see it: what they accept and refuse, and that its types are those of the tables."""

from __future__ import annotations

import inspect
import json
import re
import runpy
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

import cfmock
from cfmock.api import keywords, setups
from cfmock.fixtures import editor_schema
from cfmock.observe.call_ring import FIELDS
from cfmock.observe.retries import Backoff
from cfmock.protocol.faults.catalogue import TRANSPORTS, TransportFault
from cfmock.protocol.spec import names
from cfmock.protocol.spec.model import load
from cfmock.protocol.wire.messages import Transport
from cfmock.settings import SETTINGS, Settings, resolve

HERE = Path(__file__).parent
SCHEMA = json.loads(Path(editor_schema.__file__).with_name("fixture.schema.json").read_bytes())["definitions"]


def test_mypy_accepts_ordinary_use_and_refuses_each_wrong_use() -> None:
    api = pytest.importorskip("mypy.api", reason="mypy is not installed")
    accepted, refused = HERE / "accepted.py", HERE / "refused.py"
    said, trouble, _ = api.run(
        [f"--config-file={HERE / 'mypy.ini'}", "--no-incremental", "--cache-dir=/dev/null", str(accepted), str(refused)]
    )
    assert trouble == ""
    errors = re.findall(r"(\w+\.py):(\d+): error:", said)
    wrong = [
        (refused.name, str(number))
        for number, line in enumerate(refused.read_text(encoding="utf-8").splitlines(), 1)
        if "# refused" in line
    ]
    assert sorted(errors) == sorted(wrong), said


def test_what_is_accepted_runs() -> None:
    runpy.run_path(str(HERE / "accepted.py"))["use"]()


def keys(kind: type) -> set[str]:
    """The keys of a TypedDict, those of its bases too."""
    return set(kind.__annotations__) | {key for base in kind.__mro__ for key in getattr(base, "__annotations__", ())}


def test_names_are_those_of_the_tables() -> None:
    spec = load()
    hint = "run `make tables`"
    assert get_args(names.ErrorCode) == tuple(spec.errors), hint
    assert get_args(names.ExecutionStatus) == spec.execution_statuses, hint
    assert keys(names.CallParameters) == {name for each in spec.operations.values() for name in each.parameters}, hint
    assert get_args(TransportFault) == tuple(TRANSPORTS)
    assert {*get_args(TransportFault), "left", "whole"} == {each.value for each in Transport}


def test_keywords_of_calls_are_the_fields_and_parameters() -> None:
    assert keys(keywords.CallFilters) == {*FIELDS, *keys(names.CallParameters)} - {"operation"}


def test_keywords_of_settings_are_those_of_the_table() -> None:
    named = {"host", "port"}  # parameters of their own
    assert keys(keywords.SettingKeywords) == {row.name for row in SETTINGS.values() if not row.command} - named
    table, types = get_type_hints(Settings), get_type_hints(keywords.SettingKeywords)
    choices = {name for name, kind in table.items() if get_origin(kind) is Literal} & types.keys()
    assert {name: get_args(types[name]) for name in choices} == {name: get_args(table[name]) for name in choices}
    for name in choices:
        for word in get_args(types[name]):
            assert getattr(resolve({name: word}, {}, {}, keywords=True), name) == word


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (keywords.OutcomeKeywords, SCHEMA["outcome"]),
        (keywords.OutcomeWhen, SCHEMA["outcome"]["properties"]["when"]),
        (keywords.Polls, SCHEMA["outcome"]["properties"]["after"]),
        (keywords.ExecutionError, SCHEMA["error"]),
        (keywords.FaultKeywords, SCHEMA["fault"]),
        (keywords.FaultWhen, SCHEMA["fault"]["properties"]["when"]),
        (keywords.CustomErrorKeywords, SCHEMA["fault"]["properties"]["custom_error"]),
        (keywords.RateLimitKeywords, SCHEMA["fault"]["properties"]["rate_limit"]),
    ],
)
def test_keywords_are_those_of_fixtures(kind: type, schema: Mapping[str, Any]) -> None:
    assert keys(kind) == set(schema["properties"])
    optional = {key for key, text in kind.__annotations__.items() if "NotRequired" in str(text)}
    if optional or kind.__total__:  # type: ignore[attr-defined]
        assert keys(kind) - optional == set(schema["required"])


def test_delays_are_those_of_fixtures() -> None:
    kinds = (keywords.FixedDelay, keywords.UniformDelay, keywords.LognormalDelay)
    schema = SCHEMA["fault"]["properties"]["delay"]["properties"]
    assert set().union(*map(keys, kinds)) == set(schema)
    found = [get_args(get_type_hints(kind)["distribution"])[0] for kind in kinds]
    assert found == schema["distribution"]["enum"]


def test_words_of_few_are_those_that_are_taken() -> None:
    for word in get_args(setups.Unused):
        assert setups.unused_mode(word) == word
    with cfmock.CloudFlow() as cf:
        for backoff in get_args(Backoff):
            assert cf.assert_retries("ListFlows", max=0, backoff=backoff) == []


def public_functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in cfmock.__all__:
        for key, member in vars(found).items() if inspect.isclass(found := getattr(cfmock, name)) else ():
            function = member.fget if isinstance(member, property) else member
            if inspect.isfunction(function) and (key == "__init__" or key[0] != "_"):
                yield f"{name}.{key}", function


def test_no_public_signature_has_any() -> None:
    vague = [
        (name, part, kind)
        for name, function in public_functions()
        for part, kind in function.__annotations__.items()
        if re.search(r"\bAny\b", str(kind))
    ]
    assert vague == []
