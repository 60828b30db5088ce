"""Alice: a deployer of a bootstrapped cell, who became the role of people, and what she types."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import boto3

from ops.actions import run_bootstrap
from tests.bootstrap.conftest import Founding
from tests.handover.world import Running, started
from tests.program.rig import CELL, ROOT

PROFILE = "alice"
"""Of her own user, in AWS's files on her machine."""


@dataclass
class Alice:
    """`session` is that of the role, which has no right but those of the one document that is its policy and boundary;
    `own` is the access key of her user."""

    founding: Founding
    session: Mapping[str, str]
    own: tuple[str, str]

    @classmethod
    def of(cls, founding: Founding, settings: str = "") -> Alice:
        """In a cell that was just bootstrapped, before its platform; `settings` are added to its file."""
        founding.add_alice()
        founding.may(run_bootstrap.policy(founding.fleet, CELL, deletion=False))
        made = founding.told()
        with founding.file.open("a", encoding="utf-8") as file:
            file.write(made["block"] + "\n" + settings)
        key = founding.cell.client("administrator", "iam").create_access_key(UserName="alice")["AccessKey"]
        own = (key["AccessKeyId"], key["SecretAccessKey"])
        profile = "[{}]\naws_access_key_id = {}\naws_secret_access_key = {}\n".format(PROFILE, *own)
        (founding.home / "aws").write_text(profile, encoding="utf-8")
        where: dict[str, Any] = {"region_name": founding.cell.region, "endpoint_url": founding.cell.aws_url}
        sts: Any = boto3.Session(*own).client("sts", **where)
        held = sts.assume_role(RoleArn=made["people_role"], RoleSessionName="alice")["Credentials"]
        ids = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        variables = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        session = {variable: held[name] for variable, name in zip(variables, ids, strict=True)}
        return cls(founding, session, own)

    @property
    def environment(self) -> dict[str, str]:
        own = {"AWS_SHARED_CREDENTIALS_FILE": str(self.founding.home / "aws")}
        return {**self.founding.environment(), **self.session, **own}

    def run(self, *arguments: str, stdin: str = "") -> dict[str, Any]:
        """What a command tells as JSON."""
        done = subprocess.run(
            [*_COMMAND, *arguments, "--json"],
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def running(self, *arguments: str) -> AbstractContextManager[Running]:
        """A command that goes on while a person does something else."""
        return started([*_COMMAND, *arguments, "--json"], self.environment)

    def client(self, service: str) -> Any:
        key, secret, token = self.session.values()
        held: Any = boto3.Session(key, secret, token, self.founding.cell.region)
        return held.client(service, endpoint_url=self.founding.cell.aws_url)

    def own_client(self, service: str) -> Any:
        """Of her own user, by its access key alone."""
        key, secret = self.own
        held: Any = boto3.Session(key, secret, region_name=self.founding.cell.region)
        return held.client(service, endpoint_url=self.founding.cell.aws_url)

    def add_tenant(self, slug: str) -> None:
        shutil.copy(ROOT / "tenants" / f"{slug}.yaml", self.founding.fleet / "tenants")

    def switch(self, before: str, after: str) -> None:
        file = self.founding.file
        file.write_text(file.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
        self.run("up", "--cell", CELL)


_COMMAND = (sys.executable, "-c", "from ops.cli.main import main\nmain()")
