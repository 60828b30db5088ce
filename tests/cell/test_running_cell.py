"""The real cell, both sides: what its start costs, and who can talk to it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.aws.server import STATE_KEY
from local.cell import CellError, LocalCell

pytestmark = pytest.mark.cell

START_SECONDS = 6.0


def test_a_cell_takes_little_of_the_processor_until_it_is_ready(home: Path) -> None:
    """Some 2 s for both sides. Not by the clock on the wall: that measures what else the machine is doing."""
    cell = LocalCell.start(home)
    spent = [_processor_seconds(process) for process in Path("/proc").glob("[0-9]*") if _is_of(home, process)]
    cell.stop()
    assert len(spent) == 2, "an AWS and an OpenAI"
    assert sum(spent) < START_SECONDS, f"starting took {spent} s"


def _is_of(home: Path, process: Path) -> bool:
    try:
        return str(home).encode() in (process / "cmdline").read_bytes()
    except OSError:
        return False


def _processor_seconds(process: Path) -> float:
    """User's and system's, of all threads."""
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("user", ["deployer", "ci", "runtime", "stranger"])
def test_each_user_is_a_real_iam_user(cell: LocalCell, user: str) -> None:
    arn = cell.client(user, "sts").get_caller_identity()["Arn"]
    assert arn == f"arn:aws:iam::{cell.account_id}:user/{user}"


def test_an_unknown_user_is_refused_with_the_known_ones(cell: LocalCell) -> None:
    with pytest.raises(CellError, match=r"no user 'root'.*deployer"):
        cell.credentials("root")


def test_a_client_ignores_the_callers_own_profile(cell: LocalCell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "a-profile-that-does-not-exist")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "somebody-elses")
    client = cell.client("deployer", "sts", Config(retries={"max_attempts": 0}))
    assert client.get_caller_identity()["Account"] == cell.account_id


def test_a_secret_key_is_not_in_the_repr_of_its_holder(cell: LocalCell) -> None:
    held = cell.credentials("deployer")
    assert held.secret_access_key not in repr(held)


def test_the_clock_moves_forward_for_both_sides(cell: LocalCell) -> None:
    before = cell.advance(0)
    assert cell.advance(3600) == pytest.approx(before + 3600)
    with pytest.raises(ValueError, match="only move forward"):
        cell.advance(-1)


def test_an_object_has_the_time_of_the_cells_clock(cell: LocalCell) -> None:
    """As AWS has one clock: who compares it with the time that OpenAI tells sees no jump."""
    cell.advance(3600)
    before = datetime.now(UTC)
    s3 = cell.client("administrator", "s3")
    s3.create_bucket(Bucket="times")
    s3.put_object(Bucket="times", Key="now", Body=b"")
    (listed,) = s3.list_objects_v2(Bucket="times")["Contents"]
    told = parsedate_to_datetime(s3.head_object(Bucket="times", Key="now")["ResponseMetadata"]["HTTPHeaders"]["date"])
    s3.close()
    assert listed["LastModified"] > before + timedelta(seconds=3599)
    assert listed["LastModified"] <= told + timedelta(seconds=1)


def test_the_openai_side_answers_its_control(cell: LocalCell) -> None:
    assert cell.openai_url.endswith("/v1")
    assert cell.openai.live_keys() == [], "a new cell's OpenAI holds no project key"


def test_what_one_cell_encrypts_for_a_state_the_next_one_decrypts_and_only_who_deploys_or_previews(
    cell: LocalCell, home: Path
) -> None:
    """The engine keeps a stack's encrypted data key beside the project, also when the cell is started anew."""
    written = cell.client("deployer", "kms").encrypt(KeyId=STATE_KEY, Plaintext=b"a data key")["CiphertextBlob"]
    other = LocalCell.start(home)
    for user in ("deployer", "ci"):
        assert other.client(user, "kms").decrypt(CiphertextBlob=written)["Plaintext"] == b"a data key"
    with pytest.raises(ClientError, match="AccessDenied"):
        other.client("runtime", "kms").decrypt(CiphertextBlob=written)
