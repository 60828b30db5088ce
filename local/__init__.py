"""The local cell: AWS, OpenAI and the AWS provider on loopback, as strict as what they stand for.

aws/            The AWS side of the local cell: MiniStack, corrected where it differs from AWS
language_host/  A language host for Pulumi programs in Python
openai/         The OpenAI side of the local cell
provider/       `pulumi-resource-aws` for the local cell
cell            The local cell: one AWS and one OpenAI, embedded, on loopback
clock           The local cell's clock: the machine's time plus an offset that a test or a person can move forward
commands        The commands that a local cell puts on PATH, each only where the official one is missing
environment     What a shell or a child process needs in its environment to work against a local cell
messages_only   Imported first by a process that speaks the engine's protocol and runs no program
process         A server of the local cell as a detached process: starting it, knowing whether it lives, ending it
servers         The two sides of a local cell: which module serves each, and how to tell that it is well
"""
