"""The environment of a shell or a child process that uses a local cell.

Owns the variables to set, and those of the caller to unset because they name other endpoints or identities. Leaves out
the commands on the cell's PATH (`local/commands.py`). The product reads only AWS's and Pulumi's own variables, and
MYFLUX_LOCAL_OPENAI_URL for a cell with `local: true`.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote

from local import commands
from local.aws.server import REGION, STATE_KEY

SECRETS_PROVIDER: Final = f"awskms:///{STATE_KEY}?region={REGION}&awssdk=v2"
"""As Pulumi takes the key."""
STATE_KEY_SETTING: Final = "MYFLUX_LOCAL_STATE_KEY"
"""An environment variable. `on`: the cell's KMS key encrypts new states, as a real cell's does. Left out: a passphrase,
since the engine's calls of KMS fail once the cell's clock is minutes ahead of the machine's."""

_MISLEADING: Final = (
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_PROFILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "PULUMI_CONFIG_PASSPHRASE",
)
"""Each wins over, or mixes with, something set here: identity, endpoint, or the passphrase file."""

_ONE_SERVICE: Final = "AWS_ENDPOINT_URL_"
"""An endpoint of one service wins over AWS_ENDPOINT_URL, and that service's calls would leave the machine."""


class Key(Protocol):
    """An IAM user's access key."""

    @property
    def access_key_id(self) -> str: ...
    @property
    def secret_access_key(self) -> str: ...


class Cell(Protocol):
    """What this module needs of a running cell."""

    @property
    def home(self) -> Path: ...
    @property
    def region(self) -> str: ...
    @property
    def aws_url(self) -> str: ...
    @property
    def openai_url(self) -> str: ...
    def credentials(self, user: str) -> Key: ...


@dataclass(frozen=True)
class Environment:
    """Variables to set and names to unset; `over` and `shell` apply them."""

    values: Mapping[str, str]
    unset: tuple[str, ...]

    def over(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base` with the cell's variables."""
        return {name: value for name, value in base.items() if name not in self.unset} | dict(self.values)

    def shell(self) -> str:
        """POSIX shell lines for ``eval``: quoted, so that a value can hold anything a path can."""
        lines = [f"unset {name}" for name in self.unset]
        lines += [f"export {name}={shlex.quote(value)}" for name, value in self.values.items()]
        return "\n".join(lines) + "\n"


def compute(cell: Cell, user: str = "deployer", base: Mapping[str, str] | None = None) -> Environment:
    """The changes of `base` (default: the caller's environment) for `cell` as IAM user `user`.

    Makes what the variables name: the state folder, the passphrase and the commands under the cell's home. Raises
    CellError for an unknown user.
    """
    held = dict(os.environ if base is None else base)
    credentials = cell.credentials(user)
    state = cell.home / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    values = {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": cell.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": cell.aws_url,
        "AWS_REGION": cell.region,
        "AWS_SHARED_CREDENTIALS_FILE": str(cell.home / "credentials"),
        "MYFLUX_LOCAL_OPENAI_URL": cell.openai_url,
        "PATH": commands.path(cell.home / "bin", held),
        "PULUMI_BACKEND_URL": f"file://{quote(str(state))}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(_passphrase(cell.home)),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    } | {name: _without_proxy(held.get(name, "")) for name in ("NO_PROXY", "no_proxy")}
    if held.get(STATE_KEY_SETTING) == "on":
        values |= {
            "MYFLUX_SECRETS_PROVIDER": SECRETS_PROVIDER,
            "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
        }
    one_service = sorted(name for name in held if name.startswith(_ONE_SERVICE))
    return Environment(values, (*_MISLEADING, *one_service))


def _without_proxy(current: str) -> str:
    """Adds loopback to the addresses without proxy: boto3 and the openai SDK use a proxy even for loopback."""
    hosts = [host for host in current.split(",") if host]
    return ",".join(dict.fromkeys([*hosts, "127.0.0.1", "localhost"]))


def _passphrase(home: Path) -> Path:
    """The file with a passphrase for stacks that `pulumi stack init` made without MYFLUX_SECRETS_PROVIDER.

    The same for every cell: the engine keeps what it derives from it beside the project, where the next cell meets it.
    It protects nothing: the state holds no secret and dies with the cell. The engine takes a tenth of a second or more
    to derive a key from it, each time it starts.
    """
    path = home / "passphrase"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write("local-cell")
    return path
