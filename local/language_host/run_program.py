"""A project's own Python runs it: runs one Pulumi program for the engine.

Reads its orders (addresses, stack, configuration) as one JSON document from stdin, since configuration may hold secrets
and other processes can see arguments and environment variables. Exit code 32 means that the program failed and that the
reason has been printed.
"""

import asyncio
import gc
import json
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

TOLD = 32

ENGINE_STOPPED = "resource monitor shut down"
"""The engine's answer to waiting calls after another resource's error, which was printed, has ended the update."""


class ProgramExit(Exception):
    """The program called `sys.exit`. A SystemExit would end the event loop before the SDK has finished."""


class Origins:
    """Where exceptions first came from.

    asyncio drops a traceback when a failed task is awaited a second time, which the SDK does. Then the output would not
    show in which `apply` a program failed.
    """

    def __init__(self) -> None:
        self._seen: dict[int, tuple[BaseException, TracebackType | None]] = {}

    def task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **context: Any) -> Any:
        return asyncio.Task(self._watched(coroutine), loop=loop, **context)

    async def _watched(self, coroutine: Any) -> Any:
        try:
            return await coroutine
        except Exception as error:
            self._seen.setdefault(id(error), (error, error.__traceback__))
            raise

    def restore(self, error: BaseException) -> BaseException:
        _, origin = self._seen.get(id(error), (error, error.__traceback__))
        return error.with_traceback(origin)


def readable(error: BaseException, sdk: str) -> str:
    """The error's traceback from the program's first line on, without the frames of what runs the program."""
    told = traceback.TracebackException.from_exception(error)
    _trim(told, ("<frozen ", runpy.__file__, __file__, str(Path(asyncio.__file__).parent), sdk))
    return "".join(told.format()).strip()


def _trim(told: traceback.TracebackException | None, machinery: tuple[str, ...]) -> None:
    if told is None:
        return
    own = next((i for i, frame in enumerate(told.stack) if not frame.filename.startswith(machinery)), len(told.stack))
    del told.stack[:own]
    _trim(told.__cause__, machinery)
    _trim(told.__context__, machinery)


def run(orders: dict[str, Any]) -> int:
    # The SDK's objects are needed until this short process ends; garbage collection while they load would take a tenth
    # of the time.
    gc.disable()
    try:
        import grpc
        import pulumi
        import pulumi.runtime
    except ImportError as error:
        sys.stderr.write(f"{error}: {sys.executable} cannot run a Pulumi program. `pulumi install` adds the packages\n")
        return TOLD
    pulumi.runtime.set_all_config(orders["config"], orders["secret_keys"])
    pulumi.runtime.configure(pulumi.runtime.Settings(**orders["settings"]))
    # A program that fails leaves futures that nobody awaits. A warning about them would not help.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(max_workers=max(orders["settings"]["parallel"], 1) * 4))
    origins = Origins()
    loop.set_task_factory(origins.task)
    sdk = str(Path(pulumi.__file__).parent)

    def program() -> None:
        try:
            runpy.run_path(orders["program"], run_name="__main__")
        except SystemExit as leaving:
            if leaving.code:
                said = leaving.code if isinstance(leaving.code, str) else f"the program exited with {leaving.code}"
                raise ProgramExit(said) from None

    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(program))
    except (pulumi.RunError, ProgramExit) as error:
        pulumi.log.error(str(error))
        return TOLD
    except grpc.RpcError as error:
        # An engine that has stopped has already printed the reason.
        if error.code() != grpc.StatusCode.UNAVAILABLE:
            pulumi.log.error(f"the engine refused a call of the program: {error.details()}")
        return TOLD
    except Exception as error:  # noqa: BLE001  (whatever the program raises is the program's to explain)
        if str(error).startswith(ENGINE_STOPPED):
            return TOLD
        pulumi.log.error(f"the program stopped with an exception:\n{readable(origins.restore(error), sdk)}")
        return TOLD
    return 0


if __name__ == "__main__":
    received: dict[str, Any] = json.load(sys.stdin)
    # The program gets an empty stdin, and a path without this file's folder.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    del sys.path[0]
    sys.argv = [received["program"], *received["arguments"]]
    try:
        sys.exit(run(received))
    except KeyboardInterrupt:
        # Only the host interrupts, and only after the engine has ended the update and printed the reason. Threads that
        # wait for the engine would continue to wait, so none is joined.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(TOLD)
