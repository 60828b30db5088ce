"""`pulumi-resource-aws` for the local cell: a resource provider that manages the resource types in use through boto3.

Replaces the official plugin (7.51.1) where it is not installed. It has the official plugin's names, ids, defaults and
replacement rules, from its documentation and schema. It refuses a resource type, an input or a setting that it does not
implement.

    services/      The resource types, one service or part of a service per file. Each file ends in `RESOURCES`
    __main__       Serves the provider: the executable `pulumi-resource-aws` on PATH runs it
    answers        Results and errors in the engine's terms
    aws            Access to AWS: a session per provider instance, a client per service, AWS's errors as text
    check          Checks a resource's inputs and adds the values that the official plugin adds
    configuration  The provider's own settings
    diff           The differences between a resource's state and its new inputs, and whether they need a replacement
    documents      Whether two JSON documents are equivalent for AWS, although their texts differ
    invokes        The data sources that programs use: caller identity, Region, partition
    lifecycle      Creates, reads, updates and deletes one resource by its description
    model          How a resource type is described
    package        The package schema that the engine requests, e.g. to generate code for an imported resource
    registry       The resource types that are implemented
    rules          Rules for input values. Each returns a function that returns why a value is refused, or None
    servicer       The engine's ResourceProvider protocol, version 1, over gRPC
    values         Converts property values between the engine's wire format and plain Python
"""
