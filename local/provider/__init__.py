"""`pulumi-resource-aws` for the local cell: a resource provider that drives the resource types in use over boto3.

Replaces the official plugin (7.51.1) where it is not installed. It has the official plugin's names, ids, defaults and
replacement rules, from its documentation and schema. It refuses a resource type, an input or a setting that it does not
implement.

    services/      The resource types, one service or part of it a file. Each file ends in `RESOURCES`
    __main__       Serves the provider: what an executable `pulumi-resource-aws` on PATH runs
    answers        Results and errors in the engine's terms
    aws            Access to AWS: a session per provider instance, a client per service, AWS's errors as text
    check          Checks a resource's inputs and fills in what the official plugin fills in
    configuration  The provider's own settings
    diff           The differences of a resource's state and its new inputs, and whether they need a replacement
    documents      When two JSON documents mean the same to AWS, although their texts differ
    invokes        The data sources that programs use: caller identity, Region, partition
    lifecycle      Makes, reads, changes and removes one resource by its description
    model          How a resource type is described
    package        The package schema that the engine asks for, e.g. to write a program for an imported resource
    registry       Which resource types there are
    rules          Small rules for input values. Each returns a function that says why a value is refused, or None
    servicer       The engine's ResourceProvider protocol, version 1, over gRPC
    values         Property values between the engine's wire form and plain Python
"""
