"""`pulumi-resource-aws` for the local cell: a resource provider that drives the resource types in use over boto3.

Stands for the official plugin (7.51.1) where that can't be had. It answers with the official plugin's names, ids,
defaults and replacement rules, and refuses what it doesn't carry: a resource type, an input or a setting that it would
have to ignore. Facts about those rules come from the documentation and the schema of the official provider.
"""
