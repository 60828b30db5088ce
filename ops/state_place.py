"""Where a cell's stacks keep their state, as Pulumi takes it: the one place that makes these addresses.

The cell's file decides (`tenancy/state.py`). Where it names no bucket, variables do, as on the local cell.
Leaves out reading and writing there (`ops/stacks/backend.py`). Sources of the two addresses:
https://www.pulumi.com/docs/iac/concepts/state-and-backends/#aws-s3
https://www.pulumi.com/docs/iac/concepts/secrets/#aws-key-management-service-kms
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import tenancy
from ops import selection
from ops.errors import OperationError
from tenancy import Cell

BACKEND: Final = "PULUMI_BACKEND_URL"
FROM_THE_STATE: Final = "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER"
"""A checkout that has not yet seen a stack holds no settings of it: the engine takes its provider from the state."""
SECRETS: Final = "MYFLUX_SECRETS_PROVIDER"
"""For a person who makes a stack with `pulumi` itself, which takes the provider as an argument only. Where the cell's
file names no bucket, it is what encrypts the secrets of new stacks."""


@dataclass(frozen=True)
class Place:
    """A backend's address in its parts. `root` is a folder, or the bucket's name; `prefix` is within the bucket."""

    scheme: str
    root: str
    prefix: str
    options: Mapping[str, str]


@dataclass(frozen=True)
class StatePlace:
    """`secrets_provider` is empty where the person's own environment decides it."""

    url: str
    secrets_provider: str = ""

    @property
    def variables(self) -> dict[str, str]:
        """What the engine's process needs."""
        more = {FROM_THE_STATE: "true"} if self.secrets_provider else {}
        return {BACKEND: self.url, **more} if self.url else more

    @property
    def for_a_person(self) -> dict[str, str]:
        """What a shell needs in which a person types `pulumi`. Empty is unset: another cell's may be set still."""
        unset = {FROM_THE_STATE: "", SECRETS: ""}
        return unset | self.variables | ({SECRETS: self.secrets_provider} if self.secrets_provider else {})


def of(cell: Cell | None, environment: Mapping[str, str] = os.environ) -> StatePlace:
    """Raises OperationError where neither the file nor the environment names a backend, and where they differ: the same
    resources would have two states. `cell` is None where the files do not have it or are wrong."""
    named = environment.get(BACKEND, "")
    if cell is None or cell.kept_in is None:
        if not named:
            file = f"cells/{cell.cell}.yaml" if cell else "the cell's file"
            raise OperationError(
                f"{BACKEND} is not set, and {file} names no place of the state: write state: {{bucket: ..., kms_key: "
                '...} there. For the local cell: eval "$(./myflux-keys local env)". Nothing was changed.'
            )
        return StatePlace(named, environment.get(SECRETS, ""))
    kept = cell.kept_in
    url = in_bucket(kept.bucket, cell.region, None, environment).url
    if named and parts(named) != parts(url):
        raise OperationError(
            f"cells/{cell.cell}.yaml keeps its state in s3://{kept.bucket}, but {BACKEND} names another backend: unset "
            f"{BACKEND}. Nothing was changed."
        )
    # The same bucket with options of the person's own, such as a profile.
    return StatePlace(named or url, _key(kept.kms_key) if kept.kms_key else "")


def in_bucket(
    bucket: str, region: str, key: str | None = None, environment: Mapping[str, str] = os.environ
) -> StatePlace:
    """`key` is the ARN of the KMS key that encrypts secrets; None where something else does."""
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    return StatePlace(_bucket(bucket, region, endpoint), _key(key) if key else "")


def in_folder(folder: Path) -> StatePlace:
    """A passphrase, in the environment of the engine, encrypts secrets there."""
    return StatePlace(folder.resolve().as_uri(), "passphrase")


def for_a_shell(cell: Cell, environment: Mapping[str, str] = os.environ) -> StatePlace:
    """As `of`, for a shell whose variables are about to be replaced: they may name another cell's place still."""
    try:
        return of(cell, environment)
    except OperationError:
        return of(cell, {name: value for name, value in environment.items() if name != BACKEND})


def cell_of(fleet: Path, stack: str) -> Cell | None:
    """None where the files do not have it or are wrong: then the environment decides, and the program reports it."""
    try:
        return tenancy.load(fleet, only="").cells.get(selection.cell_of(stack))
    except tenancy.TenancyError:
        return None


def is_named(cell: Cell | None, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the file or the environment names a backend."""
    return bool(environment.get(BACKEND) or (cell and cell.kept_in))


def parts(url: str) -> tuple[str, str, str]:
    """What tells one backend from another."""
    found = place(url)
    return found.scheme, found.root, found.prefix


def place(url: str) -> Place:
    try:
        found = urlsplit(url)
    except ValueError as error:
        raise OperationError(f"{BACKEND} is not an address: {error}. Correct it. Nothing was changed.") from None
    options = {name.lower(): values[-1] for name, values in parse_qs(found.query).items()}
    if found.scheme == "s3":
        if not found.netloc:
            raise OperationError(f"{BACKEND} names no bucket: s3://BUCKET?region=REGION. Nothing was changed.")
        return Place("s3", found.netloc, unquote(found.path).strip("/"), options)
    folder = unquote(found.netloc + found.path)
    return Place(found.scheme, str(Path(folder).expanduser()) if found.scheme == "file" else folder, "", options)


def _bucket(bucket: str, region: str, endpoint: str | None) -> str:
    """The engine's driver does not read AWS_ENDPOINT_URL."""
    options = {"region": region, "awssdk": "v2"}
    if endpoint:
        options |= {"endpoint": endpoint, "use_path_style": "true"}
    return f"s3://{bucket}?{urlencode(options, safe=':/')}"


def _key(arn: str) -> str:
    """Three slashes: an ARN is no host's name."""
    return f"awskms:///{arn}?{urlencode({'region': arn.split(':')[3], 'awssdk': 'v2'})}"
