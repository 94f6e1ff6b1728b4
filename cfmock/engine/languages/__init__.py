"""The two definition languages: text to `Flow`."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from cfmock.base.bounded_cache import BoundedCache
from cfmock.base.errors import DefinitionError, SourceError
from cfmock.base.json_text import Json
from cfmock.base.suggestions import likely, shared_allowance, shown
from cfmock.base.yaml_source import VALUE_SIZE, Document, count, parse
from cfmock.engine.flow import Flow
from cfmock.engine.languages.reader import DefinitionSource, Section

__all__ = ["compile_definition", "compile_text", "definition_schema", "is_compiled"]

_STATE_MACHINE, _LEGACY = _LANGUAGES = ("Type", "StateMachine"), ("type", "flow")


MAX_VALUES = 65_536
"""Keys and values of a definition with its aliases expanded; our choice, so that compiling is over in a quarter of a second."""

_COMPILED: BoundedCache[tuple[str, str, bool], Flow | DefinitionError] = BoundedCache(count=512, size=2 * 1024 * 1024)
"""Flows, or why there is none, by text, file and `express`; sizes in characters. A kept flow takes about 20 bytes for each."""


def compile_text(text: str, *, file: str = "<definition>", name: str | None = None, express: bool = False) -> Flow:
    """Compile a definition as `compile_definition` does, but the same text of the same file once for all who ask for it. Raises
    `DefinitionError`."""
    key = (text, file, express)
    flow = _COMPILED.get(key)
    if flow is None:
        try:
            flow = compile_definition(text, file=file, express=express)
        except DefinitionError as error:
            _COMPILED.put(key, DefinitionError(error.problems), len(text))
            raise
        _COMPILED.put(key, flow, max(len(text), VALUE_SIZE * flow.values))
    if isinstance(flow, DefinitionError):
        raise DefinitionError(flow.problems)
    return replace(flow, name=name) if name and name != flow.name else flow


def is_compiled(text: str, *, file: str, express: bool) -> bool:
    """Whether `compile_text` has kept what comes of a text."""
    return _COMPILED.get((text, file, express)) is not None


@shared_allowance()
def compile_definition(
    source: str | Document, *, file: str = "<definition>", name: str | None = None, express: bool = False
) -> Flow:
    """Compile a definition, YAML or JSON, of either language.

    `file` is what complaints call it; `name` is the flow's (a definition that calls itself otherwise is no mistake
    here, `lint` warns of it); `express` holds it to the narrower rules of express flows. Raises `DefinitionError` with
    every problem of the text.
    """
    try:
        document = parse(source, file, most=MAX_VALUES) if isinstance(source, str) else source
    except SourceError as error:
        raise DefinitionError(error.problems) from None
    reading = DefinitionSource(document)
    value = document.value
    if isinstance(source, str):
        document.value = None  # the flow keeps the document for its places, and those are in the text
    flow, values = None, count(value)
    if values > MAX_VALUES:
        reading.complain((), "a definition has at most {} values, not {}", MAX_VALUES, values)
    elif not isinstance(value, dict):
        reading.complain((), "a flow definition is a mapping with 'Type: StateMachine' or 'type: flow'")
    else:
        flow = _read(reading, value, express=express)
    if reading.problems or flow is None:
        raise DefinitionError(reading.problems)
    return replace(
        flow,
        name=name or flow.own_name,
        express=express,
        text=document.text,
        values=values,
        unread=tuple(reading.unread),
        expressions=tuple(reading.expressions),
    )


def definition_schema() -> str:
    """The JSON Schema (draft 7) of definitions of both languages, for editors, as text. The readers judge, and know more than a
    schema can say; a test holds that both agree on the rest."""
    return Path(__file__).with_name("definition.schema.json").read_text(encoding="utf-8")


def _read(reading: DefinitionSource, value: dict[str, Json], *, express: bool) -> Flow | None:
    """Read a definition by the rules of its language, which are loaded when the first of it comes."""
    pairs = value.items()
    if _STATE_MACHINE in pairs:
        from cfmock.engine.languages import statemachine

        return statemachine.read(Section(reading, value), express=express)
    if _LEGACY in pairs:
        from cfmock.engine.languages import legacy

        return legacy.read(Section(reading, value))
    for key, word in _LANGUAGES:
        given = value.get(key)
        if given is not None:
            kind = "{} is not a definition language; 'Type: StateMachine' and 'type: flow' are"
            reading.complain((key,), kind, shown(given), near=likely(given, [word]))
            return None
    reading.complain((), "neither 'Type: StateMachine' nor 'type: flow' is given")
    return None
