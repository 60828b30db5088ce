"""Pulumi components, one a file. Decisions about policy live apart, in `documents` and `resource_policies`.

Resource classes are imported by name: `pulumi_aws` loads its modules lazily, and what goes wrong while it does so would
show as a missing attribute in the middle of a program.
"""
