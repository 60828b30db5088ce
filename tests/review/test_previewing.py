"""Which stacks of a change the engine previews."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops.review import previewing
from ops.review.preview import Preview


class Copied:
    """Copies of the states that there are: of the platform `local` alone."""

    def take(self, stack: str) -> bool:
        return stack == "local"

    def preview(self, stack: str, cell: str) -> Preview:
        assert cell in ("local", stack), f"the engine knows no stack {cell}, to which {stack} refers"
        return Preview(stack, self.take(stack))


def test_a_tenant_of_a_cell_that_is_not_deployed_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def copies(_fleet: Path) -> Generator[Copied]:
        yield Copied()

    monkeypatch.setattr(previewing, "copies", copies)
    stacks = {"local": "local", "prod": "prod", "acme.local": "local", "hotel.prod": "prod"}
    found = previewing.run(Path(), stacks, lambda _: None)
    assert [one.stack for one in found.done] == ["local", "prod", "acme.local"]
    assert (found.left, found.without_platform) == (1, ("prod",))
