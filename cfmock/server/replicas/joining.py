"""How the answers of several replicas to one request of the admin API make one."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cfmock.control.part import PAGE
from cfmock.server.replicas.lines import PeerAnswer

Given = Mapping[str, Any]
"""The arguments of a request."""

Join = Callable[[Sequence[Any], Given], Any]
"""Makes one answer of those of the replicas, all of which succeeded."""

FOLLOWED = frozenset(("add_fault", "add_outcome", "add_mocks", "load", "remove_fault", "clear_faults"))
"""What the owner of the default world does, for all to follow."""

EVERYWHERE = frozenset(("reset", "clear_calls"))
"""What all replicas do."""


def _sorted(key: str, by: str) -> Join:
    return lambda parts, given: {key: _in_order(parts, key, by)}


def _in_order(parts: Sequence[Any], key: str, by: str) -> list[Any]:
    return sorted(chain.from_iterable(part[key] for part in parts), key=lambda each: each[by] or "")


def _first(parts: Sequence[Any], given: Given) -> Any:
    return parts[0]


def _faults(parts: Sequence[Any], given: Given) -> Any:
    merged: dict[str, Any] = {}
    for fault in chain.from_iterable(part["faults"] for part in parts):
        row = merged.setdefault(fault["id"], {**fault, "hits": 0})
        row["hits"] += fault["hits"]
    return {"faults": list(merged.values())}


def _calls(parts: Sequence[Any], given: Given) -> Any:
    calls, limit, after = _in_order(parts, "calls", "time"), given.get("limit"), given.get("after")
    if after is not None:
        there = [call["request_id"] for call in calls]
        calls = calls[: there.index(after)] if after in there else []
    newest = calls if limit is None else calls[max(0, len(calls) - limit) :]
    return {
        "calls": newest,
        "dropped": sum(part["dropped"] for part in parts),
        "warnings": _in_order(parts, "warnings", "time"),
        **({"next": newest[0]["request_id"]} if newest and len(newest) < len(calls) else {}),
    }


def _flows(parts: Sequence[Any], given: Given) -> Any:
    def place(flow: Any) -> tuple[str, str, str]:
        return flow["name"], flow["region"], flow["account"]

    limit = given.get("limit", PAGE)
    flows = sorted(chain.from_iterable(part["flows"] for part in parts), key=place)
    more = len(flows) > limit or any("next" in part for part in parts)
    return {"flows": flows[:limit], **({"next": "/".join(place(flows[:limit][-1]))} if more else {})}


def _executions(parts: Sequence[Any], given: Given) -> Any:
    limit = given.get("limit", PAGE)
    pages = [list(zip(part["places"], part["executions"], strict=True)) for part in parts]
    found = list(heapq.merge(*pages, key=lambda pair: _moment(pair[0]), reverse=True))
    more = len(found) > limit or any("next" in part for part in parts)
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part["counts"])
    answer = {
        "executions": [each for _, each in found[:limit]],
        "counts": counts,
        "waiting": sum(part["waiting"] for part in parts),
        "dropped": sum(part["dropped"] for part in parts),
    }
    return {**answer, "next": found[:limit][-1][0]} if more and found else answer


def _contract(parts: Sequence[Any], given: Given) -> Any:
    return max(parts, key=lambda part: (part["contract"] or {"time": ""})["time"])


def _moment(place: str) -> tuple[int, int, list[str]]:
    started, serial, *where = place.split(".", 3)
    return int(started), int(serial), where


def _metrics(parts: Sequence[str], given: Given) -> str:
    """The sums of all figures; of a delay the longest."""
    values: dict[str, float] = {}
    lines: dict[str, None] = {}
    for line in chain.from_iterable(part.splitlines() for part in parts):
        name, _, value = line.rpartition(" ")
        if line.startswith("#"):
            lines[line] = None
            continue
        lines[name] = None
        one = max if "delay" in name else lambda *pair: sum(pair)
        values[name] = one(values.get(name, 0.0), float(value))
    return "".join(f"{line} {values[line]!r}\n" if line in values else f"{line}\n" for line in lines)


JOINS: Mapping[str, Join] = {
    "list_faults": _faults,
    "list_calls": _calls,
    "show_call": _first,
    "show_contract": _contract,
    "show_signature": _first,
    "list_violations": _sorted("violations", "time"),
    "list_retries": lambda parts, given: {"retries": [each for part in parts for each in part["retries"]]},
    "list_tasks": _sorted("tasks", "since"),
    "list_flows": _flows,
    "list_executions": _executions,
    "read_metrics": _metrics,
    **dict.fromkeys(EVERYWHERE, _first),
}
"""The endpoints that go to all replicas."""


def joined(name: str, answers: Sequence[PeerAnswer], given: Given) -> tuple[int, Any]:
    """Status and content of the answer that those of all replicas make; it fails where all have failed."""
    whole = [answer for answer in answers if answer.status == 200]
    if not whole:
        return answers[0].status, json.loads(answers[0].body)
    text = name == "read_metrics"
    return 200, JOINS[name]([each.body.decode() if text else json.loads(each.body) for each in whole], given)


def query_of_part(name: str, query: str) -> str:
    """The query for each replica: of calls it answers all, at once, as the others have those in between."""
    if name != "list_calls":
        return query
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([pair for pair in pairs if pair[0] not in ("wait", "count", "limit", "after")])
