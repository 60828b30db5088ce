"""`make examples`: runs the programs under `examples/` on local cells and says what ran and what was left out.

A runtime that is not on this machine is named, with how to get it. With `--all`, as in CI, it is a failure.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from local.cell import LocalCell
from tests.examples.example import EXAMPLES, Example, how_to_get, rig, run
from tools.engine_step import StepError


def attempt(example: Example) -> tuple[str, str]:
    """``ran``, ``failed`` or ``left out``, and what there is to say about it."""
    with tempfile.TemporaryDirectory(prefix="myflux-example-") as name:
        folder = Path(name)
        cell = LocalCell.start(folder / "cell")
        try:
            # The pace that OpenAI allows is for other tests; here it would only be waited for.
            cell.openai.settings(admin_requests_per_minute=0)
            # What the reader in this process is led by; the engine gets an environment of its own.
            os.environ |= {"AWS_ENDPOINT_URL": cell.aws_url, "NO_PROXY": "127.0.0.1"}
            made = rig(example, folder, cell)
            if missing := example.missing(made.environment()):
                return "left out", f"not on this machine: {how_to_get(missing)}"
            start = time.monotonic()
            run(example, made)
            return "ran", ", ".join([f"{time.monotonic() - start:.0f} s", *example.versions(made.environment())])
        except StepError as error:
            return "left out", str(error).splitlines()[0]
        except (AssertionError, subprocess.TimeoutExpired) as error:
            return "failed", str(error)
        finally:
            cell.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.examples", description=__doc__)
    names = [example.name for example in EXAMPLES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all of them if left out")
    parser.add_argument("--all", action="store_true", help="an example that cannot run here is a failure")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(names)):
        parser.error(f"there is no example {', '.join(unknown)}: choose of {', '.join(names)}")
    outcomes: list[str] = []
    for example in EXAMPLES:
        if arguments.names and example.name not in arguments.names:
            continue
        sys.stderr.write(f"examples/{example.name}: running\n")
        outcome, told = attempt(example)
        outcomes.append(outcome)
        sys.stdout.write(f"examples/{example.name}: {outcome.upper() if outcome != 'ran' else outcome}: {told}\n")
        sys.stdout.flush()
    counts = ", ".join(f"{outcomes.count(each)} {each}" for each in ("ran", "failed", "left out"))
    sys.stdout.write(f"{len(outcomes)} examples: {counts}\n")
    return int("failed" in outcomes or (arguments.all and "left out" in outcomes))


if __name__ == "__main__":
    os.environ.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    sys.exit(main())
