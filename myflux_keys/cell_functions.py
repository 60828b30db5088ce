"""The table of a cell's Lambda functions: what each is called, what it reads and writes, and how long it may run.

Owns one row a function. Packing, deploying and policies read it; the policy pack has a table of its own, so that a
mistake here is found there. Leaves out names with the cell in them (`names`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

RESERVED: Final = 5
"""Executions that Lambda reserves for a function. A few at once are enough, and OpenAI's Admin API allows about ten
requests a minute."""
Access = Literal["none", "read", "rotate"]
"""What a function does with a kind of secret. `rotate` is to read it and to store new versions."""


@dataclass(frozen=True)
class CellFunction:
    """One Lambda function of a cell. Its code is the folder ``functions/<kind>/``."""

    kind: str
    """The folder of its code: letters and ``_``."""
    ending: str
    """The end of its name and of its role's, after ``myflux-<cell>-``."""
    timeout_seconds: int
    """Lambda stops a call after this time; at most 900."""
    tenants: Access = "none"
    """What it does with the secrets that hold tenants' keys."""
    admin: Access = "none"
    """What it does with the cell's own admin key."""
    customer_admins: Literal["none", "read"] = "none"
    """What it does with the admin keys that customers gave. Only customers replace them."""
    lists_secrets: bool = False
    """Whether it finds tenants by listing the account's secrets."""
    reads_trust: bool = False
    """Whether it looks whom the roles trust that read tenants' keys."""
    sends_metrics: bool = False
    """Whether it sends numbers to CloudWatch."""
    watches: bool = False
    """Whether it reads tenants' declarations and hand-overs, keeps what it found beside them, and sends messages to the
    alarms' topic."""
    reads_handovers: bool = False
    """Whether it reads hand-overs and nothing else of what a function that watches reads."""
    takes_in: bool = False
    """Whether it is the page where customers hand in keys: the one function that the public reaches."""
    promotes: bool = False
    """Whether it makes keys that customers handed in tenants' keys, without reading any."""
    reserved: int = RESERVED
    """Executions that Lambda reserves for it: never more run at once."""
    rule: str = ""
    """The end of the name of the EventBridge rule that calls it by schedule; empty if none does."""

    @property
    def handler(self) -> str:
        """What Lambda calls."""
        return f"functions.{self.kind}.handler.handler"

    @property
    def archive(self) -> str:
        """The file name of its zip."""
        return f"{self.kind}.zip"

    @property
    def reads_secrets(self) -> bool:
        """Whether it reads any secret of the cell, and so uses the cell's KMS key."""
        return {self.tenants, self.admin, self.customer_admins} != {"none"}

    @property
    def uses_secrets_key(self) -> bool:
        return self.reads_secrets or self.promotes

    @property
    def title(self) -> str:
        return f"{self.kind.replace('_', ' ').capitalize()} function"


ROTATION: Final = CellFunction("rotation", "rotation", 300, tenants="rotate", admin="read", customer_admins="read")
PROVISIONER: Final = CellFunction("provisioner", "provisioner", 900, admin="read", customer_admins="read")
ADMIN_ROTATION: Final = CellFunction("admin_rotation", "admin-rotator", 300, admin="rotate", rule="admin-tidy")
"""Not ``…-admin-rotation``: a cell called ``<cell>-admin`` has a function and a role of that name."""
SWEEP: Final = CellFunction(
    "sweep",
    "sweep",
    900,
    tenants="read",
    admin="read",
    customer_admins="read",
    lists_secrets=True,
    reads_trust=True,
    sends_metrics=True,
    reads_handovers=True,
    rule="sweep",
)
HEALTH: Final = CellFunction(
    "health",
    "health",
    600,
    tenants="read",
    admin="read",
    customer_admins="read",
    lists_secrets=True,
    sends_metrics=True,
    watches=True,
    reserved=1,
    rule="health",
)

CONNECT: Final = CellFunction("connect", "connect", 60, takes_in=True, reserved=10)
PROMOTER: Final = CellFunction("promoter", "promoter", 300, promotes=True, rule="promoter")

FUNCTIONS: Final = (ROTATION, PROVISIONER, ADMIN_ROTATION, SWEEP, HEALTH)
"""Those of every cell."""
CONNECT_FUNCTIONS: Final = (CONNECT, PROMOTER)
"""Those of a cell whose file has `connect`."""
ALL_FUNCTIONS: Final = (*FUNCTIONS, *CONNECT_FUNCTIONS)
