"""A tenant moves to another cell while its readers go on in the old one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from myflux_keys import KeyReaderError
from tests.tenants_life.conftest import Life

pytestmark = [pytest.mark.engine, pytest.mark.cell]

MINT = r"service_accounts/[^/]+/api_keys$"


@pytest.fixture(autouse=True)
def no_faults(life: Life) -> Iterator[None]:
    yield
    life.cell.openai.clear_faults()


def test_readers_are_served_from_the_first_step_until_the_operator_ends_the_old_cell(life: Life) -> None:
    slug = "mover"
    life.new(slug)
    before = life.key_id(slug)
    with life.served(slug) as got:
        life.cell.openai.fault("500", method="POST", path=MINT, count=None)
        told = life.refused("move", slug, "--to", "other")
        assert "The old cell still serves the tenant" in told
        assert "cell: local" in life.file(slug).read_text(encoding="utf-8"), "the new cell does not serve yet"
        life.cell.openai.clear_faults()

        moved = life.told("move", slug, "--to", "other")
        text = life.file(slug).read_text(encoding="utf-8")
        assert "cell: other" in text
        after = life.key_id(slug, "other")
        assert after != before
        assert "AWSCURRENT" in life.secret(slug, "other")["VersionIdsToStages"][moved["version_id"]]
        assert life.told("move", slug, "--to", "other")["version_id"] is None, "there already"

        told = life.refused("offboard", slug, "--yes")
        assert f"move {slug} --finish --from local" in told, "the old cell would stay open, and nobody would know"
        assert life.key_id(slug, "other") == after
    assert set(got) == {before}, "the old cell's readers had the old cell's key all the while"

    again = ("move", slug, "--finish", "--from", "local")
    assert life.command(*again).returncode == 2, "only an operator knows that no reader asks there any more"
    ended = life.told(*again, "--yes")
    assert ended["steps"] == ["deny", "stop", "kill", "destroy"]
    with pytest.raises(KeyReaderError):
        life.key_id(slug)
    assert life.live_keys(slug) == []
    assert (life.archived(slug), life.archived(slug, "other")) == ([True], [False])
    assert life.key_id(slug, "other") == after, "and the new cell never noticed"
    assert life.file(slug).read_text(encoding="utf-8") == text
    assert {f"{slug}.local", f"{slug}.other"} & life.stacks() == {f"{slug}.other"}
