"""Pictures of the console, for README and docs/console.md: an order that could not be shipped, in a real Chromium.

Run by `make docs`. All clocks stand still and ids are seeded, so that a picture changes when the console does.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from PIL import Image, ImageChops

from cfmock import CloudFlow
from cfmock.base.clocks import RealClock
from cfmock.emulator import pipeline, records
from tests.e2e.console.browser import CHROMIUM, DRIVER, Browser, chromium
from tests.e2e.console.conftest import wrongly_signed
from tests.support import signing

ROOT = Path(__file__).resolve().parents[2]
BEGUN = "2024-06-01T09:00:00Z"
WIDTH = 1280
COLOURS = 128
NEARLY = 40
"""Between two colours, of 255."""

FIXTURE: dict[str, Any] = {
    "cfmock": 1,
    "flows": [
        {
            "name": "order_flow",
            "description": "takes an order",
            "definition": (ROOT / "fixtures/order_flow.fdl.yaml").read_text(encoding="utf-8"),
            "tasks": {
                "Charge": [
                    {"when": {"execution": "order-1042"}, "times": 2, "fails": {"code": "FC.ResourceThrottled"}},
                    {"when": {"execution": "order-1042"}, "returns": {"Body": {"receipt": "r1"}}, "after": "200ms"},
                    {"returns": {"Body": {"receipt": "r2"}}, "after": "200ms"},
                ],
                "Approve": [{"waits": True}],
                "Ship": [
                    {"when": {"input": {"receipt": "r2"}}, "returns": {"Body": {"parcel": "p1"}}, "after": "2s"},
                    {"fails": {"code": "CarrierClosed", "detail": "no parcels on Saturdays"}, "after": "2s"},
                ],
            },
        }
    ],
}


def example(cf: CloudFlow) -> str:
    """Let orders come in: some are shipped, one fails after its approval, one waits. Returns the id of a refused call."""
    for number, amount in enumerate((40, 75, 5000, 12, 1800)):
        cf.call(
            "StartExecution", FlowName="order_flow", ExecutionName=f"order-{1040 + number}", Input={"amount": amount}
        )
        cf.clock.advance("1m")
    cf.clock.advance("3h")
    large = next(each for each in cf.tasks() if each["execution"] == "order-1042")
    cf.call("ReportTaskSucceeded", TaskToken=large["token"], Output={})
    cf.clock.advance("1m")
    return wrongly_signed(cf)


@contextlib.contextmanager
def still() -> Iterator[None]:
    """Stop what is real time elsewhere: signatures are checked against it, and each call takes a millisecond of it."""
    begun = datetime.datetime.fromisoformat(BEGUN.replace("Z", "+00:00")).timestamp()
    with (
        mock.patch.object(RealClock, "now", staticmethod(lambda: begun)),
        mock.patch.object(signing, "now", return_value=BEGUN),
        mock.patch.object(pipeline, "stopwatch", return_value=0.0),
        mock.patch.object(records, "stopwatch", return_value=0.001),
    ):
        yield


def pictures(browser: Browser) -> Iterator[tuple[str, bytes]]:
    """The name of each, and its PNG."""
    with still(), CloudFlow(FIXTURE, clock="virtual", now=BEGUN, seed=7) as cf:
        refused = example(cf)
        browser.devtools("Emulation.setScrollbarsHidden", {"hidden": True})
        for name, height, view, words in (
            ("executions", 480, "executions", "order-1044"),
            ("execution", 1160, "executions/order_flow/order-1042?state=Ship", "CarrierClosed"),
            ("signature", 840, f"calls/{refused}", "a space is signed as '+'"),
        ):
            browser.look(WIDTH, "light", height)
            browser.open("about:blank")
            browser.open(f"{cf.url}/_cfmock/#/{view}")
            browser.until_text(words, "live")
            browser.until("Boolean(document.querySelector('.waits'))")
            browser.run("await document.fonts.ready")
            yield name, browser.picture()


def small(picture: bytes) -> Image.Image:
    """With few colours: a page of text needs no more."""
    return Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)


def same(path: Path, made: Image.Image) -> bool:
    """Whether a file shows this, nearly: an edge that is drawn otherwise may move each of the few colours."""
    if not path.exists():
        return False
    with Image.open(path) as there:
        if there.size != made.size:
            return False
        apart: Any = ImageChops.difference(there.convert("RGB"), made.convert("RGB")).getextrema()
    return max(most for _, most in apart) <= NEARLY


def main() -> None:
    if not (CHROMIUM and DRIVER):
        sys.stderr.write("pictures of the console are left as they are: there is no chromium with chromedriver here\n")
        return
    with chromium() as browser:
        for name, picture in pictures(browser):
            path, made = ROOT / "docs" / f"console-{name}.png", small(picture)
            if not same(path, made):
                made.save(path, optimize=True)
                sys.stderr.write(f"wrote {path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
