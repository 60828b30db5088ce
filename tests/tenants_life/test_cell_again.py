"""A cell's first deployment, and its deployment after a destroy, by nothing but the commands that messages name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.tenants_life.conftest import Life
from tests.tenants_life.test_ways_out import named, typed

pytestmark = [pytest.mark.engine, pytest.mark.cell]

SLUG = "pioneer"
UP, ADMIN_KEY = "myflux-keys up --cell third", "myflux-keys admin-key set --cell third"


@pytest.fixture
def third(life: Life) -> Iterator[None]:
    """A cell that has a file and nothing else."""
    text = (life.fleet / "cells" / "local.yaml").read_text(encoding="utf-8")
    cell = life.fleet / "cells" / "third.yaml"
    cell.write_text(text.replace("cell: local", "cell: third"), encoding="utf-8")
    yield
    life.file(SLUG).unlink(missing_ok=True)
    cell.unlink()


@pytest.mark.usefixtures("third")
def test_a_cell_is_deployed_and_after_a_destroy_deployed_again(life: Life) -> None:
    life.told("new", SLUG, "--from", "acme", "--name", "Pioneer", "--cell", "third")
    assert named(life.refused("up", SLUG)) == [UP, ADMIN_KEY]
    first = life.command(*UP.split()[1:])
    assert first.returncode == 1, "a key of its tenant needs the admin key"
    assert f"`{ADMIN_KEY}`" in first.stderr
    life.given(life.cell.openai.create_admin_key(), *ADMIN_KEY.split()[1:])
    life.told("up", SLUG)

    life.told("destroy", "--cell", "third", "--yes")
    life.file(SLUG).unlink()
    said = life.refused(*UP.split()[1:])
    assert re.search(r"scheduled for \d{4}-\d\d-\d\d, and until then AWS creates no other secret of that name", said)
    assert "Nothing was changed" in said
    delete, up, store = named(said)
    assert (up, store) == (UP, ADMIN_KEY)
    typed(life, delete)
    typed(life, up)
    life.given(life.cell.openai.create_admin_key(), *store.split()[1:])
