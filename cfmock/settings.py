"""The settings of a server: one value, read from flags over environment over fixtures over defaults.

The fields of `Settings` are the table: each carries its default, how its text is read, the option that sets it, and
what the help says. The command line, `CloudFlow(**settings)`, the environment and the fixtures' `settings` go by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct

from cfmock.base.errors import InvalidValue, SettingsError
from cfmock.base.origins import Origin
from cfmock.base.problems import NOT_ONE_OF, Mistake
from cfmock.base.readers import one_of
from cfmock.base.suggestions import did_you_mean, likely, shown
from cfmock.base.time_text import parse_duration, parse_time

Read = Callable[[Any], Any]
"""From text or a value of the right kind to the setting's value. Raises InvalidValue saying what would be right."""


_PREFIX = "CFMOCK_"


class Setting(Struct, frozen=True):
    """One row: `option` is its flag on the command line (None: it has none), `form` what the flag takes (None: it is a
    switch), `fixture` whether the `settings` of a fixture may hold it, `command` whether only commands have it, `many` whether
    the flag may be given more than once."""

    name: str
    default: Any
    read: Read
    help: str
    option: str | None = None
    form: str | None = None
    fixture: bool = False
    command: bool = False
    many: bool = False

    @property
    def variable(self) -> str:
        return _PREFIX + self.name.upper()


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidValue.of("{} is not a text", shown(value))
    return value


def _path(value: Any) -> str:
    return _text(value.__fspath__() if hasattr(value, "__fspath__") else value)


def _token(value: Any) -> str:
    # What a header can carry. The token itself is not repeated: mistakes are printed.
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]+", value):
        raise InvalidValue.of("a token has ASCII letters, digits and signs, and no blanks")
    return value


_SWITCH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def _switch(value: Any) -> bool:
    found = value if isinstance(value, bool) else _SWITCH.get(str(value).lower())
    if found is None:
        raise InvalidValue.of(NOT_ONE_OF, shown(value), "true, false")
    return found


def _integer(low: int | None = None, high: int | None = None) -> Read:
    wanted = "a whole number" + (f" of {low} or more" if high is None and low is not None else "")
    wanted += f" from {low} to {high}" if high is not None else ""

    def read(value: Any) -> int:
        number: int | None = None
        if isinstance(value, str) and re.fullmatch(r"\s*[-+]?[0-9]{1,18}\s*", value, re.ASCII):
            number = int(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            number = value
        if number is None or (low is not None and number < low) or (high is not None and number > high):
            raise InvalidValue.of("{} is not {}", shown(value), wanted)
        return number

    return read


_UNITS = {"": 1, "B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


def _size(value: Any) -> int:
    given = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    found = re.fullmatch(r"([1-9][0-9]{0,14})(|B|KiB|MiB|GiB)", given.strip(), re.ASCII)
    if found is None:
        raise InvalidValue.of("{} is not a size such as 128MiB, or a number of bytes", shown(value))
    return int(found[1]) * _UNITS[found[2]]


def _moment(value: Any) -> float:
    # From Python a number of seconds or a datetime is as good as a text.
    if hasattr(value, "isoformat"):
        value = value.isoformat()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return parse_time(value)


def _listed(list_name: str, read: Read) -> Read:
    """Read a list, or text with commas between its items."""

    def read_list(value: Any) -> tuple[str, ...]:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, Iterable) or isinstance(parts, Mapping):
            raise InvalidValue.of("{} is not a list of {}", shown(value), list_name)
        return tuple(read(part.strip() if isinstance(part, str) else part) for part in parts)

    return read_list


def _host(value: Any) -> str:
    host = value.lower() if isinstance(value, str) else ""
    if not re.fullmatch(r"[a-z0-9_.:-]{1,253}", host):
        raise InvalidValue.of("{} is not a host name", shown(value))
    return host


def _variables(value: Any) -> tuple[tuple[str, str], ...]:
    """Pairs of a name and a value, in the order of the names: from a mapping, from texts `NAME=VALUE`, or from pairs."""
    if isinstance(value, Mapping):
        pairs: list[Any] = list(value.items())
    else:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, Iterable):
            raise InvalidValue.of("{} is not a mapping of names to values", shown(value))
        pairs = [tuple(part.split("=", 1)) if isinstance(part, str) else part for part in parts]
    found: dict[str, str] = {}
    for pair in pairs:
        if len(pair) != 2 or not isinstance(pair[0], str) or not pair[0].strip():
            raise InvalidValue.of("{} is not NAME=VALUE", shown("=".join(map(str, pair))))
        name, given = pair
        if not isinstance(given, str | int | float):
            raise InvalidValue.of("the value of {} is neither text nor a number", shown(name))
        found[name.strip()] = str(given).lower() if isinstance(given, bool) else str(given)
    return tuple(sorted(found.items()))


def _origin(value: Any) -> str:
    if not isinstance(value, str) or Origin.parse(value) is None:
        raise InvalidValue.of("{} is not an origin such as http://localhost:3000", shown(value))
    return value


def _row(default: Any, read: Read, help: str, *, fixture: bool = True, **more: Any) -> Any:
    """Return the default of a field, and keep what else is in its `Setting`; an `option` that is True is named as the field."""
    _ROWS.append((default, {"read": read, "help": help, "fixture": fixture, **more}))
    return default


def _option(default: Any, read: Read, help: str, form: str | None = None, **more: Any) -> Any:
    """Do as `_row` for a setting that has an option, and that fixtures cannot hold unless that is said."""
    return _row(default, read, help, **{"option": True, "form": form, "fixture": False, **more})


def _choice(words: tuple[str, ...], help: str, *, option: bool = False, **more: Any) -> Any:
    """Do as `_row` for one of some words, of which the first is the default."""
    given: dict[str, Any] = {"option": True, "form": "|".join(words)} if option else {}
    return _row(words[0], one_of(words), help, **given, **more)


_ROWS: list[tuple[Any, dict[str, Any]]] = []


class Settings(Struct, frozen=True):
    """All settings of a server. Moments are in seconds since 1970, spans in seconds."""

    host: str = _option("127.0.0.1", _text, "address to listen on", "ADDRESS")
    port: int = _option(8790, _integer(0, 65535), "port to listen on; 0: a free one", "N")
    auth: Literal["strict", "off"] = _choice(("strict", "off"), "whether signatures are checked", option=True)
    clock: Literal["real", "virtual"] = _choice(
        ("real", "virtual"), "clock that flows run on; a virtual clock moves only when you advance it", option=True
    )
    errors: Literal["documented", "gateway"] = _choice(
        ("documented", "gateway"), "which error codes: those of CloudFlow, or those of its gateway", option=True
    )
    seed: int | None = _option(
        None, _integer(), "seed for ids and random choices: they are the same in every run", "N", fixture=True
    )
    now: float | None = _row(None, _moment, "the time at which a virtual clock starts")
    region: str = _row("cn-hangzhou", _text, "the region of calls that do not name one")
    unmocked_tasks: Literal["succeed", "fail"] = _choice(("succeed", "fail"), "what happens to a task without a mock")
    max_time_skew: float = _row(900.0, parse_duration, "how far the time of a signature may be off, in both directions")
    accept_acs3: bool = _row(True, _switch, "whether ACS3 signatures are accepted in addition to version 1")
    check_nonce: bool = _row(False, _switch, "whether a repeated nonce is refused")
    rate_limits: Literal["none", "documented"] = _choice(
        ("none", "documented"), "whether the documented limits on calls per second apply"
    )
    max_flows: int = _row(10_000, _integer(1, 10_000_000), "how many flows an account can have in a region")
    max_running_executions: int = _row(
        10_000, _integer(1, 10_000_000), "how many executions can run at the same time in an account and region"
    )
    max_starts_per_advance: int = _row(
        20_000, _integer(1, 10_000_000), "how many executions one call, run or clock move can start on a virtual clock"
    )
    keep_executions: int = _option(
        10_000, _integer(1, 10_000_000), "how many executions an account and region keeps; the oldest ended ones are dropped",
        "N", fixture=True,
    )  # fmt: skip
    keep_bytes: int = _option(
        128 * 1024**2, _size, "how much memory executions can take, roughly; the oldest ended ones are dropped",
        "SIZE", fixture=True,
    )  # fmt: skip
    journal_size: int = _row(1000, _integer(0, 10_000_000), "how many calls the journal keeps; older ones are dropped")
    task_hosts: tuple[str, ...] = _row(
        (), _listed("host names", _host), "hosts other than loopback that http mocks of tasks may call"
    )
    variables: tuple[tuple[str, str], ...] = _option(
        (), _variables, "a variable of ROS, Serverless Devs and Terraform files; can be repeated",
        "NAME=VALUE", option="--var", many=True, fixture=True,
    )  # fmt: skip
    journal: str | None = _option(None, _path, "append every call to this file as a JSON line", "FILE")
    state: str | None = _option(
        None, _path, "keep state in this file (SQLite), or in a PostgreSQL database for several replicas", "FILE|URL"
    )
    replica_token: str | None = _option(
        None, _token, "token that the replicas of one database share", "TOKEN", command=True
    )
    tls: bool = _option(False, _switch, "serve HTTPS, with a CA and certificate made at the start")
    tls_ca_out: str | None = _option(None, _path, "write the certificate of that CA to this file", "FILE")
    tls_cert: str | None = _option(None, _path, "serve HTTPS with this certificate chain (PEM)", "FILE")
    tls_key: str | None = _option(None, _path, "private key of that certificate (PEM)", "FILE")
    reload: bool = _option(False, _switch, "reload changed fixture files while serving", command=True)
    strict: bool = _option(False, _switch, "exit with 1 if there were violations; serve also lists unused set-ups")
    verbose: bool = _option(False, _switch, "log a line for each call")
    log_format: Literal["text", "json"] = _choice(
        ("text", "json"), "format of the log on stderr", option=True, fixture=False, command=True
    )
    admin_token: str | None = _option(None, _token, "bearer token that calls of the admin API must send", "TOKEN")
    allow_origin: tuple[str, ...] = _option(
        (), _listed("origins", _origin), "let web pages of this origin call the API; can be repeated",
        "ORIGIN", many=True,
    )  # fmt: skip


def _setting(name: str, default: Any, parts: dict[str, Any]) -> Setting:
    option = f"--{name.replace('_', '-')}" if parts.get("option") is True else parts.get("option")
    return Setting(name, default, **{**parts, "option": option})


SETTINGS: Mapping[str, Setting] = {
    name: _setting(name, *row) for name, row in zip(Settings.__struct_fields__, _ROWS, strict=True)
}
"""The rows by name, in the order of the help."""


def read_variables(value: Any, label: str) -> dict[str, str]:
    """The setting `variables` where it is needed before all others. Raises SettingsError, which calls it `label`."""
    try:
        return dict(_variables(value)) if value else {}
    except InvalidValue as error:
        raise SettingsError(f"{label}: {error}") from None


GIVEN = ("CFMOCK_URL", "CFMOCK_ENDPOINT", "CFMOCK_CA_FILE")
"""Variables that point clients at a server; they set nothing up."""


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Return a line for each variable that begins with `CFMOCK_` and that nothing reads."""
    known = {*GIVEN, *(row.variable for row in SETTINGS.values())}
    names = sorted(name for name in environ if name.startswith(_PREFIX) and name not in known)
    # What all names begin with makes none of them alike.
    near = {
        name: [each for each in known if did_you_mean(name[len(_PREFIX) :], [each[len(_PREFIX) :]])] for name in names
    }
    return [f"{name}: there is no such variable{did_you_mean(name, near[name])}" for name in names]


def resolve(
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    fixture: Mapping[str, Any],
    *,
    defaults: Mapping[str, Any] | None = None,
    keywords: bool = False,
) -> Settings:
    """Read settings from flags over environment over fixture over default, one by one.

    Names in `flags` are those of the fields; None stands for "not given", as does an empty variable. `defaults`
    replaces defaults of the table for this use. With `keywords` the flags are Python's keyword arguments, and mistakes
    name those.

    Raises SettingsError with all that is wrong, a line each: the option, variable or setting, and what would be right.
    """
    values: dict[str, Any] = {}
    mistakes: list[tuple[str, Mistake]] = []
    for name in flags:
        if name not in SETTINGS:
            mistakes.append((name, Mistake("unknown setting", near=likely(name, SETTINGS))))
        elif keywords and SETTINGS[name].command:
            mistakes.append((name, Mistake("goes with commands only")))
    for name, row in SETTINGS.items():
        for label, given in (
            (name if keywords or row.option is None else row.option, flags.get(name)),
            (row.variable, environ.get(row.variable) or None),
            (f"settings.{name}", fixture.get(name)),
        ):
            if given is None:
                continue
            try:
                values[name] = row.read(given)
            except InvalidValue as error:
                mistakes += [(label, mistake) for _, mistake in error.problems]
            break
        else:
            values[name] = (defaults or {}).get(name, row.default)
    if mistakes:
        raise SettingsError("\n".join(f"{label}: {mistake}" for label, mistake in mistakes))
    return Settings(**values)
