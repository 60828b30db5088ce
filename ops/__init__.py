"""What people and CI run, over a small base.

Base
    errors          the exception of every operation
    collector       modules are loaded without the garbage collector
    explained       sentences about what this machine and AWS refuse
    aws_clients     how long a call waits for AWS
    aws_answers     whether an answer is AWS's
    account         AWS clients of one cell
    state_place     where a cell's state is, as Pulumi takes it
    journal         records of stopped runs
    selection       which tenants
    rotation_state  facts of secrets
    ways_out        sentences that name the command to run
    prices          what OpenAI asks for a call

Folders
    cli/            the `myflux-keys` command
    ci/             one script a job
    actions/        operations on a running cell
    page/           the fleet as one HTML file
    stacks/         many stacks in order, by Pulumi's engine
    isolation/      the proof
    review/         `myflux-keys check`
"""
