"""What `credential` says before it asks, whom it refuses, and how it writes the tenant's file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import tenancy
from myflux_keys.key_life import READER_CACHE_SECONDS
from ops.actions import credential, run_credential
from ops.actions.credential import KEY, TO_KEY, TO_TOKENS, TOKENS, Phase
from ops.actions.tenant_file import TenantFile
from ops.errors import OperationError
from tenancy import Cell, Tenant
from tests.tenancy.files import Files

NOW = datetime(2026, 11, 30, tzinfo=UTC)


ACME = tenancy.load(Path(__file__).resolve().parents[2]).tenants["acme"]


def tenant(phase: Phase = KEY) -> Tenant:
    name, before = phase
    return ACME.model_copy(update={"tenant": "bay", "credential": name, "switching_from": before})


@pytest.mark.parametrize("phase", [KEY, TO_TOKENS, TOKENS, TO_KEY])
def test_each_step_is_told_before_the_question(small_cell: Cell, phase: Phase) -> None:
    there, back = (credential.plan(small_cell, tenant(phase), target) for target in ("federated", "key"))
    assert "read back" in there[-1]
    assert "rule is deleted" in back[-1]
    assert len(there) == (3 if phase == TOKENS else 5)
    assert ("already" in there[0]) == (phase == TOKENS)
    assert len(back) == (4 if phase in (TOKENS, TO_TOKENS) else 3)


def test_a_customers_key_and_a_disabled_tenant_are_refused_before_anything(small_cell: Cell) -> None:
    theirs = tenant().model_copy(update={"source": "customer"})
    assert "customer's account" in str(credential.refused(theirs, "federated"))
    off = tenant().model_copy(update={"enabled": False})
    assert "myflux-keys enable bay" in str(credential.refused(off, "federated"))
    assert credential.refused(off, "key") is None, "a way back is always open"


def test_a_cell_without_federation_is_refused_by_its_files_and_nothing_is_written(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.tenant()
    before = {path: path.read_text() for path in (tmp_path / "tenants").glob("*.yaml")}
    with pytest.raises(tenancy.TenancyError, match="federation"):
        run_credential.prepare(tmp_path, next(iter(before)).stem, "federated", "")
    assert {path: path.read_text() for path in before} == before


def test_the_file_goes_through_the_four_phases_and_is_as_before_at_the_end(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.tenant()
    (path,) = (tmp_path / "tenants").glob("*.yaml")
    file, before = TenantFile(tmp_path, path.stem), path.read_text() + "# the last line\n"
    path.write_text(before)
    seen: list[str] = []
    for phase in (TO_TOKENS, TOKENS, TO_TOKENS, TO_KEY, KEY):
        file.write(run_credential.text_of(file, phase))
        seen.append(path.read_text().removeprefix(before))
    assert seen == [
        "credential: federated\nswitching_from: key\n",
        "credential: federated\n",
        "credential: federated\nswitching_from: key\n",
        "credential: key\nswitching_from: federated\n",
        "",
    ]


def test_a_field_in_a_form_that_cannot_be_taken_away_is_left_to_the_person(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.tenant()
    (path,) = (tmp_path / "tenants").glob("*.yaml")
    path.write_text(path.read_text() + '"switching_from":\n  key\n')
    with pytest.raises(OperationError, match="cannot be taken away safely"):
        run_credential.text_of(TenantFile(tmp_path, path.stem), TOKENS)


def test_a_key_has_no_user_once_the_caches_have_ended_and_nobody_used_it_lately() -> None:
    caches = NOW + timedelta(seconds=READER_CACHE_SECONDS)
    assert credential.key_unused_from(NOW, {}) == caches
    assert credential.key_unused_from(NOW, {"key_1": None, "key_2": NOW}) == caches
    late = caches + timedelta(minutes=10)
    assert credential.key_unused_from(NOW, {"key_1": NOW, "key_2": late}) == late + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("look", "why"),
    [
        ({}, "no call with a token"),
        ({"asked_with": "key", "list": {"cause": "ok"}, "call": {"cause": "ok"}}, "no call with a token"),
        ({"asked_with": "token", "list": {"cause": "ok"}, "call": {"cause": "balance_gone", "said": "429"}}, "balance"),
        ({"asked_with": "token", "list": {"cause": "ok"}, "call": None}, None),
    ],
)
def test_only_an_answer_to_a_call_with_a_token_proves_it(look: dict[str, object], why: str | None) -> None:
    found = credential.unproven(look, "token")
    assert found is None if why is None else why in str(found)
