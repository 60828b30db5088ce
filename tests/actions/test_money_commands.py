"""`myflux-keys usage` as an operator types it, on a cell that the real engine deployed: what the function's role
allows, and every form of the report."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import subprocess
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.actions.conftest import ROOT, Operated

pytestmark = [pytest.mark.engine, pytest.mark.cell]

MODEL = "gpt-5.4-mini"


@pytest.fixture(scope="module")
def told(operated: Operated) -> subprocess.CompletedProcess[str]:
    """Some calls of acme and none of fjord, which nobody asked about before."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT_URL", "NO_PROXY", "no_proxy"):
            patch.setenv(name, operated.environment[name])
        with operated.reader() as reader, reader.openai_client("acme") as client:
            for _ in range(3):
                client.responses.create(model=MODEL, input="word " * 2000)
    return operated.command("usage", "--json")


def test_what_was_used_is_what_was_billed(operated: Operated, told: subprocess.CompletedProcess[str]) -> None:
    assert told.returncode == 0, told.stderr
    [cell] = json.loads(told.stdout)["cells"]
    rows = {row["tenant"]: row for row in cell["rows"]}
    spent = {one.name: Decimal(str(one.spent_usd)) for one in operated.cell.openai.projects()}
    acme = rows["acme"]
    assert acme["requests"] >= 3
    assert Decimal(acme["billed_usd"]) == pytest.approx(
        spent[operated.names.tenant("acme").project], rel=Decimal("1e-9")
    )
    assert abs(Decimal(acme["difference_usd"])) < Decimal(acme["billed_usd"]) / 20
    assert Decimal(rows["fjord"]["billed_usd"]) == spent[operated.names.tenant("fjord").project]
    assert cell["complete"] is True
    assert cell["as_of"].endswith("+00:00")
    assert cell["prices"]["as_of"]


def test_the_report_says_the_same_in_words_and_as_csv(operated: Operated) -> None:
    text = operated.command("usage", "acme", "--by", "day")
    assert text.returncode == 0, text.stderr
    assert "BILLED BY DAY" in text.stdout
    assert "####" in text.stdout, "no terminal, so plain characters"
    assert "provisional" in text.stdout
    assert "fjord" not in text.stdout
    table = operated.command("usage", "--by", "key", "--csv")
    rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(table.stdout)))
    assert {row["tenant"] for row in rows} >= {"acme"}
    assert all(row["key"].startswith("key_") for row in rows if row["tenant"] == "acme")
    models = operated.command("usage", "acme", "--by", "model")
    assert MODEL in models.stdout


def test_a_tenant_without_a_stack_is_told_and_two_forms_at_once_are_refused(operated: Operated) -> None:
    told = operated.command("usage", "initech")
    assert told.returncode == 0, told.stderr
    assert "initech: it has no secret" in told.stdout
    assert operated.command("usage", "--csv", "--json").returncode == 2
    early = operated.command("usage", "--since", "2020-01-01")
    assert (early.returncode, early.stdout) == (1, "")
    assert "366 days" in early.stderr


def test_what_the_documentation_says_to_type_works(operated: Operated) -> None:
    text = (ROOT / "docs" / "usage.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\./myflux-keys (usage.*?)(?: +#.*)?$", text, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        today = f"{datetime.now(UTC):%Y-%m-%d}"  # The date in the text will be too long ago some day.
        told = operated.command(*shlex.split(re.sub(r"\d{4}-\d\d-\d\d", today, command)))
        assert told.returncode == 0, told.stderr
        assert "acme" in told.stdout or "Nothing was used" in told.stdout
