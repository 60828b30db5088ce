"""A cell with the deployed functions and the hand-over role, and tenants that CINNOX holds a key of."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.iam import handover, resource
from functions.shared.handover import Handover, object_name
from local import totp
from local.cell import LocalCell
from local.openai.control import MintedKey
from myflux_keys.cell_functions import ROTATION
from tests.functions.world import MODEL
from tests.handover.authenticator import Authenticator
from tests.sweep.conftest import Bench, TenantBench

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Pasted:
    """A tenant whose `old` key is in CINNOX, and whose `current` one is to be handed over: as OpenAI made them, since
    nobody but the functions and the hand-over role can read the secret."""

    bench: TenantBench
    old: MintedKey
    current: MintedKey

    @property
    def slug(self) -> str:
        return self.bench.slug


class World:
    """What the tests of the command share. Each has a tenant of its own."""

    def __init__(self, cell: LocalCell, folder: Path) -> None:
        self.cell, self.folder = cell, folder
        self.bench = Bench(cell, folder)
        self.names = self.bench.names
        self.fleet, self.state = folder / "fleet", folder / "operations"
        for place in ("tenants", "cells"):
            (self.fleet / place).mkdir(parents=True)
        self.local_yaml = (ROOT / "cells" / "local.yaml").read_text(encoding="utf-8")
        self.cell_file(self.local_yaml)
        self.deployer = f"arn:aws:iam::{cell.account_id}:user/deployer"
        self.iam = self.bench.client("administrator", "iam")
        trust, read = handover.handover_trust([self.deployer]), handover.handover_read(self.names)
        self.iam.create_role(RoleName=self.names.handover_role, AssumeRolePolicyDocument=json.dumps(trust))
        self.iam.put_role_policy(RoleName=self.names.handover_role, PolicyName="read", PolicyDocument=json.dumps(read))
        kms = self.bench.client("administrator", "kms")
        policy = resource.cell_key(self.names, deployers=[self.deployer], governors=[self.deployer], handover=True)
        self.kms_key = kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName=self.names.kms_alias, TargetKeyId=self.kms_key)

    def cell_file(self, text: str) -> None:
        (self.fleet / "cells" / "local.yaml").write_text(text, encoding="utf-8")

    def file(self, slug: str, **changes: str) -> None:
        """A tenant's file, as it was deployed unless `changes` say otherwise."""
        fields = {
            "tenant": slug,
            "name": '"Acmé Travel"',
            "cell": "local",
            "source": "managed",
            "country": "US",
            "models": f"[{MODEL}]",
            "rotation": "{every_days: 30, overlap_hours: 24}",
            "consumers": "{myflux: true, cinnox: true}",
        } | changes
        text = "".join(f"{name}: {value}\n" for name, value in fields.items() if value)
        (self.fleet / "tenants" / f"{slug}.yaml").write_text(text, encoding="utf-8")

    def tenant(self) -> Pasted:
        """With a key that was rotated once, under the policies that ship."""
        made = self.bench.tenant("myflux cinnox", KmsKeyId=self.kms_key)
        self.file(made.slug)
        made.rotate()
        self.bench.secrets.put_resource_policy(SecretId=made.arn, ResourcePolicy=self.policy(made.slug))
        return Pasted(made, self.key(made, "AWSPREVIOUS"), self.key(made, "AWSCURRENT"))

    def policy(self, slug: str, *, handed_over: bool = True) -> str:
        """Of a tenant's secret, as it ships."""
        policy = resource.tenant_secret(
            self.names.tenant(slug),
            reader_role=self.names.runtime_role_arn,
            writers=[self.names.function_role_arn(ROTATION)],
            deployers=[self.deployer],
            enabled=True,
            handed_over=handed_over,
        )
        return json.dumps(policy)

    def key(self, tenant: TenantBench, label: str) -> MintedKey:
        """A rotation names each key after its version."""
        version = next(one for one, labels in tenant.stages().items() if label in labels)
        return next(one for one in self.cell.openai.minted() if one.name.endswith(version))

    def environment(self, user: str = "deployer") -> dict[str, str]:
        return self.cell.environment(user) | {
            "MYFLUX_FLEET": str(self.fleet),
            "MYFLUX_STATE": str(self.state),
            "PYTHONWARNINGS": "error",
        }

    def code(self) -> str:
        """One that was not used yet."""
        self.cell.advance(totp.STEP_SECONDS)
        return self.cell.second_factor()[1]

    def command(self, *arguments: str, user: str = "deployer", **variables: str) -> AbstractContextManager[Running]:
        typed = [sys.executable, "-m", "ops.cli", "handover", *arguments, "--no-browser"]
        return started(typed, self.environment(user) | variables)

    def enable(self, serial: str) -> None:
        """The deployer's own device again."""
        first = self.cell.second_factor()[1]
        self.cell.advance(totp.STEP_SECONDS)
        self.iam.enable_mfa_device(
            UserName="deployer",
            SerialNumber=serial,
            AuthenticationCode1=first,
            AuthenticationCode2=self.cell.second_factor()[1],
        )

    def add_device(self, name: str) -> str:
        return Authenticator.of(self.cell, "deployer", name).serial

    @contextmanager
    def person(self, name: str) -> Generator[Callable[[], str]]:
        """A user who may hand over and does not deploy, with a profile in the folder's `people` and a device,
        whose codes the function gives."""
        arn = self.deployer.replace("deployer", name)
        self.iam.create_user(UserName=name)
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        (self.folder / "people").write_text(
            f"[{name}]\naws_access_key_id = {key['AccessKeyId']}\naws_secret_access_key = {key['SecretAccessKey']}\n",
            encoding="utf-8",
        )
        becomes = {"Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": self.names.handover_role_arn}
        looks = {"Action": "iam:ListMFADevices", "Resource": arn}
        allowed = [{"Effect": "Allow", **one} for one in (becomes, looks)]
        document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
        self.iam.put_user_policy(UserName=name, PolicyName="hands-over", PolicyDocument=document)
        device = Authenticator.of(self.cell, name, name)
        self._trust(self.deployer, arn)
        self.cell_file(self.local_yaml.replace("handover: {principals: [", f'handover: {{principals: ["{arn}", '))
        try:
            yield device.code
        finally:
            self.cell_file(self.local_yaml)
            self._trust(self.deployer)

    def _trust(self, *principals: str) -> None:
        self.iam.update_assume_role_policy(
            RoleName=self.names.handover_role, PolicyDocument=json.dumps(handover.handover_trust(principals))
        )

    def record(self, slug: str) -> Handover | None:
        name = object_name(slug, "cinnox")
        client = self.bench.client("deployer", "s3")
        try:
            text = client.get_object(Bucket=self.names.health_bucket, Key=name)["Body"].read().decode()
        except client.exceptions.NoSuchKey:
            return None
        return Handover.read(text, name)

    def journal(self) -> list[dict[str, Any]]:
        """The finished records of hand-overs on this machine, the oldest first."""
        found = sorted(self.state.rglob("finished/*handover*.json"))
        return [json.loads(one.read_text(encoding="utf-8")) for one in found]

    def reads(self, slug: str) -> list[Mapping[str, Any]]:
        """What CloudTrail tells of reads by the hand-over role."""
        trail = self.bench.client("administrator", "cloudtrail")
        pages = trail.get_paginator("lookup_events").paginate(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "GetSecretValue"}]
        )
        events = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
        return [
            one
            for one in events
            if self.names.handover_role in one["userIdentity"].get("arn", "")
            and slug in json.dumps(one.get("requestParameters"))
        ]

    def close(self) -> None:
        self.bench.close()


class Running:
    """The command while it runs. `said` is what it wrote to standard error."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said = ""

    def give(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def link(self) -> str:
        """Reads on until the command prints it."""
        assert self.process.stderr
        for line in self.process.stderr:
            self.said += line
            if line.startswith("http://127.0.0.1:"):
                return line.strip()
        raise AssertionError(f"the command ended without a link: {self.said}")

    def end(self) -> tuple[int, str]:
        """Exit code and standard output."""
        out, err = self.process.communicate(timeout=120)
        self.said += err
        return self.process.returncode, out

    def seen(self) -> list[bytes]:
        """The process's arguments and environment, as root sees them."""
        proc = Path("/proc") / str(self.process.pid)
        found: list[bytes] = []
        for name in ("cmdline", "environ"):
            # The process hides what it can from others.
            with suppress(PermissionError):
                found.append((proc / name).read_bytes())
        return found

    def limit_of_core_files(self) -> str:
        text = (Path("/proc") / str(self.process.pid) / "limits").read_text(encoding="ascii")
        return next(line.split()[4] for line in text.splitlines() if line.startswith("Max core file size"))


@contextmanager
def started(command: Sequence[str], environment: Mapping[str, str]) -> Generator[Running]:
    """It goes on while a person does something else, and is killed at the end of the block: one that goes on after a
    test has failed would otherwise be waited for, ten minutes."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()
