"""The local cell: emulators of AWS, OpenAI and the AWS provider on loopback, as strict as the real services.

aws/            The AWS side of the local cell: MiniStack, corrected where it differs from AWS
language_host/  A language host for Pulumi programs in Python
openai/         The OpenAI side of the local cell
provider/       `pulumi-resource-aws` for the local cell
addresses       Where a host of the internet answers on this machine: a local cell's name resolution
cell            The local cell: one AWS and one OpenAI, embedded, on loopback
clock           The local cell's clock: the machine's time plus an offset that a test or a person can move forward
commands        The commands that a local cell puts on PATH, each only if the official one is missing
environment     The environment of a shell or a child process that uses a local cell
issuer          An OpenID Connect issuer, as GitHub and GitLab are one for their jobs: signs tokens, publishes its keys
keeping         What a cell keeps across a stop, if it was asked to
leftovers       Functions that go on after the AWS side that ran them was killed
messages_only   Imports `pulumi` without its SDK, for a process that only uses the engine's protocol
process         A server of the local cell as a detached process: starts it, checks that it runs, ends it
record          The files of a cell in its home: which they are, and where its servers run
rotations       How far the rotations are that a move of the clock has made due
servers         The two servers of a local cell: their modules, and their health checks
totp            Codes of a virtual MFA device, as an authenticator shows them
"""
