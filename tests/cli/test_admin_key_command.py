"""`myflux-keys admin-key set`: what is kept, what is refused, and that no stream ever shows the key."""

from __future__ import annotations

import json
from collections.abc import Callable

import openai
import pytest
from botocore.exceptions import ClientError

from local.cell import LocalCell
from tests.cli.conftest import Command, Said

pytestmark = pytest.mark.cell

SET = ("admin-key", "set", "--cell", "local")
SECRET = "myflux-admin/local/openai"
Store = Callable[..., Said]


@pytest.fixture
def store(cell: LocalCell, myflux: Command) -> Store:
    """Gives `key` to the command; whatever comes of it, the key is in no stream."""

    def run(key: str, *more: str, user: str = "deployer", **changed: str) -> Said:
        said = myflux(*SET, *more, stdin=f"{key}\n", environment=cell.environment(user) | changed)
        if key.strip():
            assert key.strip() not in said.out + said.err
        return said

    return run


def _versions(cell: LocalCell, label: str | None = None) -> set[str]:
    secrets = cell.client("deployer", "secretsmanager")
    try:
        stages = secrets.describe_secret(SecretId=SECRET).get("VersionIdsToStages", {})
        return {version for version, labels in stages.items() if label is None or label in labels}
    finally:
        secrets.close()


def _project_key(cell: LocalCell) -> str:
    with openai.OpenAI(admin_api_key=cell.openai.create_admin_key(), base_url=cell.openai_url) as client:
        project = client.admin.organization.projects.create(name="somebody's")
    return cell.openai.create_user_key(project.id)


def test_a_key_from_standard_input_goes_where_not_even_an_administrator_reads_it(cell: LocalCell, store: Store) -> None:
    key = cell.openai.create_admin_key(expires_in_seconds=90 * 86_400)
    said = store(key)
    assert (said.code, said.err) == (0, "")
    secrets = cell.client("administrator", "secretsmanager")
    with pytest.raises(ClientError, match="AccessDenied"):
        secrets.get_secret_value(SecretId=SECRET)
    secrets.close()
    (version,) = _versions(cell, "AWSCURRENT")
    assert version in said.out


def test_json_is_all_that_is_on_stdout(cell: LocalCell, store: Store) -> None:
    told = json.loads(store(cell.openai.create_admin_key(), "--json").out)
    assert told.keys() == {"cell", "secret", "version_id", "expires_at", "notices"}
    assert told["secret"] == SECRET


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "no key was given"),
        ("   ", "no key was given"),
        ("garbage", "not an admin key"),
        ("sk-" + "proj-" + "x" * 40, "not an admin key"),
        ("sk-" + "admin-" + "cut in two", "white space"),
        ("sk-" + "admin-" + "ключ" * 8, "non-ASCII"),
        ("sk-" + "admin-" + "x" * 40, "OpenAI refuses this key"),
    ],
)
def test_what_is_no_admin_key_is_refused_and_not_kept(cell: LocalCell, store: Store, given: str, words: str) -> None:
    before = _versions(cell)
    said = store(given)
    assert said.code == 1
    assert said.out == ""
    assert words in said.err
    assert "Traceback" not in said.err
    assert _versions(cell) == before


def test_a_projects_key_is_refused_though_openai_knows_it(cell: LocalCell, store: Store) -> None:
    before = _versions(cell)
    said = store(_project_key(cell))
    assert said.code == 1
    assert "A project's key cannot make projects" in said.err
    assert _versions(cell) == before


def test_a_revoked_key_is_refused(cell: LocalCell, store: Store) -> None:
    key = cell.openai.create_admin_key("short")
    with openai.OpenAI(admin_api_key=key, base_url=cell.openai_url) as client:
        held = [entry for entry in client.admin.organization.admin_api_keys.list() if entry.name == "short"]
        for entry in held:
            client.admin.organization.admin_api_keys.delete(entry.id)
    before = _versions(cell)
    said = store(key)
    assert said.code == 1
    assert "revoked" in said.err
    assert _versions(cell) == before


def test_an_admin_key_that_may_not_manage_projects_is_refused(cell: LocalCell, store: Store) -> None:
    said = store(cell.openai.create_admin_key("reader", scopes=["api.usage.read"]))
    assert (said.code, said.out) == (1, "")
    assert "api.management.write" in said.err


def test_before_the_platform_is_deployed_there_is_no_place_and_that_is_said(
    cell: LocalCell, store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    empty = LocalCell.start(tmp_path_factory.mktemp("empty") / "cell")
    try:
        said = store(cell.openai.create_admin_key(), **_aws_of(empty))
    finally:
        empty.stop()
    assert said.code == 1
    assert "deploy the cell's platform first" in said.err
    assert "myflux-keys up --cell local" in said.err


def _aws_of(other: LocalCell) -> dict[str, str]:
    return {k: v for k, v in other.environment("deployer").items() if k.startswith("AWS_")}


@pytest.mark.parametrize("user", ["ci", "runtime", "stranger"])
def test_who_is_no_deployer_stores_nothing(cell: LocalCell, store: Store, user: str) -> None:
    before = _versions(cell)
    said = store(cell.openai.create_admin_key(), user=user)
    assert said.code == 1
    assert "only the cell's deployers may store" in said.err
    assert _versions(cell) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"},
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"},
    ],
    ids=["AWS is not there", "no credentials"],
)
def test_aws_out_of_reach_is_one_sentence_and_no_traceback(
    cell: LocalCell, store: Store, changed: dict[str, str]
) -> None:
    said = store(cell.openai.create_admin_key(), **changed)
    assert said.code == 1
    assert "AWS" in said.err
    assert "Traceback" not in said.err


def test_openai_out_of_reach_keeps_nothing(cell: LocalCell, store: Store) -> None:
    cell.openai.fault("500", count=None)
    try:
        said = store(cell.openai.create_admin_key())
    finally:
        cell.openai.clear_faults()
    assert said.code == 1
    assert "Nothing was stored" in said.err


def test_without_the_local_cells_address_it_says_how_to_get_one(store: Store) -> None:
    said = store("sk-" + "admin-" + "x" * 40, MYFLUX_LOCAL_OPENAI_URL="")
    assert said.code == 1
    assert "myflux-keys local env" in said.err


def test_a_key_is_never_sent_over_plain_http_to_another_machine(store: Store) -> None:
    said = store("sk-" + "admin-" + "x" * 40, MYFLUX_LOCAL_OPENAI_URL="http://openai.example/v1")
    assert said.code == 1
    assert "is not sent to this address" in said.err
