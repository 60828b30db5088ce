"""What the emulator's tests hold in their hands: a server with its clients, and a tenant with its key."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from openai import OpenAI

from local import clock
from local.openai.control import EmulatorControl

ROOT = Path(__file__).resolve().parents[2]
EVERYTHING = ["model.request", "api.model.read", "api.responses.write", "api.responses.read"]


@dataclass
class Tenant:
    project_id: str
    service_account_id: str
    key_id: str
    key: str = field(repr=False)


@dataclass
class Server:
    url: str
    home: Path
    control: EmulatorControl
    opened: list[OpenAI]

    def client(self, key: str) -> OpenAI:
        """A client with a project's key; it never repeats a call by itself."""
        client = OpenAI(api_key=key, base_url=self.url, max_retries=0, timeout=60)
        self.opened.append(client)
        return client

    def admin(self, key: str | None = None) -> OpenAI:
        value = key if key is not None else self.control.create_admin_key("tests")
        client = OpenAI(admin_api_key=value, base_url=self.url, max_retries=0, timeout=60)
        self.opened.append(client)
        return client

    def advance(self, seconds: float) -> None:
        clock.advance(self.home / "clock", seconds)
