"""Rewrites what is made of tables in README*.md and docs/, and the pictures there. Run by `make docs`.

A part made of tables stands between `<!-- table: NAME -->` and `<!-- end -->`, where NAME is a key of `TABLES`, perhaps with an
argument: `<!-- table: options call -->`. tests/test_docs.py fails for a part that is not what would be made now.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from cfmock.api import cloudflow
from cfmock.base import yaml_source
from cfmock.base.findings import RULES, CheckRule
from cfmock.base.time_text import duration_text
from cfmock.cli import init
from cfmock.cli.main import COMMANDS
from cfmock.control.endpoints import ENDPOINTS, Endpoint
from cfmock.fixtures import schema_messages
from cfmock.fixtures.loader import load
from cfmock.graph.formats import FORMATS
from cfmock.observe.violation_kinds import violation_kinds
from cfmock.protocol.faults.catalogue import DELAY, MAIN, SPOILING, TRANSPORTS
from cfmock.protocol.spec import model
from cfmock.settings import SETTINGS
from cfmock.tools.checks.examples import examples
from cfmock.tools.replay import choices as replay
from tests.support import client_answers
from tests.support import clients as reactions

ROOT = Path(__file__).resolve().parents[2]
PART = re.compile(r"(<!-- table: ([\w ./-]+?) -->\n).*?(<!-- end -->)", re.DOTALL)

PICTURES = {"docs/order_flow.svg": "fixtures/order_flow.fdl.yaml"}
"""Drawing → the definition that it shows."""


_FEW = 4  # operations; more of them are not named as exceptions


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [list(head), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def code(text: object) -> str:
    return f"`{text}`"


# -- the service -----------------------------------------------------------------------------------------------------------


def codes(language: str) -> str:
    """The error codes by HTTP status."""
    head = {"en": ("HTTP", "Codes"), "zh": ("HTTP", "错误码")}[language]
    entries = sorted(model.load().errors.values(), key=lambda entry: entry.status)
    groups = itertools.groupby(entries, key=lambda entry: entry.status)
    return table(head, ((str(status), ", ".join(code(each.code) for each in rows)) for status, rows in groups))


def errors(_: str) -> str:
    """The catalogue."""
    spec = model.load()
    return table(
        ("Code", "HTTP", "Message", "To cause it"),
        ((code(each.code), str(each.status), each.message, each.how) for each in spec.errors.values()),
    )


def operations(_: str) -> str:
    """Which operations document each code."""
    spec = model.load()
    rows = []
    for entry in spec.errors.values():
        named = spec.operations_with(entry.code)
        others = [name for name in spec.operations if name not in named]
        words = f"all but {', '.join(others)}" if len(others) <= _FEW else ", ".join(named)
        rows.append((code(entry.code), words if others else "all"))
    return table(("Code", "Operations"), rows)


def fidelity(_: str) -> str:
    """Every operation, parameter, response field and code, with how it is known."""
    rows: list[tuple[str, str, str, str]] = []
    for operation in model.load().operations.values():
        label = code(operation.name)
        for what, entries in (
            ("parameters", [(each.name, each.evidence) for each in operation.parameters.values()]),
            ("response", list(_fields(OPERATIONS[operation.name]["response"], ""))),
            ("errors", [(each, evidence_of(operation.name, each)) for each in operation.errors]),
        ):
            for evidence, names in _by_evidence(entries):
                rows.append((label, what, ", ".join(map(code, names)), evidence))
                label = ""
    return table(("Operation", "", "", "Known"), rows)


def choices(_: str) -> str:
    """What histories can show of that which the documents leave open, and which have."""
    rows = (
        (code(key), each.choice, "; ".join(map(_confirmation, each.confirmed_by)) or "–")
        for key, each in replay.choices().items()
    )
    return table(("Choice", "What cfmock does", "Confirmed by"), rows)


def _confirmation(found: replay.Confirmation) -> str:
    return ", ".join(filter(None, (str(found.date), found.region, found.source)))


OPERATIONS = json.loads(Path(model.__file__).with_name("operations.json").read_bytes())["operations"]


def evidence_of(operation: str, code: str) -> str:
    """Evidence that the operation answers this code: its documented table was not always readable in full."""
    inferred = OPERATIONS[operation].get("inferred_errors", ())
    return "inferred" if inferred == "all" or code in inferred else model.EVIDENCE[0]


def _fields(fields: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    for name, field in fields.items():
        yield above + name, field.get("evidence", model.EVIDENCE[0])
        yield from _fields(field.get("fields", {}), f"{above}{name}{'[]' * (field['type'] == 'array')}.")


def _by_evidence(entries: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for name, evidence in entries:
        found.setdefault(evidence, []).append(name)
    return list(found.items())


def catalogue(_: str) -> str:
    """The codes by how they are known."""
    entries = [(entry.code, entry.evidence) for entry in model.load().errors.values()]
    return table(("Code, status and message", "Known"), (
        (", ".join(map(code, names)), evidence) for evidence, names in _by_evidence(entries)
    ))  # fmt: skip


def gateway(_: str) -> str:
    """What the gateway answers in place of the service."""
    return table(
        ("Code", "HTTP", "Message", "Known"),
        ((code(each.code), str(each.status), each.message, each.evidence) for each in model.load().gateway.values()),
    )


def clients(language: str) -> str:
    """How clients are pointed here."""
    head = {
        "en": ("Client", "Setting", "Read timeout", "In our tests"),
        "zh": ("客户端", "设置", "读超时", "纳入测试"),
    }[language]
    yes, unknown = {"en": "yes", "zh": "是"}[language], "–"
    path = ROOT / "docs/clients.yaml"
    rows = yaml_source.parse(path.read_bytes(), path.name).value
    return table(
        head,
        (
            (
                row["client"],
                row["setting"],
                duration_text(row["read_timeout"]) if row["read_timeout"] else unknown,
                yes if row["tested"] else unknown,
            )
            for row in rows
        ),
    )


# -- the command line ------------------------------------------------------------------------------------------------------


def command(name: str) -> click.Command:
    found: click.Command = importlib.import_module(f"cfmock.cli.{name}").command
    return found


def commands(_: str) -> str:
    """The commands."""
    return table(("Command", "Does"), ((code(f"cfmock {name}"), says) for name, says in COMMANDS.items()))


def settings(_: str) -> str:
    """What a server can be told: by option, variable, fixture and keyword."""
    return table(
        ("Option", "Variable", "In fixtures", "Default", "Means"),
        (
            (
                code(f"{row.option} {row.form}".strip() if row.form else row.option) if row.option else "–",
                code(row.variable),
                code(row.name) if row.fixture else "–",
                default(row.default),
                row.help,
            )
            for row in SETTINGS.values()
        ),
    )


MIB = 1024**2


def default(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, tuple):
        value = list(value)
    if isinstance(value, float):
        value = duration_text(value)
    if isinstance(value, int) and value > MIB and not value % MIB:
        value = f"{value // MIB}MiB"
    return code(json.dumps(value) if isinstance(value, bool | list) else value)


def options(argument: str) -> str:
    """The options of a command that are no settings of a server; `options test zh`: in Chinese."""
    name, _, language = argument.partition(" ")
    known = {row.option for row in SETTINGS.values()}
    rows = []
    for each in command(name).params:
        if isinstance(each, click.Option) and not each.hidden and not known.intersection(each.opts):
            form = "" if each.is_flag else f" {each.make_metavar(click.Context(command(name)))}"
            words = (each.help or "").removesuffix(".")
            rows.append((code(", ".join(each.opts) + form), IN_CHINESE[words] if language else words))
    return table(("选项", "作用") if language else ("Option", "Means"), rows)


IN_CHINESE = {
    "Run only tests whose file, flow or name contains this text or glob. Can be repeated":
        "只运行文件名、流程名或测试名包含该文本（或匹配该通配符）的测试，可重复使用",
    "Stop after the first failure": "第一个测试失败后停止",
    "Run in N processes": "用 N 个进程运行",
    "Write JUnit XML": "写出 JUnit XML",
    "Write results and coverage as JSON; - or no FILE writes to stdout, without the table":
        "以 JSON 写出结果和覆盖率；`-` 或省略 FILE 表示写到标准输出，不再显示表格",
    "Write an HTML page that shows the coverage in a picture of each flow": "写出 HTML 网页，在每个流程的图中显示覆盖情况",
    "Exit with 1 if less than N percent of all points are covered": "覆盖率低于 N% 时退出码为 1",
    "Add the coverage of another run: a file written by this command, pytest or `cfmock run`":
        "合并另一次运行的覆盖率：由本命令、pytest 或 `cfmock run` 写出的文件",
    "Run again whenever a file changes": "文件变化时重新运行",
    "Write first tests for the flows in PATH, next to it": "为 PATH 中的流程生成第一批测试，写在旁边的文件中",
    "Format of the report": "报告的格式",
    "The same as --format json": "等同于 --format json",
    "Write the report to this file instead of stdout (-)": "把报告写入该文件，而不是标准输出（-）",
    "Test only this operation. Can be repeated": "只测试该操作，可重复使用",
    "Test only this error code or broken connection (reset, hang, ...). Can be repeated":
        "只测试该错误码或连接故障（reset、hang 等），可重复使用",
    "Fail the n-th call of the operation, not the first": "使该操作的第 n 次调用失败，而不是第一次",
    "The accepted results: exit with 1 if a result differs": "认可的结果：有任何不同时以 1 退出",
    "Write the current results to that file, as the accepted ones": "把当前结果写入该文件，作为认可的结果",
    "Also show the report in the console of this running server": "同时在该运行中的服务的控制台里显示报告",
    "Exit status with which CMD succeeds, instead of 0. Can be repeated": "CMD 成功时的退出码（代替 0），可重复使用",
    "Run N cases at the same time": "同时运行 N 个用例",
    "Stop CMD after this time. [default: 30s, or 10 times the clean run]":
        "超过该时间后停止 CMD [默认：30s，或没有故障的那次运行时间的 10 倍]",
    'Start CMD once. For each case it reads a line {"case": NAME} and writes a line {"exit": STATUS, "said": TEXT}':
        'CMD 只启动一次。每个用例，它读取一行 {"case": NAME}，写出一行 {"exit": STATUS, "said": TEXT}',
    "also set HTTP_PROXY, so that clients without an endpoint option come here":
        "同时设置 HTTP_PROXY，使没有接入地址设置的客户端也连到这里",
    "leave HTTP_PROXY, HTTPS_PROXY and ALL_PROXY as they are": "保留 HTTP_PROXY、HTTPS_PROXY 和 ALL_PROXY",
}  # fmt: skip
"""The help of the options that a page in Chinese shows. Raises KeyError for one whose words have changed."""


def checks(_: str) -> str:
    """What `cfmock check` finds, each with a link to its example."""
    rows = (
        (f"[{code(rule.code)}](#{_anchor(rule)})", rule.title, rule.severity.value, rule.why) for rule in RULES.values()
    )
    return table(("Code", "Finds", "As", "Why it matters"), rows)


def _anchor(rule: CheckRule) -> str:
    return f"{rule.code}-{rule.title}".casefold().replace(" ", "-")


def check_examples(_: str) -> str:
    """A section for each code: a file in which it is found, and that file as it should be."""
    by = "<!-- run by tests/test_checks_page.py -->\n```yaml\n"
    sections = []
    for code_, each in examples().items():
        title = f"## {code_}: {RULES[code_].title}"
        sections.append(f"{title}\n\n{each.about}\n{by}{each.odd}```\n\n{by}{each.right}```\n")
    return "\n".join(sections)


# -- the vendor's SDKs ----------------------------------------------------------------------------------------------------


def measured(_: str) -> str:
    """The SDKs whose reactions are known, and what they are made of."""
    ran_on = reactions.runtimes()
    rows = (
        (each.title, ", ".join(map(code, each.packages)), ", ".join(ran_on[each.kind])) for each in reactions.CLIENTS
    )
    return table(("Here", "Packages", "On"), rows)


def reacted(_: str) -> str:
    """What each of them does about each code and broken connection."""
    return table(("", *(each.title for each in reactions.CLIENTS)), reactions.rows())


def answers(_: str) -> str:
    """What each of them makes of answers that cfmock does not give, and of proxies."""
    return table(("", *(each.title for each in reactions.CLIENTS)), client_answers.rows())


# -- faults ---------------------------------------------------------------------------------------------------------------


def kinds(_: str) -> str:
    """What a fault rule may do."""
    return table(("Key", "A client gets"), ((code(key), words) for key, words in {**MAIN, "delay": DELAY}.items()))


def transports(_: str) -> str:
    """How a connection may break."""
    rows = (
        (code(name), words, "after the operation" if name in SPOILING else "in place of the operation")
        for name, words in TRANSPORTS.items()
    )
    return table(("`transport`", "A client sees", "When"), rows)


def violations(_: str) -> str:
    """The kinds of violations."""
    rates = {name: f"{rate:g}" for name, rate in model.load().limits["api_rate"]["DescribeExecution"].items()}

    def plain(text: str) -> str:
        """With the documented rates, and with a word for what differs from call to call."""
        return re.sub(r"\{(\w+)\}", lambda found: rates.get(found[1], f"*{found[1]}*"), text)

    rows = ((kind, plain(row["meant"]), plain(row["real"])) for kind, row in violation_kinds().items())
    return table(("Kind", "Meant", "The real service"), rows)


# -- fixtures and the admin API ----------------------------------------------------------------------------------------------


def keys(name: str) -> str:
    """The keys of one kind of entry in a fixture, `document` for the whole; those inside a key are named after it."""
    whole = schema_messages.schema()
    return table(
        ("Key", "Form", "Means"), _keys(whole if name == "document" else whole["definitions"][name], whole, "")
    )


def _keys(entry: Mapping[str, Any], whole: Mapping[str, Any], above: str) -> Iterator[tuple[str, str, str]]:
    for key, given in entry["properties"].items():
        value = {**_resolved(given, whole), **given}
        words = value.get("description", "")
        if "default" in value:
            words = f"{words} Default: {code(_text(value['default']))}."
        required = " (required)" if key in entry.get("required", []) else ""
        yield code(above + key) + required, _form(value, whole), words
        if "properties" in value and (above or key not in whole["properties"]):
            yield from _keys(value, whole, f"{above}{key}.")


def _resolved(value: Mapping[str, Any], whole: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = value.get("$ref")
    found: Mapping[str, Any] = whole["definitions"][reference.rpartition("/")[2]] if reference else {}
    return found


def _form(value: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    """What a value looks like, in few words."""
    reference: str = value.get("$ref", "").rpartition("/")[2]
    if reference in ("duration", "time", "name"):
        return reference
    if "const" in value:
        return code(_text(value["const"]))
    if "enum" in value:
        found = [code(_text(each)) for each in value["enum"]]
        return ", ".join(found) if len(found) <= 8 else f"one of {len(found)} words"
    if value.get("patternErrorMessage", "").startswith("not a duration"):
        return "duration or mapping" if "object" in value["type"] else "duration"
    types = value.get("type", "anything")
    types = [types] if isinstance(types, str) else [each for each in types if each != "null"]
    words = {"string": "text", "object": "mapping", "array": "list", "boolean": "true or false"}
    return " or ".join(words.get(each, each) for each in types)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def endpoints(_: str) -> str:
    """The admin API."""
    rows = (
        (code(f"{endpoint.method} /_cfmock/{endpoint.path}"), endpoint.help, _arguments(endpoint))
        for endpoint in ENDPOINTS
    )
    of_all = ", ".join(dict.fromkeys(code(endpoint.path) for endpoint in ENDPOINTS if not endpoint.world))
    words = f"`account` and `region` in the query choose one world. {of_all} apply to the whole server.\n"
    return f"{table(('Call', 'Does', 'Takes'), rows)}\n{words}"


def _arguments(endpoint: Endpoint) -> str:
    parts = [f"body: {each.help}" for each in endpoint.arguments if each.place == "body"]
    parts += [f"{code(each.name)}: {each.help}" for each in endpoint.arguments if each.place == "query"]
    return "; ".join(parts) or "–"


# -- security --------------------------------------------------------------------------------------------------------------

_BOUNDING = re.compile(r"(max|keep)_|journal_size")
"""The settings that are bounds begin like this."""


def data(name: str) -> Any:
    """What a YAML file in docs/ holds."""
    path = ROOT / "docs" / name
    return yaml_source.parse(path.read_bytes(), path.name).value


def advisories(_: str) -> str:
    """What went wrong in servers of this kind, what holds here, and the tests of that."""
    rows = (
        (each["id"], each["product"], each["happened"], each["rule"], ", ".join(map(code, each["tests"])))
        for each in data("advisories.yaml")
    )
    return table(("Advisory", "Product", "What happened", "In cfmock", "Tests"), rows)


def bounds(_: str) -> str:
    """Every bound: of the settings, of the service, and of constants."""
    settings_rows = (
        (row.help, code(default(row.default).strip("`")), f"setting {code(row.name)}")
        for row in SETTINGS.values()
        if _BOUNDING.match(row.name)
    )
    limits = model.load().limits
    service = (
        (what, measured_in(limits[name], unit), f"{code('operations.yaml')}, {code(name)}")
        for name, what, unit in (
            ("request_size", "a request's parameters", "bytes"),
            ("long_poll", "`WaitTimeSeconds`", "seconds"),
            ("duration", "an execution", "seconds"),
        )
    )
    constants = (
        (
            each["what"],
            measured_in(constant(each["constant"]), each.get("unit", "")),
            code(each["constant"].replace(":", ".")),
        )
        for each in data("bounds.yaml")
    )
    return table(("Of", "At most", "Set by"), (*settings_rows, *service, *constants))


def constant(name: str) -> Any:
    """The value that stands in a module: `cfmock.server.bodies:MAX_HELD`."""
    module, _, last = name.partition(":")
    return getattr(importlib.import_module(module), last)


def measured_in(value: Any, unit: str) -> str:
    """A bound as people read it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{measured_in(each, unit)} ({_KIND.get(key, key)})" for key, each in value.items())
    if unit == "seconds":
        return duration_text(value)
    if unit == "bytes" and value % 1024 == 0:
        return f"{value // 1048576} MiB" if value % 1048576 == 0 else f"{value // 1024} KiB"
    return f"{value:,} {unit}".strip()


_KIND = {False: "Standard", True: "Express"}


# -- Python ----------------------------------------------------------------------------------------------------------------

_CALLED = {"CloudFlow": "cf", "Task": "task", "FlowClock": "cf.clock", "Fault": "fault"}
"""What the pages call an object of a class."""


def methods(name: str) -> str:
    """What can be done with an object of `cfmock.cloudflow`: its public members, with the first sentence on each."""
    found = getattr(cloudflow, name)
    rows = []
    for key, member in vars(found).items():
        words = inspect.getdoc(member)
        if not key.startswith("_") and words:
            call = "" if isinstance(member, property) else _parameters(member)
            rows.append((code(f"{_CALLED[name]}.{key}{call}"), re.split(r"\n\n|(?<=\.) ", words)[0].replace("\n", " ")))
    return table(("", "Means"), rows)


def _parameters(function: Callable[..., Any]) -> str:
    given = [each.replace(annotation=each.empty) for each in inspect.signature(function).parameters.values()]
    return str(inspect.Signature(given[1:])).replace(" = ", "=")


def starter(file: str) -> str:
    """A file that `cfmock init` writes: `starter go/orders_test.go`."""
    language, _, name = file.partition("/")
    by = "<!-- run by tests/e2e/test_other_languages.py -->\n"
    return f"{by}```{file.rpartition('.')[2]}\n{init.starter(language)[name]}```\n"


TABLES: Mapping[str, Callable[[str], str]] = {
    "advisories": advisories,
    "answers": answers,
    "bounds": bounds,
    "catalogue": catalogue,
    "checks": checks,
    "clients": clients,
    "codes": codes,
    "commands": commands,
    "errors": errors,
    "examples": check_examples,
    "choices": choices,
    "fidelity": fidelity,
    "gateway": gateway,
    "keys": keys,
    "kinds": kinds,
    "measured": measured,
    "methods": methods,
    "operations": operations,
    "options": options,
    "reactions": reacted,
    "settings": settings,
    "starter": starter,
    "transports": transports,
    "endpoints": endpoints,
    "violations": violations,
}


def rendered(text: str) -> str:
    """A page with its tables made again. Raises KeyError for a table that there is not."""

    def made(part: re.Match[str]) -> str:
        name, _, argument = part[2].partition(" ")
        return f"{part[1]}\n{TABLES[name](argument)}\n{part[3]}"

    return PART.sub(made, text)


_BLOCK = re.compile(r"^```.*?^```$", re.M | re.S)
CHINESE = ".zh-CN.md"
"""The names of pages in Chinese end so; each has the blocks of the page of the same name in English."""


def with_blocks(page: Path, text: str) -> str:
    """A page in Chinese with the blocks of the page in English."""
    if not page.name.endswith(CHINESE):
        return text
    english = page.with_name(page.name.removesuffix(CHINESE) + ".md")
    blocks = iter(_BLOCK.findall(english.read_text(encoding="utf-8")))
    return _BLOCK.sub(lambda own: next(blocks, own[0]), text)


def drawn(definition: str) -> str:
    """The SVG of a definition, as `cfmock graph --format svg` draws it."""
    (given,) = load([ROOT / definition]).flows
    return FORMATS["svg"](given.flow, None)


def pages() -> list[Path]:
    """README in each language, and the guides."""
    return [*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def stale() -> dict[Path, str]:
    """The files that are not what would be made now, and what that is."""
    made = {page: with_blocks(page, rendered(page.read_text(encoding="utf-8"))) for page in pages()}
    made |= {ROOT / picture: drawn(definition) for picture, definition in PICTURES.items()}
    return {path: text for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text}


def main() -> None:
    for path, text in stale().items():
        path.write_text(text, encoding="utf-8")
        sys.stderr.write(f"wrote {path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
