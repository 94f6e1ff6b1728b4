"""Fields of Amazon States Language, which looks like CloudFlow's and is carried over by habit, and what stands for them here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct


class ForeignField(Struct, frozen=True):
    """`field` is the field of CloudFlow in its place, empty if there is none; `words` say what to write."""

    field: str
    words: str


_COMPARISON = ForeignField("Condition", "a branch is {Condition, Next}, with a Condition such as $Input.x > 3")

_OUTPUT = ForeignField("OutputConstructor", "OutputConstructor makes the output")
_HEARTBEAT = ForeignField("", "there is no heartbeat, only the Timeout of a Task")
_MOMENT = ForeignField("Seconds", "a Wait takes Seconds or Seconds.$, and no point in time")

_FIELDS = {
    "Comment": ForeignField("Description", "it is Description"),
    "Version": ForeignField("SpecVersion", "it is SpecVersion: v1"),
    "QueryLanguage": ForeignField("", "there is one language for expressions, under keys that end in .$"),
    "Resource": ForeignField(
        "Action", "it is Action, such as FC:InvokeFunction, with resourceArn among the Parameters"
    ),
    "Arguments": ForeignField("Parameters", "it is Parameters"),
    "InputPath": ForeignField("InputConstructor", "InputConstructor makes the input"),
    "ResultPath": ForeignField("OutputConstructor", "OutputConstructor makes the output, of $Input and $Output"),
    "ResultSelector": ForeignField("OutputConstructor", "OutputConstructor makes the output, of $Output"),
    "Assign": ForeignField("GlobalConstructor", "GlobalConstructor writes variables, which are read as $Global.name"),
    "Credentials": ForeignField("", "the flow's role calls"),
    "TimeoutSeconds": ForeignField("Timeout", "a Task has Timeout, in seconds"),
    "TimeoutSecondsPath": ForeignField("Timeout.$", "it is Timeout.$"),
    "SecondsPath": ForeignField("Seconds", "it is Seconds.$"),
    "Choices": ForeignField("Branches", "it is Branches, a list of {Condition, Next}"),
    "ItemSelector": ForeignField("ItemConstructor", "it is ItemConstructor"),
    "MaxConcurrencyPath": ForeignField("MaxConcurrency", "MaxConcurrency is a number"),
    "ExecutionType": ForeignField("ExecutionMode", "it is ExecutionMode: Standard or Express"),
    "Error": ForeignField("Code", "it is Code"),
    "Cause": ForeignField("Detail", "it is Detail"),
    "ErrorPath": ForeignField("Code", "Code is constant"),
    "CausePath": ForeignField("Detail", "Detail is constant"),
    "ErrorEquals": ForeignField("Errors", "it is Errors"),
    "MaxDelaySeconds": ForeignField("MaxBackoffSeconds", "it is MaxBackoffSeconds"),
    "JitterStrategy": ForeignField("", "pauses have no jitter"),
    **dict.fromkeys(("Iterator", "ItemProcessor"), ForeignField("Processor", "it is Processor")),
    **dict.fromkeys(("OutputPath", "Output", "Result"), _OUTPUT),
    **dict.fromkeys(("HeartbeatSeconds", "HeartbeatSecondsPath"), _HEARTBEAT),
    **dict.fromkeys(("Timestamp", "TimestampPath"), _MOMENT),
    **dict.fromkeys(("Variable", "And", "Or", "Not", "IsPresent", "IsNull", "StringMatches"), _COMPARISON),
}

_COMPARED = ("String", "Numeric", "Boolean", "Timestamp")
_COMPARATORS = ("Equals", "LessThan", "GreaterThan")

STATES = "in Amazon States Language it is a mapping; here it is a list of states, each with its Name"
"""What is wrong with `States: {First: …}`."""

DOCUMENT = (
    "is Amazon States Language: CloudFlow wants Type: StateMachine, SpecVersion: v1, a Name, and States as a list"
)
"""What is wrong with a whole document of it."""


def foreign_field(path: Sequence[str | int]) -> ForeignField | None:
    """The field at this path of a definition, if it is one of Amazon States Language."""
    name, above = path[-1], path[-2] if len(path) > 1 else None
    if name == "Mode" and above == "ProcessorConfig":
        return ForeignField("ExecutionMode", "ExecutionMode: Standard or Express makes a map distributed")
    if not isinstance(name, str):
        return None
    if name.startswith(_COMPARED) and any(comparator in name for comparator in _COMPARATORS):
        return _COMPARISON
    return _FIELDS.get(name)


def told(name: str, found: ForeignField) -> str:
    """Describe the field for a message."""
    return f"'{name}' is Amazon States Language; here {found.words}"


def standing_for(field: str, path: Sequence[str | int], names: Iterable[str]) -> str | None:
    """What to say of the first of these names below a path that stands for a field of ours; None if none does."""
    for name in names:
        found = foreign_field((*path, name))
        if found is not None and found.field == field:
            return told(name, found)
    return None
