"""Runs `myflux-keys` commands on a stage's cell as a person would, and measures them."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench import stage


@dataclass(frozen=True)
class Ran:
    """`cpu` is in seconds, and includes a command's workers, engines and providers, but not the cell's servers. `load`
    is the machine's at its end. `answer` is what it said as JSON."""

    seconds: float
    cpu: float
    load: float
    answer: Mapping[str, Any]

    @property
    def outcomes(self) -> dict[str, int]:
        """Of `up`: how many stacks each outcome has."""
        found: dict[str, int] = {}
        for told in self.answer["stacks"].values():
            found[told["outcome"]] = found.get(told["outcome"], 0) + 1
        return found


def run(here: stage.Stage, *words: str) -> Ran:
    """Raises RuntimeError with the end of what a failed command said."""
    return measured(lambda: said(here, *words))


def measured(act: Callable[[], Mapping[str, Any]]) -> Ran:
    """`act` may run several commands, also at once, and nothing else runs meanwhile."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    answer = act()
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ran(seconds, cpu, os.getloadavg()[0], answer)


def said(here: stage.Stage, *words: str) -> Mapping[str, Any]:
    """What the command says as JSON. Raises RuntimeError with the end of what a failed command said."""
    done = subprocess.run(
        [sys.executable, "-m", "ops.cli", *words, "--json"],
        cwd=stage.ROOT,
        env=here.environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)[:80]}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)
