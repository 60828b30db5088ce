"""`pulumi-resource-aws` for the local cell: a resource provider that drives the resource types in use over boto3.

Stands for the official plugin (7.51.1) where that can't be had. It answers with the official plugin's names, ids,
defaults and replacement rules, and refuses what it doesn't carry: a resource type, an input or a setting that it would
have to ignore. Facts about those rules come from the documentation and the schema of the official provider.

    services/      The resource types, one service or part of it a file. Each file ends in `RESOURCES`
    __main__       Serves the provider: what an executable `pulumi-resource-aws` on PATH runs
    answers        Results and errors in the engine's terms
    aws            The way to AWS: one session per provider instance, a client per service, and AWS's errors in words
    check          Checks a resource's inputs and fills in what the official plugin fills in
    configuration  The provider's own settings
    diff           What differs between a resource's state and its new inputs, and what that asks for
    documents      When two JSON documents mean the same to AWS, although their texts differ
    invokes        The data sources that programs use: who is calling, which Region, which partition
    lifecycle      Makes, reads, changes and removes one resource by its description
    model          How a resource type is described
    package        The package schema that the engine asks for, e.g. to write a program for an imported resource
    registry       Which resource types there are
    rules          Small rules for input values. Each returns a function that says why a value is refused, or None
    servicer       The engine's ResourceProvider protocol, version 1, over gRPC
    values         Property values between the engine's wire form and plain Python
"""
