"""docs/reader.md says what the reader does: its errors, its times, and names that work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import myflux_keys
from myflux_keys import KeyReaderError, cached_key, lifetimes
from myflux_keys.aws_names import CellNames
from myflux_keys.tenant_sessions import CALL_LIMITS

ROOT = Path(myflux_keys.__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "reader.md").read_text(encoding="utf-8")


def test_it_has_every_error_and_no_other() -> None:
    public = [getattr(myflux_keys, name) for name in myflux_keys.__all__]
    errors = {each.__name__ for each in public if isinstance(each, type) and issubclass(each, KeyReaderError)}
    assert set(re.findall(r"^\| `(\w+Error)` \|", PAGE, re.MULTILINE)) == errors


def test_its_times_are_the_readers() -> None:
    lives = lifetimes.Lifetimes()
    for said in (
        f"waits for AWS at most {cached_key.PATIENCE} s",
        f"younger than {lifetimes.REFRESH_AT:.0%} of `ttl` ({lives.ttl:.0f} s, ± {lifetimes.JITTER:.0%})",
        f"`ttl` + `stale_for` ({lives.stale_for:.0f} s)",
        f"`ttl` is at most {lifetimes.MAX_TTL / (1 + lifetimes.JITTER):.0f} s",
        f"up to {lifetimes.LONGEST_PAUSE:.0f}",
    ):
        assert said.replace("%", " %") in PAGE
    assert (cached_key.AWAY_FOR, cached_key.LOST_AFTER) == (60, 60), "for a minute after a failure; older than a minute"
    limits: Any = CALL_LIMITS
    assert (limits.retries["total_max_attempts"], limits.connect_timeout + limits.read_timeout) == (3, 6)


def test_its_roles_are_those_that_are_deployed() -> None:
    cell = CellNames("prod-eu1", "111122223333", "eu-central-1")
    told = re.search(r"```python\n(ACCOUNT = .*?)\n\nreader = ", PAGE, re.DOTALL)
    assert told is not None
    found: dict[str, Any] = {}
    exec(told[1], found)
    assert found["role_of"]("initech") == cell.tenant("initech").dedicated_role_arn
    assert found["role_of"]("acme") == cell.runtime_role_arn


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_its_code_is_python(code: str) -> None:
    compile(f"async def page():\n{''.join(f'    {line}' for line in code.splitlines(keepends=True))}", "page", "exec")
