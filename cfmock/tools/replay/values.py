"""Compares data of the service with ours: where they differ first, and what differs by nature."""

from __future__ import annotations

import re
from itertools import zip_longest

from msgspec import Struct

from cfmock.base.json_text import Json, json_value
from cfmock.engine.identity import read_token

_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


class ValueDifference(Struct, frozen=True):
    """The first place where two values differ: a path such as `total` or `items[2].id`, and what stands there.

    `cloud` or `cfmock` is `MISSING` where nothing does.
    """

    path: str
    cloud: Json
    cfmock: Json


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


MISSING = _Absent()


def value_difference(cloud: Json, own: Json, name: str = "", path: str = "") -> ValueDifference | None:
    """The first difference of two JSON values, None for none. `name` stands for the name of the execution, if that is unknown.

    Numbers are equal by value, the JSON text of an object or a list is as good as that; task tokens and UUIDs, which are never
    the same twice, are equal to any other such.
    """
    if isinstance(cloud, dict) and isinstance(own, dict):
        keys = [*own, *(key for key in cloud if key not in own)]
        parts = [(f"{path}.{key}" if path else key, cloud.get(key, MISSING), own.get(key, MISSING)) for key in keys]
    elif isinstance(cloud, list) and isinstance(own, list):
        pairs = enumerate(zip_longest(cloud, own, fillvalue=MISSING))
        parts = [(f"{path}[{index}]", there, here) for index, (there, here) in pairs]
    elif isinstance(cloud, str) and isinstance(own, dict | list) and cloud[:1] in ("{", "["):
        try:
            return value_difference(json_value(cloud), own, name, path)
        except (ValueError, RecursionError):
            return ValueDifference(path, cloud, own)
    else:
        return None if _equal(cloud, own, name) else ValueDifference(path, cloud, own)
    return next(filter(None, (value_difference(there, here, name, at) for at, there, here in parts)), None)


def _equal(cloud: Json, own: Json, name: str) -> bool:
    if not isinstance(own, str) or not isinstance(cloud, str):
        return isinstance(cloud, bool) == isinstance(own, bool) and bool(cloud == own)
    if cloud == own or (_UUID.fullmatch(cloud) and _UUID.fullmatch(own)):
        return True
    if read_token(own) is not None and read_token(cloud) is not None:
        return True
    pattern = ".+".join(map(re.escape, own.split(name))) if name and name in own else ""  # ours with another name in it
    return bool(pattern) and re.fullmatch(pattern, cloud, re.DOTALL) is not None
