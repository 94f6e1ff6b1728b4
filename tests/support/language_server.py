"""The YAML language server that editors run, spoken to as they do: over its standard input and output."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e import environments

PROGRAM = environments.NODE / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
CURSOR = "▮"
"""Where the author is, in a text given to `complete` or `hover`."""


class Completion(NamedTuple):
    """What an editor offers: `label` in its list, `snippet` put in where the author is. `is_key`: it is a key of a mapping."""

    label: str
    snippet: str
    is_key: bool

    @property
    def text(self) -> str:
        """What stands there once every tab stop has been passed; `GAP` where a tab stop is empty."""
        text = re.sub(r"\$\{\d+\}|(?<!\\)\$\d+", "GAP", self.snippet)
        text = re.sub(r"\$\{\d+[:|]((?:[^}\\]|\\.)*?)\|?\}", r"\1", text)
        return re.sub(r"\\([$}\\])", r"\1", text)


class LanguageServer:
    """One server, whose workspace is `folder`. Files are opened as if they stood there."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, settings: Mapping[str, Any]) -> None:
        self._process = process
        self._folder = folder
        self._settings = settings
        self._asked = 0
        self._opened = 0
        root = {"uri": folder.as_uri(), "name": folder.name}
        snippets = {"completionItem": {"snippetSupport": True}}
        abilities = {
            "workspace": {"configuration": True, "workspaceFolders": True},
            "textDocument": {"completion": snippets},
        }
        self._ask("initialize", processId=None, rootUri=root["uri"], workspaceFolders=[root], capabilities=abilities)
        self._tell("initialized")

    def problems(self, name: str, text: str) -> list[str]:
        """What is wrong in a file: `line: message`, each."""
        uri = self._open(name, text)
        while True:
            message = self._next()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                found = message["params"]["diagnostics"]
                return [f"{each['range']['start']['line'] + 1}: {each['message']}" for each in found]

    def complete(self, name: str, text: str) -> list[Completion]:
        """What is offered at `CURSOR`."""
        found = self._at_cursor("textDocument/completion", name, text)
        return [
            Completion(
                each["label"], (each.get("textEdit") or {}).get("newText") or each["insertText"], each.get("kind") == 10
            )
            for each in found["items"]
        ]

    def hover(self, name: str, text: str) -> str:
        """What is shown for the word at `CURSOR`."""
        found = self._at_cursor("textDocument/hover", name, text)
        words: str = found["contents"]["value"]
        return words

    def _at_cursor(self, method: str, name: str, text: str) -> Any:
        uri = self._open(name, text.replace(CURSOR, ""))
        *above, line = text.partition(CURSOR)[0].split("\n")
        place = {"line": len(above), "character": len(line)}
        return self._ask(method, textDocument={"uri": uri}, position=place)

    def _open(self, name: str, text: str) -> str:
        self._opened += 1  # a name of its own for each: the server keeps what it knows of a file
        path = self._folder / name
        uri = path.with_name(f"{self._opened}-{path.name}").as_uri()
        document = {"uri": uri, "languageId": path.suffix[1:], "version": 1, "text": text}
        self._tell("textDocument/didOpen", textDocument=document)
        return uri

    def _ask(self, method: str, **given: Any) -> Any:
        self._asked += 1
        self._send({"id": self._asked, "method": method, "params": given})
        while True:
            message = self._next()
            if message.get("id") == self._asked and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def _tell(self, method: str, **given: Any) -> None:
        self._send({"method": method, "params": given})

    def _next(self) -> dict[str, Any]:
        """The next message; what the server asks for itself has been answered by then."""
        assert self._process.stdout is not None
        length = 0
        while line := self._process.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        assert length, "the language server has ended"
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        if "method" in message and "id" in message:
            asked = message.get("params") or {}
            settings = [self._settings if each.get("section") == "yaml" else {} for each in asked.get("items", ())]
            self._send({"id": message["id"], "result": settings or None})
        return message

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()


@contextmanager
def language_server(folder: Path, settings: Mapping[str, Any]) -> Iterator[LanguageServer]:
    """A running server with `yaml.*` settings. Raises `environments.Unavailable` where there is none."""
    (node,) = environments.command("node")
    if not PROGRAM.exists():
        raise environments.Unavailable("the YAML language server is not installed: `make test` does it")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < (20, 11):
        raise environments.Unavailable(
            f"the YAML language server needs Node.js 20.11 (import.meta.dirname), not {version}"
        )
    words = [node, str(PROGRAM), "--stdio"]
    with subprocess.Popen(words, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield LanguageServer(process, folder, settings)
        finally:
            process.kill()
