"""A value means the same to a rule whichever way it came: from the engine to the pack, or through a review's record.

Every other test here judges in both forms too: `rehearsed.judge` compares them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

import program
from ops.review import judging
from ops.review.difference import changes
from ops.review.registered import Files, files, from_json, to_json
from ops.review.rehearsal import rehearse
from policies.guardrails.model import UNKNOWN, Archive, Resource
from tests.policies import forms
from tests.policies.forms import as_a_review_records, as_the_engine_shows
from tests.policies.rehearsed import findings, registered, resource

KEY = "sk-" + "proj-" + "a1B2" * 8
TYPE = "aws:lambda/function:Function"
VALUES: dict[str, Any] = {
    "a file": Archive(path="/somewhere/.build/rotation.zip"),
    "an address": Archive(uri="https://elsewhere.example/rotation.zip"),
    "files put together": Archive(parts={"handler.py": "text", "inner": Archive(path="inner.zip")}),
    "files of which none is shown": Archive(),
    "an unknown": UNKNOWN,
    "an unknown further in": {"variables": {"NAME": UNKNOWN, "OTHER": "x"}},
    "an unknown in a list": ["x", UNKNOWN],
    "nothing further in": {"one": [None, "x"]},
    "numbers": {"whole": 3, "broken": 1.5, "none": 0},
    "yes and no": [True, False],
    "nothing in it": {"mapping": {}, "list": [], "text": ""},
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_a_value_is_the_same_in_both_forms(value: Any) -> None:
    one = resource(TYPE, value=value)
    alone, within = as_the_engine_shows([one])
    (recorded,) = as_a_review_records([one])
    assert recorded.properties == alone[0].properties == within[0].properties == {"value": value}


def test_what_depends_on_what_is_the_same_in_both_forms() -> None:
    shipped = judging.resources(registered("local"))
    _, shown = as_the_engine_shows(shipped)
    there = {one.urn for one in shipped}
    for recorded, one in zip(as_a_review_records(shipped), shown, strict=True):
        assert (recorded.urn, recorded.protect, recorded.component) == (one.urn, one.protect, one.component)
        assert recorded.component == recorded.type.startswith(("myflux:index:", "pulumi:")), recorded.type
        assert recorded.dependencies & there == one.dependencies, recorded.name
        told = {name: urns & there for name, urns in recorded.property_dependencies.items() if urns & there}
        assert told == {name: urns for name, urns in one.property_dependencies.items() if urns}, recorded.name


def test_assets_of_every_kind_come_back_from_the_record(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")
    given = pulumi.AssetArchive(
        {
            "file": pulumi.FileAsset(tmp_path / "a.txt"),
            "text": pulumi.StringAsset("text"),
            "far": pulumi.RemoteAsset("https://elsewhere.example/a"),
            "folder": pulumi.FileArchive(str(tmp_path)),
            "far archive": pulumi.RemoteArchive("https://elsewhere.example/a.zip"),
        }
    )
    one = forms.registered(resource(TYPE, code=Archive()))
    held = files(given)
    kept = from_json(json.loads(json.dumps(to_json(replace(one, inputs={"code": held})))))
    assert kept.inputs == {"code": held}
    assert [part.kind for part in held.parts.values()] == [
        "RemoteAsset",
        "RemoteArchive",
        "FileAsset",
        "FileArchive",
        "StringAsset",
    ]


def test_what_a_program_marks_as_secret_is_judged_by_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the engine shows it: a mark keeps no key out of the state."""

    def deploys(_: Path, **_settings: object) -> None:
        hidden = pulumi.Output.secret(KEY)
        properties = {"name": "a", "tags": {"whole": hidden, "list": [hidden]}, "policy": pulumi.StringAsset(KEY)}
        pulumi.CustomResource("aws:sns/topic:Topic", "topic", properties)

    monkeypatch.setattr(program, "deploy", deploys)
    made = [one for one in rehearse("local") if one.name == "topic"]
    told = [from_json(json.loads(json.dumps(to_json(one)))) for one in made]
    found = findings("no-key-in-properties", judging.resources(told))
    assert {one.path for one in found} == {"tags.whole", "tags.list[0]", "policy"}
    shown = str([change.gained for change in changes([], told)])
    assert KEY not in shown, "what a review tells of a secret or of a file is never its text"


@pytest.mark.parametrize("code", [Archive(parts={"handler.py": f"KEY = '{KEY}'"}), Archive(uri=f"https://x/{KEY}")])
def test_a_key_inside_an_archive_is_seen_in_both_forms(code: Archive) -> None:
    asked: list[Resource] = [resource(TYPE, code=code)]
    (found,) = findings("no-key-in-properties", asked)
    assert found.path.startswith("code")


def test_the_same_files_elsewhere_are_no_change(tmp_path: Path) -> None:
    def function(folder: str, text: str) -> Any:
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "rotation.zip").write_text(text, encoding="utf-8")
        one = forms.registered(resource(TYPE))
        held: Files = files(pulumi.FileArchive(str(tmp_path / folder / "rotation.zip")))
        return replace(one, inputs={"code": held})

    before = [function("base", "same")]
    assert changes(before, [function("branch", "same")]) == (), "the base lies in another folder"
    (change,) = changes(before, [function("branch", "other")])
    assert [line.partition(":")[0] for line in change.gained] == ["code.sha256"]
