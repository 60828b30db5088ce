"""What holds for the whole run: AWS's service models are read once, and Ctrl-C is heard.

Each boto3 session reads and keeps models of its own, which are the same megabytes of static JSON every time: with a
session a user and a client a test that was most of the run's time and gigabytes of memory. Nothing else is shared.
A job in the background of a script has Ctrl-C ignored, and so would every command that a test stops by it.
"""

from __future__ import annotations

import signal
from functools import cache

import botocore.session
from botocore.loaders import create_loader

botocore.session.create_loader = cache(create_loader)  # pyright: ignore[reportAttributeAccessIssue]
signal.signal(signal.SIGINT, signal.default_int_handler)
