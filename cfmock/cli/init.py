"""`cfmock init`: a first fixture, flow and tests to begin with, in the reader's own language."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

import click

from cfmock.base.errors import SettingsError
from cfmock.cli.options import writing

STARTERS = Path(__file__).with_name("starters")
"""The files that are written: `flow/` for every language, and a folder for each. A name in it that ends in .txt loses that."""

SHARED = ("go.mod", "go.sum", "package.json", "pom.xml")
"""Files of which a project has one: where it has any of them, they are kept, and what they need is named."""

NEEDS = {
    "go.mod": "go get github.com/alibabacloud-go/darabonba-openapi/v2@v2.1.13 github.com/alibabacloud-go/tea@v1.3.13",
    "package.json": "npm install --save-dev @alicloud/fnf-2019-03-15@1.2.0",
    "pom.xml": "add com.aliyun:tea-openapi:0.3.15 and, in scope test, org.junit.jupiter:junit-jupiter:5.14.4",
}
"""What to do where such a file is kept."""

RUN = {
    "go": "go test -count=1 ./...",
    "java": "mvn test",
    "node": "npm install && npm test",
    "python": "pytest",
}
"""How the tests of each language are run."""


@click.command(
    "init", help="Write a first fixture, flow and tests into FOLDER, or into the current folder.",
    epilog="Example: cfmock init --language go",
)  # fmt: skip
@click.argument("folder", default=".", metavar="[FOLDER]")
@click.option("--language", type=click.Choice(list(RUN)), default="python", help="Language of the client test.")
def command(folder: str, language: str) -> None:
    """Ask nothing, and overwrite nothing."""
    target = Path(folder)
    files = {target / name: text for name, text in starter(language).items()}
    shared = [path for path in files if path.name in SHARED]
    kept = shared if any(map(os.path.lexists, shared)) else []
    taken = [path for path in files if os.path.lexists(path) and path not in kept]  # a link that leads nowhere, too
    if taken:
        raise SettingsError("\n".join(f"{path} already exists: rename it, or name another FOLDER" for path in taken))
    for path, text in files.items():
        if path not in kept:
            with writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("x", encoding="utf-8") as file:  # never over a file that came meanwhile
                    file.write(text)
            click.echo(f"wrote {path.as_posix()}")
    for path in kept:
        if path.name in NEEDS:
            click.echo(f"kept {path.as_posix()}; it needs: {NEEDS[path.name]}")
    fixture = (target / "fixtures").as_posix()
    click.echo(f"test the flow:   cfmock test {shlex.quote(f'{fixture}/')}")
    place = "" if folder == "." else f"cd {shlex.quote(target.as_posix())} && "
    click.echo(f"test a client:   {place}{RUN[language]}")


def starter(language: str) -> Mapping[str, str]:
    """Return the files of a language: path below the folder → text."""
    found = {}
    for part in ("flow", language):
        root = STARTERS / part
        for path in sorted(each for each in root.rglob("*") if each.is_file()):
            found[path.relative_to(root).as_posix().removesuffix(".txt")] = path.read_text(encoding="utf-8")
    return found
