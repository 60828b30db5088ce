"""Why the engine failed, in a sentence: what it said itself, unless it was killed, crashed, or lost its stack.

Pure. The last line that it wrote is often a warning, or the end of a stack trace. Leaves out the engine's error events
(`messages`), and what a person can do about AWS's errors (`check_secrets`).
"""

from __future__ import annotations

import re
import signal
from typing import Final

_CODE: Final = re.compile(r"^ code: (-?\d+)$", re.MULTILINE)
"""In the SDK's error of a process that failed. Python gives the number of a signal as a negative code."""
_CRASH: Final = re.compile(r"^(?: std(?:out|err): )?((?:panic: |fatal error: ).*)$", re.MULTILINE)
"""The first line of what Go writes when a program crashes: https://go.dev/ref/spec#Handling_panics"""
_FRAME: Final = re.compile(r"^ (?:code: -?\d+$|std(?:out|err): )", re.MULTILINE)
_GONE: Final = re.compile(r"no stack named '.*' found")
_ERROR: Final = "error: "


def reason(output: str, told: str) -> str:
    """`output` is the SDK's error, with all that the engine wrote; `told` are the messages of its error events."""
    code = _CODE.search(output)
    crash = _CRASH.search(output)
    if code and int(code[1]) < 0:
        why = f"the engine was killed ({_named(-int(code[1]))}): the same command again repairs what it left."
    elif crash:
        why = f"the engine crashed: {crash[1].strip()}"
    elif _GONE.search(output):
        why = "somebody has removed the stack meanwhile."
    else:
        return told or _last_error(output)
    return "\n".join(filter(None, [why, told]))


def _named(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"{name}, as by a system that is out of memory" if name == "SIGKILL" else name


def _last_error(output: str) -> str:
    lines = [line.strip() for line in _FRAME.sub("", output).splitlines() if line.strip()]
    errors = [line.partition(_ERROR)[2] for line in lines if _ERROR in line]
    others = [line for line in lines if not line.startswith("warning:")]
    return next(reversed(errors or others), "the engine ended without a word")
