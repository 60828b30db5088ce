"""A wrong mark loses a change: whatever decides a tenant's stack changes what its mark is compared with."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from ops.stacks import deciding, mark, sources
from ops.stacks.mark import Decides, Mark
from tenancy import Cell, Tenant
from tenancy.loading import ROOT

DECIDES = Decides("code and files", "rules", "", "environment", "v3.250.0", "outputs")
OPENED = """
import json, sys
seen = set()
sys.addaudithook(lambda name, its: seen.add(str(its[0])) if name == "open" else None)
import program, tenancy
import components.dedicated_access
tenancy.load(only="acme")
seen |= {module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
opened = sorted(seen)
from ops.stacks import sources
seen.clear()
sources.code_digest()
print(json.dumps([opened, sorted(seen)]))
"""
"""Two lists of files: those that the program opens, and those that the digest of the code reads."""


def field_paths(model: type[BaseModel], *above: str) -> Iterator[tuple[str, ...]]:
    """Of every field of a file, at any depth, as the models have them."""
    for name, field in model.model_fields.items():
        yield (*above, name)
        for inner in {field.annotation, *_within(field.annotation)}:
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from field_paths(inner, *above, name)


def _within(annotation: Any) -> Iterator[Any]:
    for part in get_args(annotation):
        yield part
        yield from _within(part)


FIELDS = [
    *(("tenants", "acme", path) for path in field_paths(Tenant)),
    *(("cells", "local", path) for path in field_paths(Cell)),
]


def test_the_fields_are_those_of_the_models_at_every_depth() -> None:
    assert ("tenants", "acme", ("rotation", "overlap_hours")) in FIELDS
    assert ("cells", "local", ("openai", "organization_id")) in FIELDS
    assert ("cells", "local", ("state", "kms_key")) in FIELDS


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fleet")
    for name in ("tenants", "cells"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@settings(max_examples=60, deadline=None)
@given(place=st.sampled_from(FIELDS), value=st.one_of(st.booleans(), st.integers(), st.text("abc-", min_size=1)))
def test_a_field_that_is_changed_changes_what_decides_the_stack(
    fleet: Path, place: tuple[str, str, tuple[str, ...]], value: bool | int | str
) -> None:
    folder, stem, path = place
    file = fleet / folder / f"{stem}.yaml"
    before = yaml.safe_load((ROOT / folder / f"{stem}.yaml").read_text("utf-8"))

    def written(content: Any) -> str:
        file.write_text(yaml.safe_dump(content), "utf-8")
        return sources.fingerprint("acme.local", fleet, "code")

    changed = with_field(before, path, value)
    same = json.dumps(changed, sort_keys=True) == json.dumps(before, sort_keys=True)
    assert (written(before) == written(changed)) is same


def with_field(content: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    first, *rest = path
    inner = content.get(first)
    below = with_field(inner if isinstance(inner, dict) else {}, tuple(rest), value) if rest else value
    return {**content, first: below}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's files that are shipped, which a test may change."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("components", "functions", "myflux_keys", "tenancy", "policies", "ops"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("program.py", "__main__.py", "Pulumi.yaml", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


def test_every_file_that_a_tenants_program_opens_counts() -> None:
    """Python itself says which: the modules that it loads for a tenant's stack, and what these read."""
    said = subprocess.run([sys.executable, "-c", OPENED], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    opened, counted = ({Path(path).resolve() for path in paths} for paths in json.loads(said))
    below = [path.relative_to(ROOT) for path in opened if path.is_relative_to(ROOT) and path.is_file()]
    ours = [path for path in below if path.suffix != ".pyc" and path.parts[0] not in (".venv", "tenants", "cells")]
    assert {"program.py", "components/tenant_key.py", "tenancy/data/openai_models.json"} <= set(map(str, ours))
    uncounted = [path for path in ours if ROOT / path not in counted]
    assert not uncounted, f"a change of these decides the stack, and its mark would hold: {uncounted}"


@pytest.mark.parametrize(
    "file",
    ["program.py", "components/tenant_key.py", "tenancy/data/openai_models.json", "Pulumi.yaml", "requirements.txt"],
)
def test_a_file_that_counts_makes_another_digest(checkout: Path, file: str) -> None:
    before = sources.code_digest(checkout)
    content = (checkout / file).read_bytes()
    (checkout / file).write_bytes(content + b"\n")
    assert sources.code_digest(checkout) != before
    (checkout / file).write_bytes(content)
    assert sources.code_digest(checkout) == before


@pytest.mark.parametrize("file", ["policies/PulumiPolicy.yaml", "policies/guardrails/kms.py", "ops/stacks/engine.py"])
def test_the_policy_pack_and_what_runs_the_engine_count(checkout: Path, file: str) -> None:
    before = deciding.rules_digest(checkout)
    content = (checkout / file).read_bytes()
    (checkout / file).write_bytes(content + b"\n")
    assert deciding.rules_digest(checkout) != before
    (checkout / file).write_bytes(content)


@pytest.mark.parametrize("field", [field.name for field in fields(Decides)])
def test_each_thing_that_decides_makes_another_mark(field: str) -> None:
    other = Mark(replace(DECIDES, **{field: "another"}), "version")
    assert mark.read(mark.written(other)) == other != Mark(DECIDES, "version")


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["AWS_", "MYFLUX_", "PULUMI_"]), st.text("ABC_", min_size=1), st.text(min_size=1))
def test_a_variable_that_nobody_knows_yet_counts(begins: str, rest: str, value: str) -> None:
    name = begins + rest
    assert (mark.of_environment({name: value}) == mark.of_environment({})) is (name in mark.NOT_DECIDING)


def test_who_runs_it_and_where_its_folders_are_decides_nothing_and_an_endpoint_does() -> None:
    here = {"AWS_SESSION_TOKEN": "one", "PULUMI_CONFIG_PASSPHRASE": "two", "MYFLUX_STATE": "/a", "MYFLUX_FLEET": "/b"}
    here |= {"MYFLUX_SECRETS_PROVIDER": "awskms:///three", "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true"}
    there = {name: f"{value}, elsewhere" for name, value in here.items()}
    assert mark.of_environment(here | {"HOME": "/c"}) == mark.of_environment(there | {"HOME": "/d"})
    assert mark.of_environment({"AWS_ENDPOINT_URL": "a"}) != mark.of_environment({"AWS_ENDPOINT_URL": "b"})
    assert mark.of_environment({"MYFLUX_ADOPT": "arn"}) != mark.of_environment({"MYFLUX_ADOPT": ""})


@pytest.mark.parametrize(
    ("text", "decides"),
    [
        (None, False),
        ("", False),
        ("encryptionsalt: v1:abc\nsecretsprovider: passphrase\n", False),
        ("encryptionsalt: v1:abc\nconfig: {}\n", False),
        ("config:\n  aws:region: eu-west-1\n", True),
        ("environment: [production]\n", True),
        ("no: [yaml", True),
    ],
)
def test_a_stacks_settings_count_but_not_how_its_state_is_encrypted(text: str | None, decides: bool) -> None:
    assert bool(mark.of_settings(text)) is decides


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        mark.written(Mark(DECIDES, "version"))[:-40],
        mark.written(Mark(DECIDES, "version")).replace('"format": 1', '"format": 2'),
        mark.written(Mark(DECIDES, "version")).replace('"version"', "7"),
        mark.written(Mark(DECIDES, "")),
        json.dumps({"format": 1, "state": "version", "decided_by": asdict(DECIDES) | {"more": "x"}}),
        json.dumps({"format": 1, "state": "version", "decided_by": {"sources": "x"}}),
    ],
)
def test_what_is_not_wholly_a_mark_is_none(text: str) -> None:
    assert mark.read(text) is None


def state(**latest: Any) -> str:
    stack = {"type": "pulumi:pulumi:Stack", "outputs": {"kms_key_arn": "arn"}}
    manifest = {"time": "2026-11-30T07:00:00.123456789Z"}
    return json.dumps({"checkpoint": {"latest": {"manifest": manifest, "resources": [stack], **latest}}})


WRITTEN = datetime(2026, 11, 30, 7, 0, 0, 123456, tzinfo=UTC).timestamp()


def test_only_the_complete_state_that_this_run_left_is_marked() -> None:
    assert mark.may_be_marked(state(), WRITTEN)
    assert not mark.may_be_marked(state(), WRITTEN - 0.001), "another run has written it since"
    assert not mark.may_be_marked(state(pending_operations=[{"type": "creating"}]), WRITTEN)
    assert not mark.may_be_marked(state(resources=[]), WRITTEN)
    assert not mark.may_be_marked(state(manifest={"time": "soon"}), WRITTEN)
    assert not mark.may_be_marked(state()[:-9], WRITTEN), "cut short"
    assert mark.may_be_marked(state(manifest={"time": "2026-11-30T09:00:00+02:00"}), WRITTEN)


def test_a_refresh_that_only_drops_empty_dependencies_found_nothing() -> None:
    def known(**fields: Any) -> str:
        return state(resources=[{"urn": "urn:one", "outputs": {"arn": "a"}, **fields}])

    written = known(propertyDependencies={"name": [], "policy": ["urn:two"]})
    assert mark.same_resources(written, known(propertyDependencies={"policy": ["urn:two"]}))
    assert not mark.same_resources(written, known(propertyDependencies={"policy": ["urn:three"]}))
    assert not mark.same_resources(known(), known(outputs={"arn": "b"}))
    assert not mark.same_resources("", ""), "no state is not the same state"


def test_what_the_platform_exports_counts_and_its_other_resources_do_not() -> None:
    before = mark.of_platform(state())
    stack = {"type": "pulumi:pulumi:Stack", "outputs": {"kms_key_arn": "another"}}
    assert mark.of_platform(state(resources=[stack])) not in (None, before)
    alarm = {"type": "aws:cloudwatch/metricAlarm:MetricAlarm", "outputs": {"threshold": 2}}
    latest = json.loads(state())["checkpoint"]["latest"]
    assert mark.of_platform(state(resources=[alarm, *latest["resources"]])) == before
    assert mark.of_platform(state(resources=[])) is mark.of_platform("") is None, "it is not deployed"
