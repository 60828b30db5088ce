"""Parses YAML text to plain values and keeps each value's line number.

Owns which part of YAML a file may use: mappings, lists, text, whole and decimal numbers, true and false. Anchors,
aliases, tags, directives, several documents, duplicate keys and deep nesting are refused: a file does not need them,
and each can hide content from a reviewer. Only ``true`` and ``false`` are booleans, so that the country NO is Norway
and not false. Leaves out what the values mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from tenancy.problems import Problem, Refusal, holds_key, shown
from tenancy.source import KEY_SHAPED, Refused, Source

FieldPath = tuple[str | int, ...]
"""The path from the top of a file to a value, e.g. ``("budget", "emails", 0)``."""

DEEPEST: Final = 8

_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}", re.ASCII)
_EMPTY: Final = ("", "~", "null", "Null", "NULL")
_LOADER: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
"""libyaml's parser is ten times faster where the installed PyYAML has it; both follow the same rules."""


@dataclass
class Document:
    """The values of one file. `spans` has where a text, number or flag begins and ends in the source's text, quotes
    included. Invalid values are already in `problems`, and their paths in `broken`."""

    source: Source
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    lines: dict[FieldPath, int] = field(default_factory=dict[FieldPath, int])
    spans: dict[FieldPath, tuple[int, int]] = field(default_factory=dict[FieldPath, tuple[int, int]])
    problems: list[Problem] = field(default_factory=list[Problem])
    broken: set[FieldPath] = field(default_factory=set[FieldPath])

    def line(self, place: FieldPath) -> int | None:
        """The line of a value, or of its nearest parent if the value is missing."""
        while place not in self.lines and place:
            place = place[:-1]
        return self.lines.get(place)

    def value(self, place: FieldPath) -> object:
        """The value at `place`; None if there is none."""
        value: Any = self.data
        for part in place:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def problem(self, refusal: Refusal, place: FieldPath, *, show: bool = True) -> Problem:
        value = shown(self.value(place)) if show and place else None
        return self.source.problem(refusal, self.line(place), dotted(place), value)

    def refuse(self, refusal: Refusal, place: FieldPath, line: int | None = None) -> None:
        self.problems.append(self.source.problem(refusal, line or self.line(place), dotted(place)))
        self.broken.add(place)


def dotted(place: FieldPath) -> str:
    """``budget.emails[0]``. A name that may be a credential is withheld like a value."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = (shown(part) or "").strip('"')
            text += f".{name}" if text else name
    return text


def flow(value: Any) -> str:
    """`value` as a file may hold it, on one line: ``{every_days: 31, overlap_hours: 24}``."""
    dumped = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False)
    # Not `strip`: a value may end in a space of another alphabet, which YAML writes unchanged.
    return dumped.removesuffix("\n...\n").removesuffix("\n")


def parse(source: Source) -> Document:
    """Raises Refused for a file whose values cannot be used at all."""
    document = Document(source)
    try:
        _Reader(document, yaml.parse(source.text, Loader=_LOADER)).file()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Refused(source.problem(_not_yaml(source, error, mark), mark.line + 1 if mark else None)) from None
    except yaml.YAMLError:
        refusal = Refusal("not-yaml", "This is not valid YAML.", "compare with a valid file.")
        raise Refused(source.problem(refusal)) from None
    keys = [problem for problem in document.problems if problem.rule == KEY_SHAPED.rule]
    if keys:
        # Only this problem is reported: the text of another one might show the rest of the line with the key.
        raise Refused(*keys)
    return document


_TAB: Final = Refusal(
    "not-yaml",
    "This is not valid YAML: a tab stands before the text of the line, and YAML indents by spaces only.",
    "replace each tab by spaces; most editors have a setting for it.",
)
_WAYS_OUT: Final = (
    ("unexpected end of stream", "close the quote that is open; a quote inside quoted text is written twice."),
    ("',' or '}'", "close the bracket with }, and write a comma between its fields."),
    ("',' or ']'", "close the bracket with ], and write a comma between its values."),
)
"""By words of the parser's complaint."""
_ANY_OTHER: Final = (
    "compare with a valid file; put text with special characters (: # @ % and others) in quotes, and indent fields "
    "that belong together by the same number of spaces."
)


def _not_yaml(source: Source, error: yaml.MarkedYAMLError, mark: yaml.Mark | None) -> Refusal:
    """The complaint of the parser, with the way out that fits it."""
    line = source.lines[mark.line] if mark and mark.line < len(source.lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip(" \t-"))]:
        return _TAB
    complaint = _complaint(error)
    way_out = next((way_out for words, way_out in _WAYS_OUT if words in complaint), _ANY_OTHER)
    return Refusal("not-yaml", f"This is not valid YAML: {complaint}.", way_out)


def _complaint(error: yaml.MarkedYAMLError) -> str:
    text = shown(error.problem or "")
    return text.strip('"') if text and error.problem else "the parser gives no reason"


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


class _Reader:
    """Turns the parser's events into values. `DEEPEST` limits the recursion, and the file's size the rest."""

    def __init__(self, document: Document, events: Iterator[Event]) -> None:
        self._document = document
        self._events = events

    def file(self) -> None:
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if event.version or event.tags:
                    self._fail(event, "directive", "Directives (%YAML, %TAG) are not allowed.", "delete the directive.")
                if documents > 1:
                    self._fail(
                        event,
                        "several-documents",
                        "A file must hold one tenant or one cell.",
                        "split it at the --- line.",
                    )
                start = next(self._events)
                if not isinstance(start, MappingStartEvent):
                    self._fail(
                        start,
                        "not-a-mapping",
                        "A file must hold fields, each `name: value`.",
                        "start from a valid file.",
                    )
                self._document.lines[()] = 1
                self._document.data = self._mapping(start, ())
            elif isinstance(event, StreamEndEvent) and not documents:
                self._fail(event, "empty-file", "The file is empty.", "write the fields, or delete the file.")

    def _fail(self, event: Event, rule: str, reason: str, way_out: str) -> NoReturn:
        raise Refused(self._document.source.problem(Refusal(rule, reason, way_out), _line(event)))

    def _check(self, event: Event, place: FieldPath) -> None:
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            reason = (
                "Anchors and aliases (&name, *name) are not allowed: they can make a small file very large, and hide "
                "what a field holds."
            )
            self._fail(
                event, "anchor-or-alias", reason, "write the value itself. Put text that starts with & or * in quotes."
            )
        if getattr(event, "tag", None):
            self._fail(
                event,
                "tag",
                "Tags (!name) are not allowed.",
                "delete the tag. Put text that starts with ! in quotes.",
            )
        if len(place) > DEEPEST:
            self._fail(
                event,
                "too-deep",
                f"Values must not be nested deeper than {DEEPEST} levels.",
                "use only the documented fields.",
            )

    def _value(self, event: Event, place: FieldPath, line: int) -> Any:
        self._check(event, place)
        self._document.lines.setdefault(place, line)
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, place)
        if isinstance(event, SequenceStartEvent):
            values: list[Any] = []
            for item in self._events:
                if isinstance(item, SequenceEndEvent):
                    break
                values.append(self._value(item, (*place, len(values)), _line(item)))
            return values
        return self._scalar(event, place, line) if isinstance(event, ScalarEvent) else None

    def _mapping(self, event: Event, place: FieldPath) -> dict[str, Any]:
        self._check(event, place)
        values: dict[str, Any] = {}
        for key in self._events:
            if isinstance(key, MappingEndEvent):
                break
            self._check(key, place)
            if not isinstance(key, ScalarEvent):
                self._fail(key, "field-name", "A field's name must be plain text.", "write `name: value`.")
            name, line = str(getattr(key, "value", "")), _line(key)
            here = (*place, name)
            if holds_key(name):
                self._document.refuse(KEY_SHAPED, place, line)
            if name not in values:
                values[name] = self._value(next(self._events), here, line)
                continue
            first = self._document.lines[here]
            reason, way_out = f"The field is defined twice; the first is on line {first}.", "keep one of them."
            self._document.refuse(Refusal("duplicate-field", reason, way_out), here, line)
            self._value(next(self._events), (*place, f"{name} (again)"), line)
        return values

    def _scalar(self, event: ScalarEvent, place: FieldPath, line: int) -> Any:
        text = str(event.value)
        if event.start_mark and event.end_mark:
            self._document.spans.setdefault(place, (event.start_mark.index, event.end_mark.index))
        if holds_key(text):
            self._document.refuse(KEY_SHAPED, place, line)
        if not event.implicit[0]:
            return text
        if text in _EMPTY:
            way_out = "write a value, or delete the line. If you mean the word itself, put it in quotes."
            self._document.refuse(Refusal("empty-value", "The field has no value.", way_out), place, line)
            return None
        if text in ("true", "false"):
            return text == "true"
        if _WHOLE.fullmatch(text):
            return int(text)
        return float(text) if _DECIMAL.fullmatch(text) else text
