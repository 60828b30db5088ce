"""What does not fit is refused in one readable error, before anything is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.program.rig import CELL, UNTOUCHED, Rig, Run

pytestmark = [pytest.mark.engine, pytest.mark.cell]


def _touched(run: Run) -> set[str]:
    """Types of AWS's that were about to be changed. Components are only names in the state."""
    return {step.type for step in run.steps if step.op not in UNTOUCHED and step.type.startswith("aws:")}


@pytest.mark.parametrize(
    ("stack", "words"),
    [
        ("nowhere", ["no cell `nowhere`", "<cell> or <tenant>.<cell>", "cells/ holds local"]),
        ("acme.nowhere", ["no cell `nowhere`", "cells/ holds local"]),
        ("ghost.local", ["no tenant `ghost`", "acme", "add tenants/ghost.yaml"]),
    ],
)
def test_a_stack_that_fits_no_file_says_which_would(
    empty_cell: Rig, tmp_path: Path, stack: str, words: list[str]
) -> None:
    environment = empty_cell.environment(empty_cell.another_fleet(tmp_path))
    refused = empty_cell.up(stack, environment=environment, fails=True)
    for word in words:
        assert word in refused.refusal
    assert _touched(refused) == set()


def test_a_broken_file_stops_its_own_stack_and_is_named_with_its_line(empty_cell: Rig, tmp_path: Path) -> None:
    fleet = empty_cell.another_fleet(tmp_path)
    fjord = fleet / "tenants" / "fjord.yaml"
    fjord.write_text(fjord.read_text(encoding="utf-8").replace("overlap_hours: 48", "overlap_hours: 4800"), "utf-8")
    environment = empty_cell.environment(fleet)
    refused = empty_cell.up("fjord.local", environment=environment, fails=True)
    assert "fjord.yaml:" in refused.refusal, "file and line"
    assert "overlap" in refused.refusal
    assert _touched(refused) == set()


def test_a_neighbours_broken_file_stops_nobody_else(empty_cell: Rig, tmp_path: Path) -> None:
    fleet = empty_cell.another_fleet(tmp_path)
    fjord = fleet / "tenants" / "fjord.yaml"
    fjord.write_text(fjord.read_text(encoding="utf-8").replace("country:", "nation:"), "utf-8")
    empty_cell.preview(CELL, environment=empty_cell.environment(fleet))


def test_a_key_in_a_file_is_refused_and_not_repeated(empty_cell: Rig, tmp_path: Path) -> None:
    fleet = empty_cell.another_fleet(tmp_path)
    key = "sk-" + "proj-" + "A1b2" * 8
    acme = fleet / "tenants" / "acme.yaml"
    acme.write_text(acme.read_text(encoding="utf-8").replace("Acme Travel", key), "utf-8")
    refused = empty_cell.preview("acme.local", environment=empty_cell.environment(fleet), fails=True)
    assert "acme.yaml:" in refused.refusal
    assert key not in refused.out + refused.err


def test_a_local_cell_whose_address_is_not_known_says_how_to_learn_it(empty_cell: Rig) -> None:
    environment = {k: v for k, v in empty_cell.environment().items() if k != "MYFLUX_LOCAL_OPENAI_URL"}
    refused = empty_cell.preview(CELL, environment=environment, fails=True)
    assert "myflux-keys local env" in refused.refusal


def _cell_file(fleet: Path, old: str, new: str) -> None:
    file = fleet / "cells" / "local.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_cell_that_moved_after_its_platform_was_deployed_is_refused(platform: Rig, scratch: Path) -> None:
    _cell_file(scratch, "region: us-east-1", "region: eu-central-1")
    (scratch / "tenants" / "mover.yaml").write_text(
        (scratch / "tenants" / "acme.yaml").read_text(encoding="utf-8").replace("tenant: acme", "tenant: mover"),
        encoding="utf-8",
    )
    refused = platform.up("mover.local", environment=platform.environment(scratch), fails=True)
    assert "account or Region in the file changed after the platform was deployed" in refused.refusal
    assert _touched(refused) == set()
    assert platform.projects("mover") == []


def test_a_cell_file_that_names_another_account_is_refused_by_the_credentials(platform: Rig, scratch: Path) -> None:
    _cell_file(scratch, "000000000000", "111111111111")
    refused = platform.up(CELL, environment=platform.environment(scratch), fails=True)
    told = "\n".join(refused.errors)
    assert "111111111111" in told
    assert "000000000000" in told
    assert "Traceback" not in told
    assert _touched(refused) == set()
    assert platform.up(CELL).changed == {}, "and with the right file all is as it was"


@pytest.mark.parametrize("user", ["ci", "runtime", "stranger"])
def test_who_may_not_deploy_is_refused_by_aws_and_makes_nothing(platform: Rig, scratch: Path, user: str) -> None:
    slug = f"by-{user}"
    (scratch / "tenants" / f"{slug}.yaml").write_text(
        (scratch / "tenants" / "acme.yaml").read_text(encoding="utf-8").replace("tenant: acme", f"tenant: {slug}"),
        encoding="utf-8",
    )
    environment = platform.environment(scratch) | platform.cell.environment(user) | {"MYFLUX_FLEET": str(scratch)}
    refused = platform.up(f"{slug}.local", environment=environment, fails=True)
    assert "AccessDenied" in "\n".join(refused.errors)
    assert platform.projects(slug) == []
