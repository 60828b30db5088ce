"""AWS's service models are read once for the whole run, not once a client.

Each boto3 session reads and keeps models of its own, which are the same megabytes of static JSON every time: with a
session a user and a client a test that was most of the run's time and gigabytes of memory. Nothing else is shared.
"""

from __future__ import annotations

from functools import cache

import botocore.session
from botocore.loaders import create_loader

botocore.session.create_loader = cache(create_loader)  # pyright: ignore[reportAttributeAccessIssue]
