"""What people and CI run, over a small base.

Base
    errors          the exception of every operation
    account         AWS clients
    journal         records of stopped runs
    selection       which tenants
    rotation_state  facts of secrets
    ways_out        sentences that name the command to run

Folders
    cli/            the `myflux-keys` command
    ci/             one script a job
    actions/        operations on a running cell
    stacks/         many stacks in order, by Pulumi's engine
    isolation/      the proof
    review/         `myflux-keys check`
"""
