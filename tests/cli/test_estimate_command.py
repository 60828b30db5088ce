"""`myflux-keys estimate` as a person types it: what is wrong with the question, and an answer that can be trusted."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Command


def test_it_answers_in_words_and_as_json(myflux: Command) -> None:
    asked = ("estimate", "acme", "--input-tokens", "2000", "--cached", "500", "--calls-per-day", "1000")
    told = myflux(*asked)
    assert told.code == 0
    assert "75.38" in told.out
    assert "37.7 %" in told.out
    assert "genai-prices" in told.out
    answer = json.loads(myflux(*asked, "--json").out)
    assert answer["models"][0]["usd"] == "75.375000"
    assert answer["budget"]["holds"] is True
    assert answer["prices"]["as_of"] < "2027"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((), "--input-tokens or --text FILE"),
        (("--input-tokens", "10", "--text", "x"), "--input-tokens or --text FILE"),
        (("--input-tokens", "10", "--cached", "11"), "more than a call sends"),
        (("--input-tokens", "10", "--flex", "--batch"), "not both"),
        (("--text", "/nowhere/at/all"), "cannot read /nowhere/at/all"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_with_the_reason(
    myflux: Command, asked: tuple[str, ...], said: str
) -> None:
    told = myflux("estimate", "acme", *asked)
    assert told.code == 1
    assert said in told.err


def test_each_limit_is_a_column_within_80_columns_and_a_batch_has_its_own(myflux: Command) -> None:
    """OpenAI limits requests and tokens a minute, and requests a day; of a batch the tokens that are sent."""
    load = ("estimate", "acme", "--input-tokens", "2000", "--calls-per-day", "900000")
    lines = myflux(*load).out.splitlines()
    (heading,) = (line for line in lines if line.startswith("MODEL"))
    assert heading.split() == ["MODEL", "USD", "REQUESTS/MIN", "TOKENS/MIN", "REQUESTS/DAY"]
    told = " ".join(lines)
    assert "1,500 of 500: TOO MANY" in told
    assert "3,450,000 of 200,000: TOO MANY" in told
    assert " 900,000 " in told
    few = myflux(*load[:-1], "1000").out.splitlines()
    assert max(map(len, few)) <= 80
    batch = myflux(*load, "--batch").out
    assert "TOO MANY" not in batch
    assert "TOKENS SENT/DAY" in batch
    assert " 1,800,000,000" in batch


def test_a_days_limit_which_no_file_has_is_judged_if_it_is_given(myflux: Command) -> None:
    load = ("estimate", "acme", "--input-tokens", "2000", "--calls-per-day", "10000")
    assert "10,000 of 9,999: TOO MANY" in myflux(*load, "--day-limit", "9999").out
    assert "10,000 of 10,000" in myflux(*load, "--day-limit", "10000").out
    assert "20,000,000 of 1: TOO MANY" in myflux(*load, "--batch", "--day-limit", "1").out


def test_a_text_is_counted_by_the_rule_of_thumb(myflux: Command, tmp_path: Path) -> None:
    file = tmp_path / "call.txt"
    file.write_text("a" * 4000, encoding="utf-8")
    answer = json.loads(myflux("estimate", "acme", "--text", str(file), "--json").out)
    assert answer["load"]["input_tokens"] == 1000


def test_a_model_without_a_price_fails_the_command_and_is_named(myflux: Command, tmp_path: Path) -> None:
    fleet = tmp_path / "fleet"
    for folder in ("tenants", "cells"):
        shutil.copytree(ROOT / folder, fleet / folder)
    file = fleet / "tenants" / "acme.yaml"
    file.write_text(file.read_text("utf-8").replace("models: [gpt-5.4-mini]", "models: [gpt-5.4-mini, gpt-6.2-sol]"))
    told = myflux("estimate", "acme", "--input-tokens", "10", "--fleet", str(fleet))
    assert told.code == 1
    assert "no price of gpt-6.2-sol" in told.err
    assert "gpt-5.4-mini" in told.out, "what is known is shown"


def test_prices_whose_day_is_not_known_are_said_to_be_old_also_beside_the_models(
    myflux: Command, tmp_path: Path
) -> None:
    """The table has the price of an embedding, and not the day on which somebody read it."""
    fleet = tmp_path / "fleet"
    for folder in ("tenants", "cells"):
        shutil.copytree(ROOT / folder, fleet / folder)
    file = fleet / "tenants" / "acme.yaml"
    file.write_text(file.read_text("utf-8").replace("gpt-5.4-mini", "text-embedding-3-small"))
    told = myflux("models", "--tenant", "acme", "--fleet", str(fleet))
    assert told.code == 0, told.err
    told_in_words = " ".join(told.out.split())
    assert "an unknown day. They are old: compare them with https://" in told_in_words
    asked = ("estimate", "acme", "--input-tokens", "9", "--output-tokens", "0", "--fleet", str(fleet), "--json")
    assert json.loads(myflux(*asked).out)["prices"] == {
        "source": json.loads(myflux("models", "--json").out)["prices"]["source"],
        "as_of": None,
        "old": True,
    }


WALKED = re.findall(
    r"^\./myflux-keys ((?:estimate|models).*?)(?: +#.*)?$", (ROOT / "docs/usage.md").read_text("utf-8"), re.M
)


@pytest.mark.parametrize("command", WALKED)
def test_what_the_documentation_says_to_type_works(myflux: Command, command: str) -> None:
    told = myflux(*shlex.split(command), environment={"MYFLUX_FLEET": str(ROOT)})
    assert (told.code, told.err) == (0, "")


def test_the_documentation_shows_what_is_printed(myflux: Command) -> None:
    """But for dates, and what follows the ellipsis."""
    shown = (ROOT / "docs/usage.md").read_text("utf-8").partition("\nacme: 3,000 calls")[2].partition("…")[0]
    told = myflux(*shlex.split(WALKED[0])).out
    date = r"\d{4}-\d\d-\d\d"
    assert re.sub(date, "DATE", f"acme: 3,000 calls{shown}") in re.sub(date, "DATE", told)


def test_models_fit_80_columns_also_of_a_tenant_whose_models_end(myflux: Command, tmp_path: Path) -> None:
    fleet = tmp_path / "fleet"
    for folder in ("tenants", "cells"):
        shutil.copytree(ROOT / folder, fleet / folder)
    file = fleet / "tenants" / "acme.yaml"
    file.write_text(file.read_text("utf-8").replace("gpt-5.4-mini", "gpt-5-mini"))
    every, of_tenant = myflux("models"), myflux("models", "--tenant", "acme", "--fleet", str(fleet))
    for told in (every, of_tenant):
        assert told.code == 0, told.err
        assert max(map(len, told.out.splitlines()[:-1])) <= 80, "the last may be a line to copy"
    assert "gpt-5-mini-2025-08-07" not in every.out
    assert "gpt-5-mini-2025-08-07" in myflux("models", "--json").out
    rows = [line.split() for line in of_tenant.out.splitlines()]
    assert ["gpt-5-mini", "0.25", "0.025", "2", "400k", "2026-12-11", "gpt-6.1-terra"] in rows
    assert ["gpt-5-mini", "default", "500", "200,000"] in rows
    assert ["gpt-6.1-terra", "no", "-", "-"] in rows
    assert "\nmodels: [gpt-6.1-terra]\nrate_limits: {gpt-6.1-terra: " in of_tenant.out
