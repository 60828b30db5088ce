"""A cell whose file names bucket and key: nobody logs in anywhere, and no passphrase is set."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.aws.server import STATE_KEY
from local.environment import SECRETS_PROVIDER
from ops import state_place
from ops.errors import Unreadable
from ops.stacks import state_file
from tests.program.rig import ROOT, Rig
from tests.stacks.conftest import Operator

CELL = "kept"
BUCKET = "myflux-state-kept"


@dataclass
class Kept:
    """`fleet` has the one cell. `operator` has a shell without a word of Pulumi's."""

    operator: Operator
    fleet: Path

    def run(self, *arguments: str, **more: str) -> Any:
        return self.operator.run(*arguments, "--fleet", str(self.fleet), **more)

    def state(self, stack: str) -> dict[str, Any]:
        """As it is in the bucket."""
        name = f".pulumi/stacks/myflux-keys/{stack}.json"
        s3 = self.operator.rig.client("administrator", "s3")
        return json.loads(s3.get_object(Bucket=BUCKET, Key=name)["Body"].read())["checkpoint"]["latest"]


@pytest.fixture(scope="module")
def kept(fleet_rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("kept")
    fleet_rig.state_in_s3(BUCKET, versioned=True)
    for name in ("cells", "tenants"):
        (folder / "fleet" / name).mkdir(parents=True)
    fields = yaml.safe_load((ROOT / "cells" / "local.yaml").read_text("utf-8"))
    fields |= {"cell": CELL, "state": {"bucket": BUCKET, "kms_key": STATE_KEY}}
    (folder / "fleet" / "cells" / f"{CELL}.yaml").write_text(yaml.safe_dump(fields), "utf-8")
    unset = {"PULUMI_BACKEND_URL": "", "PULUMI_CONFIG_PASSPHRASE_FILE": ""}
    return Kept(Operator(fleet_rig, folder / "machine", unset), folder / "fleet")


def test_a_new_stack_is_encrypted_by_the_key_and_a_new_checkout_goes_on_with_it(kept: Kept, tmp_path: Path) -> None:
    made = kept.run("up", "--cell", CELL)
    assert made.code == 0, made.err
    assert made.outcomes == {CELL: "succeeded"}
    assert kept.state(CELL)["secrets_providers"]["state"]["url"] == SECRETS_PROVIDER
    written = ROOT / ".stacks" / f"Pulumi.{CELL}.yaml"
    assert not written.exists(), "the checkout keeps nothing that could differ from the state"
    kept.operator.state = tmp_path / "another-machine"
    again = kept.run("up", "--cell", CELL)
    assert again.code == 0, again.err
    assert set(again.facts["stacks"][CELL]["changes"]) == {"same"}
    assert kept.state(CELL)["secrets_providers"]["state"]["url"] == SECRETS_PROVIDER
    told = kept.run("env", CELL)
    assert told.code == 0, told.err
    rig = kept.operator.rig
    shell = rig.environment(kept.fleet) | kept.operator.more | told.facts["variables"]
    listed = json.loads(rig.pulumi("stack", "ls", "--json", environment=shell).out)
    assert [stack["name"] for stack in listed] == [CELL], "`pulumi` itself finds them too"
    assert shell["MYFLUX_SECRETS_PROVIDER"] == SECRETS_PROVIDER


def test_a_damaged_state_is_named_with_the_version_to_go_back_to(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload is whole or is none: somebody's own script, or a disk that was full before it."""
    rig = kept.operator.rig
    for name, value in (rig.environment(kept.fleet) | {"PULUMI_BACKEND_URL": ""}).items():
        monkeypatch.setenv(name, value)
    s3, name = rig.client("administrator", "s3"), ".pulumi/stacks/myflux-keys/torn.kept.json"
    whole = json.dumps({"version": 3, "checkpoint": {"latest": {}}}).encode()
    url = state_place.in_bucket(BUCKET, "us-east-1").url
    try:
        version = s3.put_object(Bucket=BUCKET, Key=name, Body=whole)["VersionId"]
        assert state_file.opened(url, "torn.kept") == state_file.Opened()
        for cut in (b"", whole[:20]):
            s3.put_object(Bucket=BUCKET, Key=name, Body=cut)
        with pytest.raises(Unreadable) as told:
            state_file.opened(url, "torn.kept")
        assert f"--copy-source '{BUCKET}/{name}?versionId={version}'" in str(told.value)
        assert "Nothing was changed." in str(told.value)
        source = {"Bucket": BUCKET, "Key": name, "VersionId": version}
        s3.copy_object(Bucket=BUCKET, Key=name, CopySource=source)
        assert state_file.opened(url, "torn.kept") == state_file.Opened(), "the command that was named mends it"
    finally:
        s3.delete_object(Bucket=BUCKET, Key=name)


def test_another_backend_in_the_environment_is_refused_before_anything_is_changed(kept: Kept, tmp_path: Path) -> None:
    refused = kept.run("up", "--cell", CELL, PULUMI_BACKEND_URL=f"file://{tmp_path}")
    assert refused.code == 1
    assert f"cells/{CELL}.yaml keeps its state in s3://{BUCKET}" in refused.err
    assert "Nothing was changed." in refused.err
    assert list(tmp_path.iterdir()) == []


def test_a_stack_moves_from_a_passphrase_and_from_a_folder_by_the_pages_commands(kept: Kept, tmp_path: Path) -> None:
    """`stack init` makes the states: what is moved is the same for any stack, since none of ours holds a secret."""
    rig = kept.operator.rig
    old = rig.environment(kept.fleet) | {"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "passphrase")}
    (tmp_path / "passphrase").write_text("an old one", "utf-8")
    now = old | kept.run("env", CELL).facts["variables"]
    in_bucket = old | {"PULUMI_BACKEND_URL": now["PULUMI_BACKEND_URL"]}
    in_folder = old | {"PULUMI_BACKEND_URL": f"file://{tmp_path}"}
    try:
        rig.pulumi("stack", "init", "one.kept", "--no-select", environment=in_bucket)
        assert kept.state("one.kept")["secrets_providers"]["type"] == "passphrase"
        change = ("stack", "change-secrets-provider", now["MYFLUX_SECRETS_PROVIDER"], "--stack", "one.kept")
        rig.pulumi(*change, environment=now)
        rig.pulumi("stack", "init", "two.kept", "--no-select", environment=in_folder)
        file = str(tmp_path / "two.kept.json")
        rig.pulumi("stack", "export", "--stack", "two.kept", "--file", file, environment=in_folder)
        provider = ("--secrets-provider", now["MYFLUX_SECRETS_PROVIDER"])
        rig.pulumi("stack", "init", "two.kept", "--no-select", *provider, environment=now)
        rig.pulumi("stack", "import", "--stack", "two.kept", "--file", file, environment=now)
        rig.pulumi("stack", "change-secrets-provider", provider[1], "--stack", "two.kept", environment=now)
        for stack in ("one.kept", "two.kept"):
            assert kept.state(stack)["secrets_providers"]["state"]["url"] == SECRETS_PROVIDER, stack
    finally:
        for stack in ("one.kept", "two.kept"):
            (ROOT / ".stacks" / f"Pulumi.{stack}.yaml").unlink(missing_ok=True)
