"""Policy packs in Python, run by this repository's language host under the real engine."""

from __future__ import annotations

import sys
import time

import pytest

from tests.engine.tiny_project import Project

pytestmark = pytest.mark.engine

PROGRAM = """\
    import pulumi
    pulumi.ComponentResource("tiny:index:Thing", "one").register_outputs({})
    """

PACK = """\
    import pathlib
    import pulumi
    from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

    def check(args, report):
        if args.resource_type == "tiny:index:Thing":
            where = f"{pulumi.get_project()}/{pulumi.get_stack()}"
            report(f"no Thing in {where} for {pulumi.Config('tiny').get('who')} says {pathlib.Path.cwd().name}")

    PolicyPack(
        "tiny-pack",
        enforcement_level=EnforcementLevel.LEVEL,
        policies=[ResourceValidationPolicy(name="no-thing", description="No Thing.", validate=check)],
    )
    """


@pytest.fixture
def packed(project: Project) -> Project:
    project.write("__main__.py", PROGRAM)
    project.write("pack/PulumiPolicy.yaml", f"runtime:\n  name: python\n  options:\n    virtualenv: {sys.prefix}\n")
    project.pulumi("config", "set", "who", "everybody")
    return project


def test_a_mandatory_policy_stops_the_update_and_knows_the_stack(packed: Project) -> None:
    packed.write("pack/__main__.py", PACK.replace("LEVEL", "MANDATORY"))
    start = time.monotonic()
    said = packed.up("--policy-pack", "pack", fails=True)
    assert "no Thing in tiny/dev for everybody says pack" in said, "name, configuration and folder of the real thing"
    assert "Traceback" not in said, "a policy's refusal is not a crash of the program"
    assert time.monotonic() - start < 60, "the program must end as soon as the engine has given up"
    assert not [r for r in packed.resources() if r["type"] == "tiny:index:Thing"]


def test_an_advisory_policy_speaks_and_lets_pass(packed: Project) -> None:
    packed.write("pack/__main__.py", PACK.replace("LEVEL", "ADVISORY"))
    said = packed.up("--policy-pack", "pack")
    assert "no Thing in tiny/dev" in said
    assert [r for r in packed.resources() if r["type"] == "tiny:index:Thing"]


def test_two_packs_run_side_by_side(packed: Project) -> None:
    packed.write("pack/__main__.py", PACK.replace("LEVEL", "ADVISORY"))
    packed.write("other/PulumiPolicy.yaml", (packed.folder / "pack" / "PulumiPolicy.yaml").read_text(encoding="utf-8"))
    packed.write("other/__main__.py", PACK.replace("LEVEL", "ADVISORY").replace("tiny-pack", "other-pack"))
    said = packed.up("--policy-pack", "pack", "--policy-pack", "other")
    assert "says pack" in said
    assert "says other" in said


def test_a_pack_that_cannot_start_stops_the_update_in_its_own_words(packed: Project) -> None:
    packed.write("pack/__main__.py", "raise ImportError('no pack today')\n")
    said = packed.up("--policy-pack", "pack", fails=True)
    assert "no pack today" in said
    assert "ended before it was ready" in said
    assert not [r for r in packed.resources() if r["type"] == "tiny:index:Thing"], "unchecked is not allowed"
