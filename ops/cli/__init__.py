"""The `myflux-keys` command: parses arguments and prints results. Decides nothing. `demo` is in the folder demo/.

Root
    main           the root, and how errors are printed
    commands       the table of commands

Shared
    options        options of several commands
    output         results on stdout, the rest on stderr
    streams        standard input, output and error
    ask            questions and keys at the terminal
    table          tables, times, ages and counts
    progress       a progress line
    plot           bars

Stacks
    stacks         up, preview, refresh, destroy
    stacks_run     prints a run
    stacks_report  the report of a run

Tenants
    new            a tenant's file
    adopt          imports a project and secret
    move           to another cell
    rename         always refused
    credential     from a key to tokens, or back
    offboard       ends a tenant
    access         disable, enable

Keys
    rotate         rotates keys now
    revoke         revokes all keys of a tenant after a leak
    admin_key      stores and rotates the admin key
    key            stores a customer's own key
    connect        links by which customers hand in their keys
    handover       a key's way into a consumer that a person serves

Reports
    validate       reads every file
    check          what a pull request changes
    status         what needs a person, and the state of each key
    fleet_rows     that as lines and as JSON
    verify         every check of one tenant now
    sweep          keys that should not exist
    history        the versions of a key
    capacity       how much of each limit a cell uses
    models         prices, limits and the end of each model
    estimate       what a tenant's month costs
    usage          what tenants used, and what OpenAI billed
    usage_report   its report
    doctor         what is wrong with this machine, an account or a cell

Cell
    bootstrap      what a cell needs before its platform
    local          the local cell
    env            what `pulumi` itself needs
"""
