"""A cell that nobody has bootstrapped, and a person with exactly the rights that the command prints."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.cell import LocalCell
from tests.program.gate import Gate, gate
from tests.program.rig import CELL, ROOT

PIPELINE = "pipeline:\n  github: {repository: myflux/keys, environment: local}\n"
PASSPHRASE = "a passphrase for an hour"
POLICY = "founding"


@dataclass
class Founding:
    """`person` has no right but those of the policy `POLICY`. `stream` holds every request that was signed."""

    cell: LocalCell
    fleet: Path
    home: Path
    stream: Gate
    person: Mapping[str, str]
    said: list[str] = field(default_factory=list[str])

    @property
    def policy_arn(self) -> str:
        return f"arn:aws:iam::{self.cell.account_id}:policy/{POLICY}"

    def environment(self) -> dict[str, str]:
        known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        theirs = ("AWS_", "PULUMI_BACKEND", "PULUMI_CONFIG")
        own = {name: text for name, text in self.cell.environment("deployer").items() if not name.startswith(theirs)}
        return {
            **known,
            **own,
            **self.person,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.stream.url,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "MYFLUX_FLEET": str(self.fleet),
            "MYFLUX_STATE": str(self.home / "records"),
        }

    def run(self, *arguments: str, before: str = "", code: int = 0) -> str:
        """What the command says on both outputs; `before` is Python that runs in its process first."""
        done = subprocess.run(
            [sys.executable, "-c", f"{before}\nfrom ops.cli.main import main\nmain()", "bootstrap", CELL, *arguments],
            cwd=ROOT,
            env=self.environment(),
            input=f"{PASSPHRASE}\n",
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.said.append(done.stdout + done.stderr)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if not code else done.stderr

    def told(self, *arguments: str) -> dict[str, Any]:
        return json.loads(self.run(*arguments, "--json"))

    def may(self, document: Mapping[str, Any]) -> None:
        """Gives the person these rights in place of those before."""
        iam = self.cell.client("administrator", "iam")
        for version in iam.list_policy_versions(PolicyArn=self.policy_arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=self.policy_arn, VersionId=version["VersionId"])
        iam.create_policy_version(PolicyArn=self.policy_arn, PolicyDocument=json.dumps(document), SetAsDefault=True)

    def client(self, service: str) -> Any:
        session = boto3.Session(self.person["AWS_ACCESS_KEY_ID"], self.person["AWS_SECRET_ACCESS_KEY"])
        return session.client(service, region_name=self.cell.region, endpoint_url=self.cell.aws_url)  # pyright: ignore

    def add_alice(self) -> None:
        """One more deployer in the cell's file."""
        text, user = self.file.read_text(encoding="utf-8"), f"arn:aws:iam::{self.cell.account_id}:user"
        self.file.write_text(text.replace(f'"{user}/deployer"', f'"{user}/deployer", "{user}/alice"'), encoding="utf-8")

    @property
    def file(self) -> Path:
        return self.fleet / "cells" / f"{CELL}.yaml"


@pytest.fixture(scope="module")
def founding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founding]:
    home = tmp_path_factory.mktemp("bootstrap")
    fleet = home / "fleet"
    (fleet / "tenants").mkdir(parents=True)
    shutil.copytree(ROOT / "cells", fleet / "cells")
    cell = LocalCell.start(home / "cell")
    try:
        iam = cell.client("administrator", "iam")
        for user in ("founder", "alice"):
            iam.create_user(UserName=user)
        empty = {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}
        made = iam.create_policy(
            PolicyName=POLICY, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [empty]})
        )
        iam.attach_user_policy(UserName="founder", PolicyArn=made["Policy"]["Arn"])
        key = iam.create_access_key(UserName="founder")["AccessKey"]
        person = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        with gate(cell.aws_port, lambda _target, _path: False) as stream:
            founding = Founding(cell, fleet, home, stream, person)
            with founding.file.open("a", encoding="utf-8") as file:
                file.write(PIPELINE)
            yield founding
    finally:
        cell.stop()
        shutil.rmtree(home)
