"""The image that the Dockerfile describes, and an engine that stands in for Docker's: it runs the image's command as a process.

No container engine is at hand where the tests run, so nothing is isolated, and no layer is built. All else that a client of
the engine sees is real: its HTTP API, variables, files that are mounted or copied, the mapped port, the log, the health check.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cfmock.base import yaml_source
from tests.support.pages import blocks
from tests.support.processes import ROOT, environment
from tests.support.waiting import until

Instruction = tuple[str, str]


class Image:
    """What the Dockerfile says, instruction by instruction."""

    def __init__(self, text: str) -> None:
        lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "").splitlines()
        self.instructions: list[Instruction] = [tuple(line.split(maxsplit=1)) for line in lines if line.strip()]  # type: ignore[misc]

    def of(self, kind: str) -> list[str]:
        return [text for name, text in self.instructions if name == kind]

    def only(self, kind: str) -> str:
        (text,) = self.of(kind)
        return text

    @cached_property
    def variables(self) -> dict[str, str]:
        """Those of `ENV` but PATH."""
        pairs = (word.split("=", 1) for word in self.only("ENV").split())
        return {name: value for name, value in pairs if name != "PATH"}

    @property
    def port(self) -> str:
        return self.only("EXPOSE")

    @property
    def program(self) -> list[str]:
        return list(json.loads(self.only("ENTRYPOINT")))

    @property
    def words(self) -> list[str]:
        return list(json.loads(self.only("CMD")))

    @property
    def health(self) -> list[str]:
        return list(json.loads(self.only("HEALTHCHECK").split(" CMD ")[1]))

    @property
    def folders(self) -> list[str]:
        """The folders that the image's command reads or writes: of its fixtures, and of what it keeps."""
        return [*(word for word in self.words if word.startswith("/")), self.only("VOLUME")]


_READY = re.compile(rb"^cfmock ready \S+:(\d+)$", re.MULTILINE)

IMAGE = Image((ROOT / "Dockerfile").read_text(encoding="utf-8"))


def compose_file(name: str) -> Any:
    """The compose file of a page."""
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    (text,) = (each.text for each in blocks(page) if each.name == "compose.yaml")
    return yaml_source.parse(text).value


@dataclass
class Container:
    """One made of the image: a folder stands for its file system, with the folders of the host that are mounted into it."""

    root: Path
    environment: Mapping[str, str]
    words: Sequence[str]
    mounts: Mapping[str, str]
    """Folder in the container → folder of the host."""
    port: int = 0
    """Where the image's port is to be had on the host, once it has started."""
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        shutil.copytree(ROOT / "fixtures", self.root / "fixtures")
        (self.root / "state").mkdir()

    @property
    def variables(self) -> dict[str, str]:
        given = {**IMAGE.variables, **self.environment}
        assert given["CFMOCK_PORT"] == IMAGE.port, "another port than the image exposes"
        return {name: self._here(value) for name, value in given.items()} | {"CFMOCK_PORT": str(self.port)}

    def start(self) -> None:
        """Run it until it is ready, or has ended by itself."""
        assert IMAGE.program == ["cfmock"]
        words = [self._here(word) for word in self.words or IMAGE.words]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cfmock", *words], cwd=self.root, env=environment(**self.variables),
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        until(lambda: _READY.search(self.log) or self.exit_code is not None)
        if found := _READY.search(self.log):
            self.port = int(found[1])

    @property
    def _log(self) -> Path:
        return self.root / "log"

    @property
    def log(self) -> bytes:
        return self._log.read_bytes() if self._log.exists() else b""

    def healthy(self) -> bool:
        """What the image's health check says."""
        words = [sys.executable, "-IS", *IMAGE.health[1:]]
        return subprocess.run(words, env=self.variables, capture_output=True, check=False).returncode == 0

    @property
    def exit_code(self) -> int | None:
        return self.process.poll() if self.process else None

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        if self.process is not None:
            self.process.wait()

    def put(self, folder: str, archive: bytes) -> None:
        """Copy files into it."""
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(self._here(folder), filter="data")

    def _here(self, text: str) -> str:
        """A path in the container as one on the host, and other words as they are."""
        for inside, outside in self.mounts.items():
            if text == inside or text.startswith(f"{inside}/"):
                return outside + text.removeprefix(inside)
        if text.startswith("/"):
            return str(self.root) + text
        return text


class Engine:
    """The containers that were made, and the HTTP API of the engine: as much of it as clients use to run one image."""

    def __init__(self, folder: Path) -> None:
        self.containers: list[Container] = []
        self._folder = folder

    def make(self, variables: Mapping[str, str], words: Sequence[str], mounts: Mapping[str, str]) -> Container:
        """Make a container. Words that are no command's of cfmock fail as they would in a container, at its start."""
        made = Container(self._folder / f"c{len(self.containers)}", variables, words, mounts)
        self.containers.append(made)
        return made

    def stop(self) -> None:
        for each in self.containers:
            each.stop()

    # -- what it answers ---------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Status, and bytes or what is sent as JSON."""
        url = urlsplit(path)
        parts = re.sub(r"^/v\d[\d.]*", "", url.path).strip("/").split("/")
        query = parse_qs(url.query)
        if parts in (["_ping"], ["version"], ["info"]):
            return 200, _ABOUT
        if parts == ["images", "json"]:
            return 200, [{**_image(), "Created": 0}]
        if parts[-1] == "prune":
            return 200, {}
        if parts[0] == "images" and parts[-1] == "json" and len(parts) > 2:
            name = parts[1].partition(":")[0]
            return (200, _image()) if name == "cfmock" else (404, {"message": f"No such image: {name}"})
        if parts == ["containers", "json"]:
            return 200, []  # asked for what others left over
        if parts == ["containers", "create"]:
            return 201, {"Id": self._create(json.loads(body)), "Warnings": []}
        if parts[0] == "containers" and len(parts) > 1:
            return self._answer_of(int(parts[1], 16), method, parts[2:], query, body)
        return 404, {"message": f"the engine that stands in has no {method} {path}"}

    def _create(self, given: Mapping[str, Any]) -> str:
        assert given["Image"].partition(":")[0] == "cfmock", given["Image"]
        host = given.get("HostConfig", {})
        exposed = {*given.get("ExposedPorts", {}), *host.get("PortBindings", {})}
        assert exposed <= {f"{IMAGE.port}/tcp"}, f"the image exposes {IMAGE.port}, not {exposed}"
        binds = (each.split(":") for each in host.get("Binds") or ())
        variables = dict(each.split("=", 1) for each in given.get("Env") or ())
        made = self.make(variables, given.get("Cmd") or (), {bind[1]: bind[0] for bind in binds})
        return f"{self.containers.index(made):064x}"

    def _answer_of(self, number: int, method: str, parts: Sequence[str], query: Any, body: bytes) -> tuple[int, Any]:
        container = self.containers[number]
        if parts == ["start"]:
            container.start()
            return 204, b""
        if parts == ["json"]:
            return 200, _inspected(number, container)
        if parts == ["archive"] and method == "PUT":
            container.put(query["path"][0], body)
            return 200, b""
        if parts == ["logs"]:
            line = container.log
            return 200, b"\x01\0\0\0" + len(line).to_bytes(4, "big") + line if line else b""
        container.stop()  # stopped, killed or removed
        return 204, b""


_ABOUT = {
    "Version": "28.0.0", "ServerVersion": "28.0.0", "ApiVersion": "1.44", "MinAPIVersion": "1.24", "Os": "linux",
    "OSType": "linux", "Arch": "amd64", "Architecture": "x86_64", "OperatingSystem": "stand-in", "MemTotal": 2**32,
    "Driver": "none", "Labels": [],
}  # fmt: skip


def _image() -> dict[str, Any]:
    variables = [f"{name}={value}" for name, value in IMAGE.variables.items()]
    config = {
        "Env": variables,
        "Cmd": IMAGE.words,
        "Entrypoint": IMAGE.program,
        "ExposedPorts": {f"{IMAGE.port}/tcp": {}},
    }
    return {"Id": f"sha256:{'0' * 64}", "RepoTags": ["cfmock:latest"], "Os": "linux", "Architecture": "amd64",
            "Created": "2026-01-01T00:00:00Z", "Config": config}  # fmt: skip


def _inspected(number: int, container: Container) -> dict[str, Any]:
    runs = container.process is not None and container.exit_code is None
    state = {"Running": runs, "Status": "running" if runs else "exited", "ExitCode": container.exit_code or 0,
             "StartedAt": "2026-01-01T00:00:00Z", "FinishedAt": "0001-01-01T00:00:00Z"}  # fmt: skip
    ports = {f"{IMAGE.port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(container.port)}]}
    network = {"Ports": ports, "IPAddress": "127.0.0.1", "Gateway": "127.0.0.1", "Networks": {}}
    return {"Id": f"{number:064x}", "Name": "/cfmock", "Image": _image()["Id"], "State": state,
            "Config": {**_image()["Config"], "Tty": False, "Image": "cfmock", "Labels": {}}, "HostConfig": {},
            "NetworkSettings": network, "Mounts": []}  # fmt: skip


class _EngineApi(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine: Engine

    def _reply(self) -> None:
        status, body = self.engine.answer(self.command, self.path, self._body())
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Api-Version", "1.44")
        self.send_header("Content-Type", "application/json" if sent is not body else "application/octet-stream")
        if status != 204:
            self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(sent)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _reply

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle_one_request()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def engine(folder: Path) -> Iterator[tuple[Engine, str]]:
    """An engine, and the address for `DOCKER_HOST`. At the end its containers are stopped."""
    made = Engine(folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Api", (_EngineApi,), {"engine": made})) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield made, f"tcp://127.0.0.1:{server.server_address[1]}"
        finally:
            made.stop()
            server.shutdown()
