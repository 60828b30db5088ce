"""A language host for Pulumi programs in Python, for machines that lack the official `pulumi-language-python`.

Speaks the engine's documented LanguageRuntime protocol with the SDK's own protobufs. Owns running programs, policy
packs and plugins in the project's virtual environment, naming the packages they need, and SDKs of local packages.
Leaves out what deploying never asks for (new projects from templates, converting programs, poetry, uv, type checkers,
debuggers): asked for one of these it says so and points to the official host.

    __main__       `pulumi-language-python [ENGINE_ADDRESS]`: serves the engine that started it, and ends with it
    environments   Which Python a project runs in, and which packages that Python holds
    host           The LanguageRuntime service: what the engine may ask of a language host, and who answers
    list_packages  Run by a project's own Python: prints the packages it holds, as JSON. Standard library only
    packages       Which provider plugins a set of Python packages asks for
    plugins        Running a plugin or a policy pack that is written in Python, and passing on what it says
    policy_pack    Starting a policy pack with the stack's name and configuration in its environment
    processes      The processes that a language host starts, all of which end when it does
    run_program    Run by a project's own Python: runs one Pulumi program against the engine that is waiting for it
    sdk            The Python SDK of a local component package: written, and made part of a project's requirements
"""
