"""One operation over many stacks, by Pulumi's engine. The only user of the Automation API.

Choose
    choice         by tenant, by cell, or all
    changed        by git
    git            runs git
    sources        files and fingerprints
    order          of deploying and destroying

Run
    stages         canaries first
    run            stage by stage
    processes      workers on this machine
    cluster        workers of a Dask scheduler
    job            a worker's job and result
    work           one stack
    record         to continue a stopped run

Marks
    mark           what decides a stack, as digests
    deciding       reads it
    mark_place     beside the state
    marking        after an `up`
    unchanged      before the next

Engine
    engine         one operation on one stack
    workspace      the SDK's, with fewer starts
    inline         the program inside a worker
    messages       the engine's errors
    failure        why it failed
    steps          what changes, by its events
    backend        state and locks
    state_file     whether a state can be read
    older_states   copies and versions of it
    repairs        after an error that a killed engine caused
    settling       what a killed engine left, before a command's own
    told_again     what the provisioner is told, though it is the same
    states         the states of several cells
    lock_holder    whose lock, and whether it lives
    lock_process   the same, without a worker's note
    moving         a state from one backend to another
    pending        what a killed engine left
    interrupting   Ctrl-C

Secrets
    check_secrets  before the engine, and AWS's errors
    secret_state   in AWS, before an `up`
    adoption       imports a secret and its rotation
    ending         removes one stack
"""
