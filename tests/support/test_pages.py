"""Who follows pages notices what is wrong on them."""

from __future__ import annotations

import pytest

from tests.support.pages import Reader, alike, blocks, commands, headings

FENCE = "```"


def block(language: str, text: str) -> str:
    return f"{FENCE}{language}\n{text}{FENCE}\n"


@pytest.fixture
def reader(tmp_path):
    folder = tmp_path / "reader"
    folder.mkdir()
    with Reader(folder) as reader:
        yield reader


@pytest.mark.parametrize(
    ("wanted", "got", "same"),
    [
        ("a\nb", "a\nb\n", True),
        ("a\n...\nc", "a\nb\nb\nc\n", True),
        ("a\n...\nc", "a\nb\n", False),
        ("a", "b", False),
        ("", "anything", False),
        ("1 passed in 0.12s", "1 passed in 3.40s", True),
        ("1 passed in 0.12s", "2 passed in 0.12s", False),
        ('"74FEBF5D-79FD-5597-ADC9-C1F46EF471B7"', '"11240094-8858-5dc8-a91d-1dba81c0fb53"', True),
        ("at 2024-06-01T00:00:00Z", "at 2026-11-23T04:26:39.667Z", True),
        ("http://127.0.0.1:8790", "http://127.0.0.1:45163", True),
    ],
)
def test_only_what_differs_from_run_to_run_may_differ(wanted, got, same):
    assert alike(wanted, got) is same


def test_commands_go_on_over_lines_and_have_their_output():
    (only,) = blocks(block("console", "$ echo a \\\n> b\na b\n$ true\n"))
    assert [(each.line, each.text, each.prints) for each in commands(only)] == [
        (2, "echo a \\\nb", "a b\n"),
        (5, "true", ""),
    ]


def test_headings_in_blocks_are_none():
    assert headings("# A\n\n" + block("python", "# b\n") + "## C\n") == [(1, "A"), (2, "C")]


@pytest.mark.parametrize(
    "wrong",
    [
        block("console", "$ echo a\nb\n"),
        block("python", "assert False\n"),
        block("python", "def test_it():\n    assert False\n"),
        block("yaml", "cfmock: 1\nflow: []\n"),
        block("python", "# a.py\nassert False\n") + block("console", "$ python a.py\n"),
    ],
)
def test_what_is_wrong_on_a_page_is_told(reader, wrong):
    with pytest.raises(AssertionError, match="where the page says"):
        reader.follow(wrong)


def test_a_block_that_a_test_runs_is_left_to_it(reader):
    reader.follow("<!-- run by tests/test_another.py -->\n" + block("python", "assert False\n"))
    assert not reader.left_out


def test_what_cannot_be_done_here_is_said(reader):
    reader.follow(block("console", "$ no-such-program-anywhere\n"))
    assert reader.left_out == {"there is no no-such-program-anywhere on this machine"}
