"""Faults in fixtures that are for no flow, or no key, that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from cfmock.tools.checks.report import Selection, check

HEAD = "cfmock: 1\nflows: [{name: shop}, {name: other}]\n"
KEYS = "credentials: [{access_key_id: reader, access_key_secret: s}, {bearer_token: t}]\n"
DELAY = "delay: 1s"

FOUND = {
    "a flow": (
        "when: {operation: StartExecution, flow: shpo}",
        "3:37: CF121: there is no flow 'shpo' (did you mean 'shop'?)",
    ),
    "a glob": ("when: {flow: 'order_*'}", "3:10: CF121: there is no flow 'order_*'"),
    "a list": ("when: {flow: [x, oter]}", "3:10: CF121: there is no flow 'x or oter' (did you mean 'other'?)"),
    "a key": ("when: {access_key_id: cfmok}", "3:10: CF121: there is no key 'cfmok' (did you mean 'cfmock'?)"),
}


def findings(folder: Path, *lines: str, head: str = HEAD) -> list[str]:
    path = folder / "f.yaml"
    path.write_text(head + "".join(f"{line}\n" for line in lines))
    report = check([str(path)], Selection())
    assert not report.mistaken or "wrong" in head
    return [issue.text.removeprefix(f"{path}:") for issue in report.issues if issue.code is not None]


@pytest.mark.parametrize("name", FOUND)
def test_a_fault_for_what_there_is_not(name: str, tmp_path: Path) -> None:
    when, finding = FOUND[name]
    line, _, rest = finding.partition(":")
    column, _, words = rest.partition(":")
    place = f"{line}:{len('faults: [{') + int(column) - 2}:{words}"
    assert findings(tmp_path, f"faults: [{{{when}, {DELAY}}}]") == [place]
    assert findings(tmp_path, f"faults: [{{{when}, {DELAY}}}] # cfmock: ignore CF121") == []


@pytest.mark.parametrize(
    "when",
    ["flow: shop", "flow: 'sh*'", "flow: '*'", "flow: [x, shop]", "operation: ListFlows", "access_key_id: cfmock",
     "access_key_id: 'STS.*'", "access_key_id: [x, cfmock]"],
)  # fmt: skip
def test_a_fault_that_may_strike(when: str, tmp_path: Path) -> None:
    assert findings(tmp_path, f"faults: [{{when: {{{when}}}, {DELAY}}}]") == []


def test_the_keys_are_those_of_the_fixtures_unless_any_is_let_in(tmp_path: Path) -> None:
    faults = "faults: [{when: {access_key_id: cfmock}, delay: 1s}, {when: {access_key_id: reader}, delay: 1s}]"
    assert findings(tmp_path, faults, head=HEAD + KEYS) == ["4:18: CF121: there is no key 'cfmock'"]
    assert findings(tmp_path, faults, "settings: {auth: off}", head=HEAD + KEYS) == []


def test_a_flow_with_a_mistake_is_there_all_the_same(tmp_path: Path) -> None:
    wrong = "cfmock: 1\nflows: [{name: shop, definition: {wrong: 1}}]\n"
    assert findings(tmp_path, "faults: [{when: {flow: shop}, delay: 1s}]", head=wrong) == []
