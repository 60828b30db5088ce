"""A language host for Pulumi programs in Python, for machines that lack the official `pulumi-language-python`.

Speaks the engine's documented LanguageRuntime protocol with the SDK's own protobufs. Owns running programs, policy
packs and plugins in the project's virtual environment, naming the packages they need, and SDKs of local packages.
Leaves out what a deployment never needs (new projects from templates, converting programs, poetry, uv, type checkers,
debuggers): it refuses them and names the official host.

    __main__       `pulumi-language-python [ENGINE_ADDRESS]`: serves the engine that started it, and ends with it
    environments   Which Python a project runs in, and which packages that Python holds
    host           The LanguageRuntime service: the engine's requests and the modules that answer them
    list_packages  The packages that a Python holds; a script for a project that has a Python of its own
    packages       Which provider plugins a set of Python packages needs
    plugins        Runs a plugin or a policy pack that is written in Python, and forwards its output
    policy_pack    Starts a policy pack with the stack's name and configuration in its environment
    processes      The processes that a language host starts; they end with it
    run_program    A project's own Python runs it: runs one Pulumi program for the engine
    sdk            The Python SDK of a local component package: written, and made part of a project's requirements
"""
