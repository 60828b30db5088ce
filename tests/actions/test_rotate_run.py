"""A run over many tenants: paced, followed, stopped anywhere and continued."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from ops import journal as journals
from ops.actions.pace import Budget
from ops.actions.rotate import Progress, Rotate
from ops.cli.rotate import sentence
from ops.errors import OperationError
from ops.journal import Journal
from tenancy import Cell
from tests.actions.stand_ins import FakeAccount, FakeSecrets, Held

TENANTS = [f"tenant-{number:02}" for number in range(20)]


@pytest.fixture
def account(small_cell: Cell, secrets: FakeSecrets) -> FakeAccount:
    for tenant in TENANTS:
        secrets.held[small_cell.names.tenant(tenant).secret] = Held({f"first-{tenant}": ["AWSCURRENT"]})
    return FakeAccount(small_cell, secrets)


@pytest.fixture
def journal(tmp_path: Path, small_cell: Cell) -> Journal:
    return journals.begin(tmp_path, "rotate", small_cell, TENANTS, "quarterly")


def run(account: FakeAccount, journal: Journal, *, follow: bool = True, give_up: float = 600) -> list[Progress]:
    told: list[Progress] = []
    waiting = account.secrets.clock.waiting(give_up)
    rotation = Rotate(account, journal, follow=follow, report=told.append, waiting=waiting, budget=Budget(7))  # pyright: ignore[reportArgumentType]
    rotation.run()
    return told


def outcomes(journal: Journal) -> set[str]:
    return {entry.outcome for entry in journal.entries.values()}


def test_every_tenant_is_rotated_once_and_never_more_than_seven_in_a_minute(
    account: FakeAccount, journal: Journal, secrets: FakeSecrets
) -> None:
    told = run(account, journal)
    assert outcomes(journal) == {"succeeded"}
    assert sorted(name.split("/")[2] for name, _, _ in secrets.asked) == TENANTS
    starts = [at for _, _, at in secrets.asked]
    assert max(sum(first <= at < first + 60 for at in starts) for first in starts) == 7
    assert told[0].seconds_left > 120, "twenty at seven a minute is more than two minutes, and that is said first"
    assert (told[-1].succeeded, told[-1].failed, told[-1].seconds_left) == (20, 0, 0)


def neighbours_rotate(count: int, secrets: FakeSecrets, cell: Cell) -> datetime:
    """Tenants of the cell whose slots have come just now; when that is."""
    began = secrets.clock.moment()
    for number in range(count):
        stages = {"live": ["AWSCURRENT"], "scheduled": ["AWSPENDING"]}
        secrets.held[cell.names.tenant(f"neighbour-{number}").secret] = Held(stages, changed=began)
    return began


def test_rotations_that_others_began_take_their_turns_from_the_command(
    account: FakeAccount, journal: Journal, secrets: FakeSecrets, small_cell: Cell
) -> None:
    """Schedules, first rotations and other operators use the same minute at OpenAI: AWS's record tells of them."""
    began = neighbours_rotate(4, secrets, small_cell)
    run(account, journal)
    assert outcomes(journal) == {"succeeded"}
    first_minute = [at for _, _, at in secrets.asked if at < began.timestamp() + 60]
    assert len(first_minute) == 7 - 4, "the neighbours have four of the seven turns"
    last_minute = [at for _, _, at in secrets.asked if at > secrets.clock.time - 120]
    assert len(last_minute) >= 7, "a rotation that failed and left AWSPENDING holds nobody up for ever"


def test_each_organization_has_a_minute_of_its_own(
    account: FakeAccount, journal: Journal, secrets: FakeSecrets, small_cell: Cell
) -> None:
    """OpenAI counts calls by organization: a customer's own neither waits for the cell's tenants nor holds them up."""
    began = neighbours_rotate(7, secrets, small_cell)
    theirs = {"tenant-18": "org-customer", "tenant-19": "org-customer"}
    waiting = secrets.clock.waiting(600)
    rotation = Rotate(
        account,  # pyright: ignore[reportArgumentType]
        journal,
        follow=True,
        report=lambda _: None,
        waiting=waiting,
        budget=Budget(7),
        organizations=theirs,
    )
    assert rotation.progress().seconds_left == Budget(7).seconds_for(18), "the slowest organization's"
    rotation.run()
    assert outcomes(journal) == {"succeeded"}
    at_once = {name.split("/")[2] for name, _, at in secrets.asked if at == began.timestamp()}
    assert at_once == {"tenant-00", *theirs}, "neighbours have the cell's turns but one, and nobody has the customer's"


def test_tenants_are_rotated_in_the_records_order(
    account: FakeAccount, tmp_path: Path, secrets: FakeSecrets, small_cell: Cell
) -> None:
    order = ["tenant-07", "tenant-01", "tenant-19"]
    run(account, journals.begin(tmp_path, "rotate", small_cell, order, "leak"))
    assert [name.split("/")[2] for name, _, _ in secrets.asked] == order
    assert journals.name("rotate", order) == journals.name("rotate", sorted(order)), "another order continues the run"


def test_one_tenant_is_rotated_at_once_whatever_others_do(
    account: FakeAccount, tmp_path: Path, secrets: FakeSecrets, small_cell: Cell
) -> None:
    began = neighbours_rotate(9, secrets, small_cell)
    run(account, journals.begin(tmp_path, "rotate", small_cell, ["tenant-07"], "leaving"))
    assert [at - began.timestamp() for _, _, at in secrets.asked] == [0]


def test_without_waiting_the_run_ends_once_all_are_accepted(account: FakeAccount, journal: Journal) -> None:
    run(account, journal, follow=False)
    assert outcomes(journal) == {"started"}


class Stop(BaseException):
    """Ctrl-C, at a call that the test chooses."""


@pytest.mark.parametrize("at", range(1, 90, 5))
def test_stopped_at_any_call_the_same_command_goes_on_and_nobody_is_rotated_twice(
    account: FakeAccount,
    journal: Journal,
    secrets: FakeSecrets,
    small_cell: Cell,
    monkeypatch: pytest.MonkeyPatch,
    at: int,
) -> None:
    calls = 0
    for name in ("describe_secret", "rotate_secret"):
        original = getattr(secrets, name)

        def counted(*, _original: object = original, **arguments: object) -> object:
            nonlocal calls
            calls += 1
            answer = _original(**arguments)  # type: ignore[operator]
            if calls == at:
                raise Stop  # after AWS has done it, before its answer is known: the worst moment
            return answer

        monkeypatch.setattr(secrets, name, counted)
    with pytest.raises(Stop):
        run(account, journal)
    again = journals.unfinished(journal.path.parent, "rotate", TENANTS)
    assert again is not None
    assert again.reason == "quarterly"
    run(account, again)
    assert outcomes(again) == {"succeeded"}
    assert len(secrets.asked) == len(TENANTS), "a tenant was rotated twice or not at all"


def test_a_failed_rotation_is_told_with_aws_words_and_the_way_out(
    account: FakeAccount, journal: Journal, secrets: FakeSecrets, small_cell: Cell
) -> None:
    secrets.failing.add(small_cell.names.tenant("tenant-03").secret)
    run(account, journal)
    failed = journal.entries["tenant-03"]
    assert failed.outcome == "failed"
    assert "OpenAI answered 500" in failed.detail
    assert "myflux-keys rotate tenant-03" in failed.detail
    assert sum(entry.outcome == "succeeded" for entry in journal.entries.values()) == 19, "the others go on"


def test_a_rotation_without_an_end_is_given_up_on_in_time(
    account: FakeAccount, journal: Journal, secrets: FakeSecrets
) -> None:
    secrets.takes = 1e9
    run(account, journal, give_up=120)
    assert outcomes(journal) == {"failed"}
    assert "not ended after 2 minutes" in journal.entries["tenant-00"].detail


def test_a_rotation_that_runs_already_is_followed_and_not_repeated(
    account: FakeAccount, journal: Journal, secrets: FakeSecrets, small_cell: Cell
) -> None:
    held = secrets.held[small_cell.names.tenant("tenant-05").secret]
    held.stages["scheduled"] = ["AWSPENDING"]
    held.ready["scheduled"] = secrets.clock.time + 3
    run(account, journal)
    assert journal.entries["tenant-05"].version == "scheduled"
    assert journal.entries["tenant-05"].outcome == "succeeded"
    assert "scheduled" not in {token for _, token, _ in secrets.asked}


def test_what_cannot_rotate_says_what_to_do_and_holds_nobody_up(
    account: FakeAccount, journal: Journal, secrets: FakeSecrets, small_cell: Cell
) -> None:
    del secrets.held[small_cell.names.tenant("tenant-00").secret]
    secrets.held[small_cell.names.tenant("tenant-01").secret].rotation_enabled = False
    run(account, journal)
    assert "myflux-keys up tenant-00" in journal.entries["tenant-00"].detail
    assert "rotation is off" in journal.entries["tenant-01"].detail
    assert sum(entry.outcome == "succeeded" for entry in journal.entries.values()) == 18


def test_a_record_of_a_cell_that_was_reset_since_counts_for_nothing(
    account: FakeAccount, journal: Journal, secrets: FakeSecrets
) -> None:
    for entry in journal.entries.values():
        entry.version, entry.outcome = "rotate-of-another-life", "succeeded"
    run(account, journal)
    assert len(secrets.asked) == len(TENANTS), "AWS knows nothing of those versions, so the tenants were not rotated"


def test_a_finished_record_stays_and_does_not_stand_in_the_way(journal: Journal) -> None:
    place = journal.path.parent
    kept = journal.finish()
    assert kept.exists()
    assert kept.stat().st_mode & 0o077 == 0, "who asked for what is nobody else's business"
    assert journals.unfinished(place, "rotate", TENANTS) is None


def test_another_set_of_tenants_has_a_record_of_its_own(journal: Journal) -> None:
    assert journals.unfinished(journal.path.parent, "rotate", TENANTS[:3]) is None
    found = journals.unfinished(journal.path.parent, "rotate", reversed(TENANTS))
    assert found is not None
    assert set(found.entries) == set(TENANTS)


def test_a_record_that_cannot_be_read_is_named_and_not_overwritten(journal: Journal) -> None:
    journal.path.write_text("{", encoding="utf-8")
    with pytest.raises(OperationError, match=journal.path.name):
        journals.unfinished(journal.path.parent, "rotate", TENANTS)
    assert journal.path.read_text(encoding="utf-8") == "{"


def test_two_of_the_same_operation_at_once_are_refused_and_a_revocation_is_not(
    small_cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYFLUX_STATE", str(tmp_path / "state"))
    with journals.exclusive_run(small_cell, "rotate"):
        with pytest.raises(OperationError, match="another `rotate`"), journals.exclusive_run(small_cell, "rotate"):
            pytest.fail("both were let in")
        with journals.exclusive_run(small_cell, "revoke-acme") as place:
            assert place.is_dir(), "a leaked key does not wait until a fleet has been rotated"
    with journals.exclusive_run(small_cell, "rotate"):
        pass


def test_the_logs_and_records_of_two_checkouts_are_kept_apart(small_cell: Cell, tmp_path: Path) -> None:
    """Each has a local cell of its own, and all local cells have one name, one account and stacks of the same names."""
    first, second = tmp_path / "main" / "keys", tmp_path / "review" / "keys"
    backends = [{"MYFLUX_STATE": "/state", "PULUMI_BACKEND_URL": f"file://{home}/.local"} for home in (first, second)]
    shared = {"MYFLUX_STATE": "/state", "PULUMI_BACKEND_URL": "s3://state"}
    places = [journals.logs(shared, first), journals.logs(shared, second), journals.logs(backends[0], first)]
    assert len({*places}) == 3, "a checkout's logs on one backend"
    assert {place.parent for place in places} == {Path("/state/logs")}
    assert journals.logs(shared, first) == places[0]
    assert places[0].name.startswith("keys-"), "a person finds it"
    assert journals.folder(small_cell, backends[0]) != journals.folder(small_cell, backends[1])
    real = small_cell.model_copy(update={"local": False})
    assert journals.folder(real, backends[0]) == journals.folder(real, backends[1]), "a real cell is one, wherever from"


def test_what_is_told_of_followed_rotations_is_what_was_looked_at(journal: Journal) -> None:
    for entry in journal.entries.values():
        entry.outcome = "succeeded"
    told = sentence([journal], {}, wait=True)
    assert "each has a new live key" in told
    assert "Not checked: when the old keys expire" in told
