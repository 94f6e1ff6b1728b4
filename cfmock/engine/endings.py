"""Failures that end what a fiber waits for, once the others have had their turn."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from cfmock.engine.commands import Failure
from cfmock.engine.data_flow import MAX_NESTING
from cfmock.engine.execution import Fiber, Members, Scheduler
from cfmock.engine.recorded_answers import path_of
from cfmock.engine.recording import ENDING


class Ending(NamedTuple):
    """A failure that is about to end what a fiber waits for.

    `turns`: how often it still lets others go first, so that branches which fork for ever do not keep it waiting; no
    deeper than that do forks nest.
    """

    fiber: Fiber
    members: Members
    failure: Failure
    turns: int = MAX_NESTING


def end_members(scheduler: Scheduler, over: Fiber, ending: Ending) -> None:
    """Let a failure end what a fiber waits for, or take another turn; `over` is a fiber that has nothing else to do."""
    fiber, members, failure, turns = ending
    if fiber.part is None:
        return  # called off meanwhile, with all that it waited for
    timeline, recording = fiber.execution.timeline, fiber.execution.recording
    look = partial(_what_goes_first, fiber, turns)
    first = look() if recording is None else recording.draw(look)
    if first == "others":
        scheduler.resume(over, ending._replace(turns=turns - 1))
    elif first == "due":
        timer = scheduler.resume_at(timeline.steady(), over, ending._replace(turns=0), scheduler.job)
        if recording is not None:
            recording.endings[ENDING + path_of(fiber)] = timer
    else:
        members.cancel()
        scheduler.resume(fiber, failure)


def label_of(fiber: Fiber, outcome: object) -> str:
    """Which of the fibers that are ready this is, also in a recording."""
    return ENDING + path_of(outcome.fiber) if type(outcome) is Ending else path_of(fiber)


def _what_goes_first(fiber: Fiber, turns: int) -> str:
    """Name what goes ahead of a failure that is to end what a fiber waits for: "others", "due", or nothing."""
    if turns and not fiber.begun():
        return "others"
    return "due" if turns and fiber.execution.timeline.progress_due() else ""
