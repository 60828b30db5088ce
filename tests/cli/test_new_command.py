"""`myflux-keys new`: by flags where there is nobody to ask, by questions on a terminal."""

from __future__ import annotations

import inspect
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ops.cli import new
from tenancy import Tenant
from tenancy.catalogue import OFFERED_MODELS
from tests.cli.conftest import ROOT, Command

FLAGS = ("--name", "Zeta Air", "--cell", "local", "--country", "NO", "--model", "gpt-5.4-mini")
ROTATES = ("--every-days", "31", "--overlap-hours", "24")


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    for folder in ("tenants", "cells"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def test_where_nobody_can_be_asked_the_missing_flags_are_named(myflux: Command, fleet: Path) -> None:
    said = myflux("new", "zeta", "--cell", "local", "--fleet", str(fleet))
    assert (said.code, said.out) == (2, "")
    assert "add --name, --country, --model, --every-days, --overlap-hours" in said.err
    assert "--every-days" not in myflux("new", "zeta", "--source", "customer", "--fleet", str(fleet)).err
    assert not (fleet / "tenants" / "zeta.yaml").exists()


def test_a_dry_run_prints_the_very_file_that_is_then_written(myflux: Command, fleet: Path) -> None:
    arguments = ("new", "zeta", *FLAGS, *ROTATES, "--fleet", str(fleet))
    shown = myflux(*arguments, "--dry-run")
    assert shown.code == 0
    assert not (fleet / "tenants" / "zeta.yaml").exists()
    told = json.loads(myflux(*arguments, "--json").out)
    written = (fleet / "tenants" / "zeta.yaml").read_text(encoding="utf-8")
    assert written == shown.out == told["content"]
    assert told["written"]
    assert "5 tenants" in myflux("validate", "--fleet", str(fleet)).out
    assert "never overwrites" in myflux(*arguments).err


def test_a_customers_file_from_a_managed_one_says_nothing_of_its_budget(myflux: Command, fleet: Path) -> None:
    said = myflux(
        *("new", "zeta", "--from", "fjord", "--name", "Zeta", "--source", "customer", "--dry-run"),
        *("--fleet", str(fleet)),
    )
    assert said.code == 0, said.err
    assert "budget" not in said.out + said.err


def test_what_tenancy_refuses_is_not_written(myflux: Command, fleet: Path) -> None:
    said = myflux("new", "zeta", *FLAGS, "--every-days", "0", "--overlap-hours", "24", "--fleet", str(fleet))
    assert said.code == 1
    assert "tenants/zeta.yaml:8: rotation.every_days 0" in said.err
    key = "sk-" + "proj-" + "x" * 24
    said = myflux("new", "zeta", *FLAGS[2:], *ROTATES, "--name", key, "--fleet", str(fleet))
    assert said.code == 1
    assert "key-shaped" in said.err
    assert key not in said.err
    assert not (fleet / "tenants" / "zeta.yaml").exists()


def test_a_terminal_is_asked_with_defaults_and_each_answer_is_checked_before_the_next(fleet: Path) -> None:
    """Enter takes the default; a country that OpenAI does not serve is asked for again at once."""
    said = asked(
        fleet,
        ("Display name", "Zeta Air"),
        ("Cell that", ""),
        ("Country", "KP"),
        ("OpenAI does not offer its API in .*Country", "? nor"),
        ("NO  Norway.*Country", "NO"),
        ("Source of keys", ""),
        ("Models", "? mini"),
        ("gpt-5.4-mini\r\n.*Models", "gpt-17"),
        ("not in the list of OpenAI's models.*Models", "gpt-5.4-mini"),
        ("Who uses", "myflux cinnox"),
        ("Isolation", ""),
        ("Longest time", "thirty"),
        ("Longest time", ""),
        ("Hours that", "6"),
        ("overlap_hours: 24 or more.*Hours that", "24"),
        ("Budget", "200"),
    )
    assert "[local]" in said, "the only cell is the default"
    assert "KP  " not in said, "only what can be answered is listed"
    written = (fleet / "tenants" / "zeta.yaml").read_text(encoding="utf-8")
    assert "country: 'NO'\n" in written
    assert "rotation: {every_days: 31, overlap_hours: 24}\n" in written
    assert "budget: {monthly_usd: 200}\n" in written
    assert "consumers: {myflux: true, cinnox: true}\n" in written
    assert "isolation" not in written, "a default stays one"


def test_a_customer_with_an_organization_is_asked_what_fits(fleet: Path) -> None:
    said = asked(
        fleet,
        ("Display name", "Zeta Air"),
        ("Cell that", ""),
        ("Country", "NO"),
        ("Source of keys", "customer"),
        ("OpenAI organization", "zeta"),
        ("OpenAI organization", "org-zeta"),
        ("Models", "gpt-5.4-mini"),
        ("Who uses", ""),
        ("Isolation", "dedicated"),
        ("Longest time.*until their admin key is stored", ""),
    )
    assert "Budget" not in said, "nothing is minted yet"
    written = (fleet / "tenants" / "zeta.yaml").read_text(encoding="utf-8")
    assert "source: customer\norganization_id: org-zeta\nisolation: dedicated\n" in written
    assert "rotation" not in written


def _with_federation(fleet: Path) -> None:
    with (fleet / "cells" / "local.yaml").open("a", encoding="utf-8") as file:
        file.write("federation: {enabled: true}\n")


def test_a_terminal_is_asked_about_the_credential_only_where_none_is_recommended(fleet: Path) -> None:
    _with_federation(fleet)
    said = asked(
        fleet,
        ("Who uses", ""),
        ("Isolation", ""),
        ("Recommended: federated, since nothing is stored.*Credential", ""),
        ("Budget", ""),
        options=(*FLAGS, *ROTATES, "--source", "managed"),
    )
    assert "credential: federated\n" in (fleet / "tenants" / "zeta.yaml").read_text(encoding="utf-8")
    assert "Credential: no key (`credential: federated`), since nothing is stored" in said


def test_without_a_terminal_a_key_stays_the_default_and_the_better_choice_is_told(myflux: Command, fleet: Path) -> None:
    _with_federation(fleet)
    arguments = ("new", "zeta", *FLAGS, *ROTATES, "--fleet", str(fleet), "--dry-run")
    said = myflux(*arguments, "--json")
    assert "Credential: a key. Recommended is no key (`credential: federated`), since nothing is stored" in said.err
    told = json.loads(said.out)
    assert (told["recommended"]["credential"], "credential" in told["content"]) == ("federated", False)
    chosen = myflux(*arguments, "--credential", "federated")
    assert "credential: federated\n" in chosen.out
    assert "Recommended" not in chosen.err


def test_hours_that_a_consumer_cannot_use_are_asked_again_as_days(fleet: Path) -> None:
    """No overlap would be accepted: the consumer needs a day, and the interval allows four hours."""
    asked(
        fleet,
        ("Isolation", ""),
        ("Hours that", "24"),
        ("every_days: 1 in place of every_hours.*Hours that", "4"),
        ("Budget", ""),
        ("needs a day for it.*Longest time", "7"),
        ("overlap_hours: 24 or more.*Hours that", "24"),
        options=(*FLAGS, "--source", "managed", "--consumer", "cinnox", "--every-hours", "4"),
    )
    written = (fleet / "tenants" / "zeta.yaml").read_text(encoding="utf-8")
    assert "rotation: {every_days: 7, overlap_hours: 24}\n" in written


def test_an_option_that_the_tenant_cannot_have_ends_the_questions_with_the_way_out(fleet: Path) -> None:
    """Where no key is minted, every answer to its question would be refused."""
    said = asked(
        fleet,
        ("OpenAI organization", ""),
        ("Who uses", ""),
        ("Isolation", ""),
        options=(*FLAGS, "--source", "customer", "--monthly-usd", "50"),
        ends="delete `budget`, set source: managed",
        code=1,
    )
    assert "Budget" not in said
    assert not (fleet / "tenants" / "zeta.yaml").exists()


EVERY_KIND = {
    "managed": (*ROTATES,),
    "managed, all that can be said": (
        *("--permission", "all", "--rate-limit", "gpt-5.4-mini=500,200000", "--every-hours", "12"),
        *(
            "--overlap-hours",
            "6",
            "--monthly-usd",
            "50",
            "--soft",
            "--alert-percent",
            "80",
            "--email",
            "it@zeta.example",
        ),
    ),
    "dedicated, with a person who pastes": (*ROTATES, "--isolation", "dedicated", "--consumer", "cinnox"),
    "the customer's key": ("--source", "customer"),
    "the customer's organization, before its admin key": ("--source", "customer", "--organization-id", "org-zeta"),
    "the customer's organization": ("--source", "customer", "--organization-id", "org-zeta", *ROTATES),
}


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_kind_of_tenant_can_be_made(myflux: Command, fleet: Path, kind: str) -> None:
    said = myflux("new", "zeta", *FLAGS, *EVERY_KIND[kind], "--fleet", str(fleet))
    assert said.code == 0, said.err
    assert "5 tenants" in myflux("validate", "--fleet", str(fleet)).out


def test_every_field_of_a_tenants_file_can_be_set(fleet: Path) -> None:
    """All but `enabled`: a tenant that is to begin disabled needs `disable` once it is deployed. And none begins in
    the middle of a switch."""
    options = inspect.signature(new.new).parameters
    command = " ".join(map(str, options))
    fields = {
        **{name: name for name in Tenant.model_fields},
        "tenant": "tenant",
        "source": "key_source",
        "rotation": "every_days every_hours overlap_hours",
        "budget": "monthly_usd soft alerts emails",
    }
    assert [name for name in fields if not all(one in command.split() for one in fields[name].split())] == [
        "switching_from",
        "enabled",
    ]


def test_models_and_countries_are_listed(myflux: Command) -> None:
    countries = myflux("new", "zeta", "--country", "?").out
    assert "CR  Costa Rica\n" in countries
    assert "KP" not in countries
    models = json.loads(myflux("new", "zeta", "--model", "?", "--json").out)
    assert set(models) == {*OFFERED_MODELS}


def asked(
    fleet: Path, *answers: tuple[str, str], options: tuple[str, ...] = (), ends: str = "Wrote .*zeta", code: int = 0
) -> str:
    """What the terminal shows while `new zeta` is answered; each answer waits for its question."""
    terminal, side = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "new", "zeta", *options, "--fleet", str(fleet)],
        cwd=ROOT,
        stdin=side,
        stdout=side,
        stderr=side,
    )
    os.close(side)
    said = ""
    try:
        for question, answer in answers:
            said += until(terminal, f"(?s){question}.*: $")
            os.write(terminal, f"{answer}\n".encode())
        said += until(terminal, ends)
        assert running.wait(60) == code
    finally:
        running.kill()
        running.wait()
        os.close(terminal)
    return said


def until(terminal: int, what: str) -> str:
    """What the terminal shows until a line matches `what`, a regular expression."""
    shown = ""
    give_up = time.monotonic() + 60
    while not re.search(what, shown):
        assert time.monotonic() < give_up, f"{what!r} never came: {shown}"
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096).decode()
    return shown
