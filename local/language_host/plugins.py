"""Runs a plugin or a policy pack that is written in Python, and forwards its output."""

from __future__ import annotations

import itertools
import queue
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import grpc

from local.language_host.policy_pack import PackNotReady, PolicyPackFront
from local.language_host.processes import Processes

_REFUSAL_SECONDS: Final = 10.0

Output = tuple[str, bytes | int]
"""``("stdout" | "stderr", bytes)`` or, last, ``("exitcode", int)``: the fields of a RunPluginResponse."""


def plugin(
    processes: Processes, python: Path, variables: Mapping[str, str], request: Any, context: grpc.ServicerContext
) -> Iterator[Output]:
    """Runs the plugin's `__main__.py` until the engine ends it."""
    command = [str(python), request.info.program_directory, *request.args]
    process = processes.start(command, request.pwd, variables)
    context.add_callback(lambda: processes.end(process))
    yield from processes.stream(process)
    yield "exitcode", process.returncode


def policy_pack(
    processes: Processes, python: Path, variables: Mapping[str, str], request: Any, context: grpc.ServicerContext
) -> Iterator[Output]:
    """Runs a policy pack in its own folder, once the engine has named the stack, until the engine ends it."""
    folder = request.info.program_directory
    command = [str(python), "-u", "-m", "pulumi.policy", *request.args, folder]
    started: queue.SimpleQueue[tuple[subprocess.Popen[bytes], Iterator[tuple[str, bytes]], bool] | None] = (
        queue.SimpleQueue()
    )

    def launch(stack: Mapping[str, str]) -> int:
        process = processes.start(command, folder, {**variables, **stack})
        port, before, output = _port(processes.stream(process))
        started.put((process, itertools.chain(before, output), port is not None))
        if port is None:
            # The engine may give up before the pack's output has reached it.
            raise PackNotReady(f"the policy pack in {folder} ended before it was ready: {_last_line(before)}")
        return port

    front = PolicyPackFront(launch)
    # The engine may also end before it has named a stack: then there is no process to wait for.
    context.add_callback(lambda: started.put(None))
    try:
        yield "stdout", f"{front.port}\n".encode()
        if (running := started.get()) is None:
            return
        process, output, ready = running
        context.add_callback(lambda: processes.end(process))
        yield from output
        if not ready:
            # Else the engine may see the exit code first, and report that instead of the reason.
            front.refused.wait(_REFUSAL_SECONDS)
        yield "exitcode", process.returncode
    finally:
        front.stop()


def _port(
    output: Iterator[tuple[str, bytes]],
) -> tuple[int | None, list[tuple[str, bytes]], Iterator[tuple[str, bytes]]]:
    """The port on the first line of stdout (None when the process ended without one), the other output until then, and
    all that follows."""
    line = b""
    before: list[tuple[str, bytes]] = []
    for name, chunk in output:
        if name != "stdout":
            before.append((name, chunk))
            continue
        line += chunk
        if b"\n" in line:
            first, rest = line.split(b"\n", 1)
            return int(first), [*before, *([("stdout", rest)] if rest else [])], output
    return None, [*before, *([("stdout", line)] if line else [])], iter(())


def _last_line(output: Sequence[tuple[str, bytes]]) -> str:
    lines = b"".join(chunk for _, chunk in output).decode(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it wrote nothing")
