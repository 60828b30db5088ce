"""The local cell: an AWS and an OpenAI server on loopback, one process each.

Owns starting, finding, checking and ending a cell, and its clients for tests, the demo and the command line. Leaves out
the two servers (`local/aws`, `local/openai`) and a shell's environment (`local/environment.py`). A cell has its
resources in memory: when a server ends, they are lost, and Pulumi's state no longer matches. So a dead cell is reported
and not replaced, unless it was started with `keep`: then it starts again with what it had (`local/keeping.py`).
"""

from __future__ import annotations

import configparser
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import create_loader

from local import clock, environment, keeping, leftovers, record, totp
from local.aws.server import ACCOUNT_ID, REGION
from local.openai.control import EmulatorControl
from local.process import ServerProcess, exclusive, launch
from local.servers import SIDES, CellError, PortTakenError, await_health, symptom

AWS_PORT: Final = 4566
OPENAI_PORT: Final = 4567
_DRAWS: Final = 3
"""Another cell that starts at the same moment may have drawn the same free port."""

_MODELS: Final = create_loader()
"""AWS's service models, read once: a session of its own would read the same megabytes again for each client."""


@dataclass(frozen=True)
class Credentials:
    """A long-lived access key of one of the cell's IAM users."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True)
class Status:
    """`state` is ``none``, ``unfinished``, ``running``, ``half-dead``, ``dead`` or, of a kept cell, ``stopped``;
    `detail` is for a person."""

    state: str
    detail: str


class LocalCell:
    """A running cell. Made by `start` or `attach`, never directly."""

    def __init__(self, home: Path, servers: Mapping[str, ServerProcess]) -> None:
        self.home = home
        self.aws_port = servers["aws"].port
        self.openai_port = servers["openai"].port
        self.region = REGION
        self.account_id = ACCOUNT_ID
        self._sessions: dict[str, boto3.Session] = {}
        self._sessions_lock = Lock()

    @classmethod
    def start(cls, home: Path, aws_port: int = 0, openai_port: int = 0, *, keep: bool = False) -> LocalCell:
        """Starts a cell in `home`, or returns the one that already runs there, whatever its ports. One that is kept and
        does not run starts again, with what it had, on the ports that it had.

        Port 0 means any free one. Raises CellError if a port is taken, a server does not start, or the cell in `home`
        is dead, was kept by another version, or with `keep` is one that keeps nothing: then nothing is changed.
        """
        home = home.resolve()
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with exclusive(home / "lock"):
            if keeping.is_kept(home):
                return cls(home, _resumed(home, {"aws": aws_port, "openai": openai_port}))
            if record.exists(home):
                running = cls.attach(home)
                if keep:
                    raise CellError(f"the local cell in {home} runs already and keeps nothing. {_NEW_ONE}")
                return running
            if keep:
                keeping.begin(home)
            draws = 1
            while True:
                try:
                    return cls(home, _launch(home, {"aws": _port(aws_port), "openai": _port(openai_port)}))
                except PortTakenError:
                    if draws == _DRAWS:
                        record.remove(home)
                        raise
                    draws += 1
                except BaseException:
                    record.remove(home)
                    raise

    @classmethod
    def attach(cls, home: Path) -> LocalCell:
        """The cell that runs in `home`. Raises CellError when there is none, or when it is dead or half-dead."""
        home = home.resolve()
        status = cls.status(home)
        if status.state != "running":
            raise CellError(status.detail)
        return cls(home, record.read(home))

    @classmethod
    def status(cls, home: Path) -> Status:
        """Checks the processes and the health of both servers; changes nothing."""
        home = home.resolve()
        servers = record.read(home)
        if not servers:
            return Status("none", f"no local cell in {home}: `myflux-keys local up` starts one")
        symptoms = [found for server in servers.values() if (found := symptom(server))]
        kept = keeping.is_kept(home)
        if kept and not any(server.alive() for server in servers.values()):
            return Status("stopped", f"the local cell in {home} is stopped. {_AGAIN}")
        way_out = _AGAIN if kept else _WAY_OUT
        if len(servers) < len(SIDES):
            return Status("unfinished", f"the start of the local cell in {home} did not complete. {way_out}")
        if symptoms:
            state = "dead" if not any(server.alive() for server in servers.values()) else "half-dead"
            return Status(state, f"the local cell in {home} is {state}: {'; '.join(symptoms)}. {way_out}")
        where = ", ".join(f"{name} on port {server.port}" for name, server in servers.items())
        keeps = f", and keeps its state in {home / keeping.FOLDER}" if kept else ""
        return Status("running", f"the local cell in {home} runs: {where}{keeps}")

    @classmethod
    def clear(cls, home: Path) -> bool:
        """Ends what is left of a cell in `home` and removes its files; True if there was something."""
        home = home.resolve()
        if not home.exists():
            return False
        with exclusive(home / "lock"):
            servers = record.read(home)
            _end(servers)
            if keeping.is_kept(home):
                leftovers.end(home)
            record.remove(home)
        return bool(servers)

    @classmethod
    def rest(cls, home: Path) -> bool:
        """Ends the servers of a cell that is kept, and keeps its files; False if none of them ran."""
        home = home.resolve()
        with exclusive(home / "lock"):
            servers = record.read(home)
            alive = any(server.alive() for server in servers.values())
            _end(servers)
        return alive

    def stop(self) -> None:
        """Ends both servers and their child processes, and removes the cell's files, Pulumi's state included."""
        self.clear(self.home)

    @property
    def aws_url(self) -> str:
        return f"http://127.0.0.1:{self.aws_port}"

    @property
    def openai_url(self) -> str:
        """The API's base, ``…/v1``."""
        return f"http://127.0.0.1:{self.openai_port}/v1"

    @property
    def openai(self) -> EmulatorControl:
        """The client for tests of the OpenAI server: seeds, faults, inspection. The product does not use it."""
        token = (self.home / "openai-token").read_text(encoding="ascii").strip()
        return EmulatorControl(f"http://127.0.0.1:{self.openai_port}", token)

    def credentials(self, user: str) -> Credentials:
        """`user` is ``deployer``, ``ci``, ``runtime`` or ``stranger``. Raises CellError for any other."""
        profiles = configparser.ConfigParser(interpolation=None, default_section="")
        profiles.read(self.home / "credentials", encoding="utf-8")
        if user not in profiles:
            known = ", ".join(profiles.sections()) or "nobody"
            raise CellError(f"the local cell has no user {user!r}: its users are {known}")
        return Credentials(profiles[user]["aws_access_key_id"], profiles[user]["aws_secret_access_key"])

    def second_factor(self, user: str = "deployer") -> tuple[str, str]:
        """The serial number of `user`'s MFA device, and the code that it shows now by the cell's clock.

        AWS takes a code once: after 30 seconds there is another. Raises CellError for a user without a device.
        """
        devices = configparser.ConfigParser(interpolation=None, default_section="")
        devices.read(self.home / "mfa", encoding="ascii")
        if user not in devices:
            raise CellError(f"the local cell's user {user!r} has no second factor; {', '.join(devices.sections())} has")
        device = devices[user]
        number = totp.step(clock.at(self.home / "clock"))
        return device["serial_number"], totp.code(device["seed"], number)

    def session(self, user: str) -> boto3.Session:
        """A session of `user` that ignores the caller's AWS profile and files. Its clients need `endpoint_url`."""
        held = self.credentials(user)
        deaf = botocore.session.Session(
            session_vars={
                "profile": (None, None, None, None),
                "config_file": (None, None, os.devnull, None),
                "credentials_file": (None, None, os.devnull, None),
            }
        )
        deaf.register_component("data_loader", _MODELS)
        return boto3.Session(
            aws_access_key_id=held.access_key_id,
            aws_secret_access_key=held.secret_access_key,
            region_name=self.region,
            botocore_session=deaf,
        )

    def client(self, user: str, service: str, config: Config | None = None) -> Any:
        """A boto3 client of `user` for `service` that calls the cell without the caller's proxy."""
        straight = Config(proxies={}).merge(config) if config else Config(proxies={})
        # Making a session takes four times as long as a client, and no two threads may use one at once.
        with self._sessions_lock:
            if user not in self._sessions:
                self._sessions[user] = self.session(user)
            return self._sessions[user].client(service, endpoint_url=self.aws_url, config=straight)  # pyright: ignore[reportCallIssue, reportArgumentType]

    def environment(self, user: str = "deployer") -> dict[str, str]:
        """The caller's environment with the cell's variables for `user`: for a child process such as the engine."""
        return environment.compute(self, user).over(os.environ)

    def advance(self, seconds: float) -> float:
        """Moves the clock of both sides forward; returns how many seconds it is now ahead of the machine's."""
        return clock.advance(self.home / "clock", seconds)


_WAY_OUT: Final = "Its resources are lost; `myflux-keys local reset` removes it and starts a new one"
_AGAIN: Final = "Its state is kept: `myflux-keys local up` starts it again"
_NEW_ONE: Final = "`myflux-keys local down`, then `myflux-keys local up --keep`, starts an empty one that does"


def preferred(port: int) -> int:
    """`port` if it is free, else 0 (any). For defaults, not for a port that a person chose."""
    return port if _free(port) else 0


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _launch(home: Path, ports: Mapping[str, int], *, in_order: bool = False) -> Mapping[str, ServerProcess]:
    """Both servers, ready; or none. With `in_order` one starts when those before it in `ports` are ready."""
    servers: dict[str, ServerProcess] = {}
    try:
        for name, port in ports.items():
            servers[name] = launch(name, SIDES[name][0], port, home)
            record.write(home, servers)
            if in_order:
                await_health(servers[name])
        for server in servers.values():
            await_health(server)
    except BaseException:
        _end(servers)
        raise
    return servers


def _resumed(home: Path, wanted: Mapping[str, int]) -> Mapping[str, ServerProcess]:
    """The servers of a kept cell, started again unless they run. Nothing that it keeps is lost if they don't start."""
    servers = record.read(home)
    if len(servers) == len(SIDES) and not any(symptom(server) for server in servers.values()):
        return servers
    keeping.require_readable(home)
    _end(servers)
    leftovers.end(home)
    # What was under way goes on as soon as the AWS side is there, and calls the other one.
    ports = {name: _port(servers[name].port if name in servers else wanted[name]) for name in ("openai", "aws")}
    return _launch(home, ports, in_order=True)


def _end(servers: Mapping[str, ServerProcess]) -> None:
    for server in servers.values():
        server.stop()


def _port(wanted: int) -> int:
    if wanted:
        if not _free(wanted):
            raise CellError(
                f"port {wanted} is taken: stop the process that listens there, or leave the port out. A kept cell "
                "needs the port that it had, which its resources name"
            )
        return wanted
    # Below the range that kernels hand to outgoing connections: none of those can take the port before the server does.
    for _ in range(50):
        candidate = 20000 + secrets.randbelow(12000)
        if _free(candidate):
            return candidate
    raise CellError("no free port found between 20000 and 32000 on 127.0.0.1 in 50 tries")
