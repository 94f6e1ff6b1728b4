"""README and the guides: all that is made of tables is current, and whoever follows them gets what they show."""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import re
import shlex
from importlib.metadata import distribution
from pathlib import Path

import click
import pytest

import cfmock
from tests.e2e.environments import SDKS
from tests.support import docs, pages

ROOT = Path(__file__).parent.parent
CHINESE = [
    path for path in docs.pages() if path.name.endswith(docs.CHINESE)
]  # they have the blocks of those in English
GUIDES = [path for path in docs.pages() if path not in CHINESE]

OTHERS = ("CHANGELOG", "CONTRIBUTING", "SECURITY")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", GUIDES, ids=named)
def test_a_page_does_what_it_shows(page, tmp_path):
    folder = tmp_path / "reader"
    folder.mkdir()
    with pages.Reader(folder) as reader:
        reader.follow(page.read_text(encoding="utf-8"))
    if reader.left_out:
        pytest.skip(f"all followed but for what needs more: {'; '.join(sorted(reader.left_out))}")


@pytest.mark.parametrize("page", [*GUIDES, *(ROOT / f"{name}.md" for name in OTHERS)], ids=named)
def test_every_block_is_run_or_read_by_a_test(page):
    text = page.read_text(encoding="utf-8")
    assert [f"line {each.line}: {each.language}" for each in pages.neglected(text)] == []
    for block in pages.blocks(text):
        assert block.by is None or page.name in (ROOT / block.by).read_text(encoding="utf-8"), block.by


def test_every_target_of_make_on_the_pages_is_one():
    (targets,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"(?:`|^    |\$ )make ([a-z-]+)", ALL_PAGES, re.MULTILINE)) <= set(targets.split())


def test_what_pip_installs_on_the_pages_is_there():
    """Extras of the package, and the SDKs that the tests drive."""
    extras = set(distribution("cfmock").metadata.get_all("Provides-Extra"))
    known = {each.partition("==")[0] for packages in SDKS.values() for each in packages} | {"pytest", "pytest-asyncio"}
    found = re.findall(r"pip install ((?:'[^']+'|[\w./*-]+)(?: [\w-]+)*)", ALL_PAGES)
    assert len(found) > 5
    for words in found:
        for word in words.replace("'", "").split():
            name, _, wanted = word.rstrip("]").partition("[")
            assert name in {*known, "cfmock", ".", "../cfmock"}, word
            assert not wanted or set(wanted.split(",")) <= extras, word


def test_what_is_made_of_tables_is_current():
    old = sorted(named(path) for path in docs.stale())
    assert not old, f"run `make docs`: {', '.join(old)}"


@pytest.mark.parametrize("page", CHINESE, ids=named)
def test_a_page_in_chinese_has_the_headings_blocks_and_links_of_that_in_english(page):
    english = page.with_name(page.name.removesuffix(docs.CHINESE) + ".md")
    ours, theirs = (path.read_text(encoding="utf-8") for path in (english, page))
    assert [level for level, _ in pages.headings(ours)] == [level for level, _ in pages.headings(theirs)]
    assert [block.text for block in pages.blocks(ours)] == [block.text for block in pages.blocks(theirs)]
    assert f"({page.name})" in ours
    local = [
        {each.partition("#")[0].replace(docs.CHINESE, ".md") for each in links(text) if not each.startswith("https://")}
        for text in (ours, theirs)
    ]
    assert local[0] | {english.name} == local[1] | {english.name}


def test_the_comparison_has_the_same_rows_and_best_choices_in_both_languages():
    """A bold cell stands where the other language has one, and so does a dash."""

    def shape(name):
        rows = re.findall(r"^\|(.*)\|$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        return [[(cell.startswith(" **"), cell == " – ") for cell in row.split("|")] for row in rows]

    assert shape("README.md") == shape("README.zh-CN.md")
    (width,) = {len(row) for row in shape("README.md")}
    assert width == 6


def test_the_index_has_four_kinds_of_pages_and_what_is_looked_up_in_the_reference():
    sections = dict(
        re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", (ROOT / "docs/README.md").read_text("utf-8"), re.M | re.S)
    )
    assert list(sections) == ["Start", "Guides", "Reference", "Background"]
    looked_up = ["fixture-keys", "settings", "admin-api", "errors", "faults", "check-codes", "fidelity", "clients"]
    assert {f"{name}.md" for name in looked_up} <= links(sections["Reference"])
    for language in ("www.alibabacloud.com/help/en/serverless-workflow/latest/process-definition-introduction",
                     "help.aliyun.com/document_detail/2412487.html"):  # fmt: skip
        assert f"https://{language}" in links(sections["Reference"])


# -- links -----------------------------------------------------------------------------------------------------------------

LINKING = [*docs.pages(), *(ROOT / f"{name}.md" for name in OTHERS)]


def links(page: str) -> set[str]:
    return set(re.findall(r"\]\(([^)\s]+)\)", page))


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to headings."""
    texts = (text for _, text in pages.headings(page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", text).strip().lower().replace(" ", "-") for text in texts}


@pytest.mark.parametrize("page", LINKING, ids=named)
def test_every_link_leads_somewhere(page):
    for link in links(page.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), f"{named(page)} links to {link}"
        assert not anchor or anchor in anchors(target), f"{named(page)} links to {link}, and there is no such heading"


@pytest.mark.parametrize("name", ["executions", "execution", "signature"])
def test_a_picture_of_the_console_is_small_and_shown_in_both_readmes_and_its_guide(name):
    picture = ROOT / f"docs/console-{name}.png"
    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) <= 60 * 1024
    for page in ("README.md", "README.zh-CN.md"):
        assert f"docs/{picture.name}" in (ROOT / page).read_text(encoding="utf-8")
    assert f"({picture.name})" in (ROOT / "docs/console.md").read_text(encoding="utf-8")


def test_every_page_is_linked_from_the_index_and_that_from_the_readmes():
    index = ROOT / "docs/README.md"
    linked = links(index.read_text(encoding="utf-8"))
    assert {path.name for path in (ROOT / "docs").glob("*.md") if path != index} <= linked
    for readme in ROOT.glob("README*.md"):
        assert "docs/README.md" in links(readme.read_text(encoding="utf-8"))


# -- easy to read ----------------------------------------------------------------------------------------------------------

LONGEST_PAGE = 250
"""Lines of a page, of all but the references that are made of tables."""

REFERENCES = {"check-codes.md", "fixture-keys.md"}
"""Pages that have a row or an example for each of something, however many there are."""

WIDTH = 140
"""Columns in which the pages are wrapped; a paragraph that is not counts as if it were."""

LONGEST_SENTENCE = 30
"""Words; code counts as one."""

ODD = re.compile(
    r"\b(anew|heeds?|heeded|hence|whence|whither|thereof|lest|naught|nowise|whilst|whoever|shall"
    r"|but for|save for|for ever|so many|so long|all the same|as ever|in turn|beside|hands? on"
    r"|(is|are|was|were|be|been) told|tells? of|struck|strikes?|spoils?|spoilt|takes? no notice|comes? about"
    r"|otherwise than|one another's|of its own kind|none but|no matter)\b",
    re.IGNORECASE,
)
"""Words that stop a reader, most of all one whose first language is another."""


def prose(path: Path) -> str:
    """A page without blocks and pictures; code is a word."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.sub(r"!\[[^]]*\]\([^)]*\)", "", re.sub(r"``.+?``|`[^`]+`", "code", re.sub(r"<!--.*?-->", "", text)))


def paragraphs(text: str) -> list[str]:
    """Paragraphs, items of lists and cells of tables."""
    parts = re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)|\n(?=\|)", text)
    return [cell.strip() for part in parts for cell in (part.split(" | ") if part.startswith("|") else [part])]


def lines(paragraph: str) -> int:
    """The lines that a paragraph takes; a Chinese character is as wide as two letters."""
    wide = sum(2 if ord(each) > 0x2E80 else 1 for each in paragraph)
    return max(len(paragraph.splitlines()), -(-wide // WIDTH))


@pytest.mark.parametrize("page", docs.pages(), ids=named)
def test_a_page_is_short_and_says_first_what_it_is_for(page):
    text = page.read_text(encoding="utf-8")
    shown = [line for line in text.splitlines() if not line.startswith("<!--")]
    assert page.name in REFERENCES or len(shown) <= LONGEST_PAGE
    title, first, *more = text.split("\n\n")
    assert title.startswith("# ")
    if re.match(r"\[(简体中文|English)\]\(", first):  # the same page in the other language
        first = more[0]
    assert re.match(r"This (page|guide) |本(页|指南)|cfmock ", first), "a page begins with what it is for"


@pytest.mark.parametrize("page", docs.pages(), ids=named)
def test_a_page_is_easy_to_read(page):
    text = prose(page)
    assert [each for each in paragraphs(text) if lines(each) > 5] == []
    assert [found[0] for found in ODD.finditer(text)] == []
    sentences = (
        each for part in paragraphs(text) for each in re.split(r"(?<=[.:!?])\s+(?=\S)", " ".join(part.split()))
    )
    assert [each for each in sentences if len(each.split()) > LONGEST_SENTENCE] == []


@pytest.mark.parametrize("name", docs.COMMANDS)
def test_the_help_of_a_command_is_easy_to_read(name):
    found = docs.command(name)
    texts = [found.help or "", *(getattr(each, "help", None) or "" for each in found.params)]
    assert [odd[0] for text in texts for odd in ODD.finditer(text)] == []


# -- nothing undocumented, nothing that is not there -----------------------------------------------------------------------

ALL_PAGES = "\n".join(path.read_text(encoding="utf-8") for path in LINKING)

FOREIGN = {
    "--cfmock-coverage",  # of pytest, by the plugin
    "--endpoint", "--insecure",  # of the aliyun command line
    "--changed", "--minutes", "--seconds",  # of make fuzz and make soak
    "--build", "--exit-code-from", "--rm",  # of docker
    "--no-deps", "--wheel-dir",  # of pip
}  # fmt: skip
"""Options on the pages that are other programs'."""


def options_of(name: str) -> set[str]:
    shown = (each for each in docs.command(name).params if not getattr(each, "hidden", False))
    return {option for each in shown for option in each.opts if option.startswith("-")}


@pytest.mark.parametrize("page", LINKING, ids=named)
def test_a_command_in_a_sentence_or_table_is_one_that_is_taken(page):
    """Its options are the command's own, and so are their values, where they are no placeholder."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for found in re.findall(r"(?<!`)`cfmock ([^`]+)`", text):
        name, *words = shlex.split(found.replace("\\|", "|").partition(" -- ")[0].replace(" -- CMD", ""))
        if found in ("ready", "ready URL", "COMMAND --help"):  # a line that is printed, and any command
            continue
        assert name in docs.COMMANDS, found
        command = docs.command(name)
        try:
            given = command.make_parser(click.Context(command, help_option_names=["--help"])).parse_args(words)[0]
            for option in command.params:
                if isinstance(option.type, click.Choice) and (value := given.get(option.name)) is not None:
                    option.type.convert(value, option, None)
        except click.UsageError as error:
            if "requires an argument" not in error.message:  # an option that is only named
                pytest.fail(f"`cfmock {found}`: {error.message}")


# -- messages --------------------------------------------------------------------------------------------------------------

SYMPTOMS = {
    "404 FlowNotExists, but the flow is in my fixture",
    "the test hangs, and the client calls a proxy",
    "the test hangs, and DescribeExecution goes on answering Running",
    "an execution stays Running",
    "the task returned {} instead of my mock",
    "Output.Body is missing",
    "Something else",
}
"""Headings of the troubleshooting page that describe what a user sees, in no program's words."""

OF_OTHERS = {
    "Timestamp must be of the form YYYY-MM-DDThh:mm:ssZ, Unexpected char 0x662 in x-acs-date",
    r"TypeError: Item in alibabacloud_fnf20190315.models.\_\_all\_\_ must be str, not type",
    "SSLError: WRONG_VERSION_NUMBER",
    "certificate verify failed",
}
"""Messages of Python, of an SDK, or of both sides."""


FILLED_IN = re.compile(
    r"'[^']*'|https?://\S+|1 set-up |\b\d[\d.]*|fault: error |virtual"  # names, addresses, numbers, words that vary
    r"|\(did you mean |\[[^]]*\] .*|: Address .*|\.\.\.|\""  # a suggestion, the system's own words, marks
)
"""What a message says of one case, and marks between its parts."""


def messages() -> str:
    """All texts of the package, with {} for what is filled in."""
    found = []
    for path in (ROOT / "cfmock").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r"%[sdr]|\{\w*\}", "{}", node.value))
            elif isinstance(node, ast.JoinedStr):
                parts = (str(each.value) if isinstance(each, ast.Constant) else "{}" for each in node.values)
                found.append("".join(parts))
    return "\n".join(found)


def test_what_troubleshooting_is_sorted_by_is_what_cfmock_says():
    said = messages()
    page = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    shown = {text for level, text in pages.headings(page) if level == 2}
    assert shown >= SYMPTOMS | OF_OTHERS
    for heading in sorted(shown - SYMPTOMS - OF_OTHERS):
        for words in filter(None, (each.strip(" :,()?") for each in FILLED_IN.split(heading))):
            assert words in said, f"{heading}: {words}"


def test_every_option_on_the_pages_is_one_of_a_command():
    known = set().union(*(options_of(name) for name in docs.COMMANDS)) | {"--help", "--version"}
    assert set(re.findall(r"(?<![\w-])--[a-z][\w-]+", ALL_PAGES)) - FOREIGN <= known


@pytest.mark.parametrize("name", docs.COMMANDS)
def test_every_command_and_each_of_its_options_is_on_a_page(name):
    assert f"`cfmock {name}`" in ALL_PAGES
    missing = {option for option in options_of(name) if not re.search(rf"(?<![\w-]){option}(?![\w-])", ALL_PAGES)}
    assert not missing


def test_every_setting_and_its_variable_is_on_a_page_and_no_other():
    variables = {row.variable for row in docs.SETTINGS.values()}
    of_run = {"CFMOCK_URL", "CFMOCK_ENDPOINT", "CFMOCK_CA_FILE"}
    assert set(re.findall(r"\bCFMOCK_[A-Z0-9_]+\b", ALL_PAGES)) == variables | of_run
    for row in docs.SETTINGS.values():
        assert not row.fixture or f"`{row.name}`" in ALL_PAGES


@pytest.mark.parametrize("page", docs.pages(), ids=named)
def test_durations_stand_there_as_they_are_written_in_fixtures(page):
    assert re.findall(r"\b\d[\d.]* (?:ms|s|sec|min|h)\b", page.read_text(encoding="utf-8")) == []


def test_every_call_of_the_admin_api_on_the_pages_is_one_of_a_verb():
    paths = {endpoint.path.partition("/{")[0] for endpoint in docs.ENDPOINTS} | {"openapi.json", ""}
    assert set(re.findall(r"/_cfmock/([\w.]*)", ALL_PAGES)) <= paths


def test_the_plugins_fixtures_markers_and_ini_options_are_on_a_page(pytestconfig):
    plugin = pytestconfig.pluginmanager.get_plugin("cfmock") or importlib.import_module("cfmock.pytest_plugin")
    page = (ROOT / "docs/pytest.md").read_text(encoding="utf-8")
    seen = Seen()
    plugin.pytest_addoption(seen)
    plugin.pytest_configure(seen)
    fixtures = [name for name, value in vars(plugin).items() if "FixtureFunctionDefinition" in type(value).__name__]
    assert len(fixtures) >= 3
    assert {
        name for name in (*seen.names, *fixtures) if not re.search(rf"`(@pytest\.mark\.|pytest )?{name}\b", page)
    } == set()


class Seen:
    """Stands for pytest's parser and config, to see what the plugin adds."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def addini(self, name, *_, **__):
        self.names.append(name)

    def getgroup(self, name):
        return self

    def addoption(self, name, **_):
        self.names.append(name)

    def getoption(self, name):
        return None

    def addinivalue_line(self, kind, line):
        assert kind == "markers"
        self.names.append(line.partition("(")[0])


def test_every_public_name_is_on_a_page():
    assert {name for name in cfmock.__all__ if not name.startswith("__") and name not in ALL_PAGES} == set()


def test_the_architecture_names_what_there_is():
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    there = {path.stem if path.is_file() else path.name for path in (ROOT / "cfmock").iterdir() if path.name[0] != "_"}
    there -= {"py"}  # py.typed
    layers = re.search(r"^layers = \[(.*?)\n\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M | re.S)
    assert layers is not None
    rooms = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert set(rooms) == there
    assert rooms == [room for room in re.findall(r"\w+", layers[1]) if not room.startswith("__")]
    for path in re.findall(r"`(?:cfmock/)?((?:\w+/)+\w+\.\w+)`", page):
        assert (ROOT / "cfmock" / path).exists() or (ROOT / path).exists(), path
    for module in re.findall(r"`((?:\w+\.)+\w+)`", page):
        if module.partition(".")[0] in there and not module.endswith((".py", ".json", ".yaml")):
            assert reachable(f"cfmock.{module}"), module


def test_the_drawings_of_the_architecture_name_what_there_is():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rooms, path = (block.text for block in pages.blocks(text))
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) <= set(re.findall(r"\w+", rooms))
    for module in re.findall(r"[a-z]\w*(?:\.\w+)+", path.replace("Pipeline.handle", "")):
        assert reachable(f"cfmock.{module}"), module


def reachable(name: str) -> bool:
    """Whether there is such a module, or such a name in one."""
    with contextlib.suppress(ModuleNotFoundError):
        return importlib.util.find_spec(name) is not None
    module, _, last = name.rpartition(".")
    return hasattr(importlib.import_module(module), last)


def test_the_changelog_begins_with_this_version():
    found = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    assert found[1] == cfmock.__version__
