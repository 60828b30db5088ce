"""A language host for Pulumi programs in Python, for machines that lack the official `pulumi-language-python`.

Speaks the engine's documented LanguageRuntime protocol with the SDK's own protobufs. Owns running programs, policy
packs and plugins in the project's virtual environment, naming the packages they need, and SDKs of local packages.
Leaves out what deploying never asks for (new projects from templates, converting programs, poetry, uv, type checkers,
debuggers): asked for one of these it says so and points to the official host.
"""
