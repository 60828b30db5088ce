"""A person's authenticator: a virtual MFA device of one user of a local cell."""

from __future__ import annotations

from dataclasses import dataclass

from local import totp
from local.cell import LocalCell


@dataclass(frozen=True)
class Authenticator:
    """`serial` is the device's ARN."""

    cell: LocalCell
    serial: str
    seed: str

    @classmethod
    def of(cls, cell: LocalCell, user: str, name: str) -> Authenticator:
        """A new device, which an administrator enables for the user. It took the codes before the present one."""
        iam = cell.client("administrator", "iam")
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
        made = cls(cell, device["SerialNumber"], device["Base32StringSeed"].decode())
        codes = {f"AuthenticationCode{place}": made.shown(place - 2) for place in (1, 2)}
        iam.enable_mfa_device(UserName=user, SerialNumber=made.serial, **codes)
        return made

    def code(self) -> str:
        """One that was not used yet: AWS takes a code once."""
        self.cell.advance(totp.STEP_SECONDS)
        return self.shown()

    def shown(self, ahead: int = 0) -> str:
        """By the cell's clock; `ahead` counts codes."""
        return totp.code(self.seed, totp.step(self.cell.openai.now()) + ahead)
