"""A real Chromium without a window, driven by WebDriver's own protocol: JSON over HTTP, so no library is needed."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from typing import Any

from tests.support.waiting import PATIENCE, until

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")


class Browser:
    """One session. `log` gathers what the pages said on their consoles, reports of their policy included."""

    def __init__(self, driver: str) -> None:
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
        options = {
            "binary": CHROMIUM,
            "args": [
                "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-proxy-server",
                "--disable-software-rasterizer", "--disable-background-networking", "--disable-component-update",
            ],
        }  # fmt: skip
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        made = self._ask("POST", f"{driver}/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"{driver}/session/{made['sessionId']}"

    def _ask(self, method: str, url: str, body: Any = None) -> Any:
        request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), method=method)
        request.add_header("content-type", "application/json")
        with self._open(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read())["value"]

    def command(self, path: str, body: Any = None) -> Any:
        return self._ask("GET" if body is None else "POST", f"{self._session}/{path}", body)

    def open(self, url: str) -> None:
        self.command("url", {"url": url})

    def run(self, script: str, *arguments: Any) -> Any:
        """What a function body returns; `await` may be used."""
        body = (
            "const [done, ...all] = [...arguments].reverse();"
            f"(async (...given) => {{ {script} }})(...all.reverse()).then(done, (error) => done('failed: ' + error));"
        )
        return self.command("execute/async", {"script": body, "args": list(arguments)})

    def text(self) -> str:
        return str(self.run("return document.body.innerText"))

    def until_text(self, *words: str) -> None:
        """Until the page shows all of these."""
        shown = "const shown = document.body.innerText; return given.every((word) => shown.includes(word))"
        if not self._comes(shown, *words):
            raise AssertionError(f"the page does not show {words}, but\n{self.text()[:3000]}")

    def until(self, script: str) -> None:
        """Until an expression is true."""
        if not self._comes(f"return {script}"):
            where = self.run("return `${location.hash} ${document.activeElement.outerHTML.slice(0, 200)}`")
            raise AssertionError(f"never: {script}, at {where}\n{self.text()[:2000]}")

    def _comes(self, script: str, *arguments: Any) -> bool:
        """Return whether a function body returns true, within ten seconds; the page looks for itself, every 10 ms."""
        found = self.run(
            f"const holds = (...given) => {{ {script} }};"
            "for (const end = performance.now() + 10000; performance.now() < end;) {"
            "  if (holds(...given) === true) return true;"
            "  await new Promise((done) => setTimeout(done, 10));"
            "} return false",
            *arguments,
        )
        return found is True

    def click(self, words: str, within: str = "body") -> None:
        """Click on the button, link or summary with exactly this text."""
        clicked = self.run(
            "const all = [...document.querySelectorAll(given[1] + ' :is(button, a, summary)')];"
            "const found = all.find((each) => each.textContent.trim() === given[0]); found?.click(); return Boolean(found)",
            words, within,
        )  # fmt: skip
        assert clicked is True, f"nothing to click on says {words!r}"

    def fill(self, label: str, value: str) -> None:
        """Type over what a control holds, found by its label."""
        done = self.run(
            "const labels = [...document.querySelectorAll('label')];"
            "const named = labels.find((each) => each.textContent === given[0]);"
            "const found = named ? `#${named.htmlFor}` : `[aria-label='${given[0]}']`;"
            "const control = document.querySelector(found);"
            "control.value = given[1];"
            "for (const kind of ['input', 'change']) control.dispatchEvent(new Event(kind, {bubbles: true}));"
            "return true",
            label, value,
        )  # fmt: skip
        assert done is True, done

    def look(self, width: int, scheme: str, height: int = 900) -> None:
        """Set the size in pixels, and `light` or `dark`."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.devtools("Emulation.setDeviceMetricsOverride", size)
        self.devtools("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def devtools(self, name: str, words: dict[str, Any]) -> Any:
        return self.command("goog/cdp/execute", {"cmd": name, "params": words})

    def picture(self) -> bytes:
        """What is seen, as PNG."""
        return base64.b64decode(self.command("screenshot"))

    def log(self) -> list[str]:
        """What has been said since the last time."""
        return [row["message"] for row in self.command("se/log", {"type": "browser"})]

    def close(self) -> None:
        self._ask("DELETE", self._session)


@contextlib.contextmanager
def chromium(*before: str) -> Iterator[Browser]:
    """A browser; `before` are words in front of its command, such as `nice`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert DRIVER is not None
    with subprocess.Popen(
        [*before, DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as driver:
        try:
            until(lambda: _listens(port))
            browser = Browser(f"http://127.0.0.1:{port}")
            try:
                yield browser
            finally:
                browser.close()
        finally:
            driver.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0
