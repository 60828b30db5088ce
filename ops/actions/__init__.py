"""What an operator does to a running cell: decisions and calls. `ops/cli` only parses arguments and prints.

A file `run_<name>` runs a command: it takes the lock, and opens the record and the account. The file `<name>` holds the
command's steps and decisions.

Keys
    rotate              rotates many tenants' keys
    cut_short           what a rotation takes from the keys before it
    pace                when the next rotation may start
    rotation_order      which of many comes first
    revoke              revokes a tenant's keys after a leak
    revoke_plan         what a revocation would do, in words
    revoke_tokens       ends a leak at a tenant that gets tokens
    end_keys            calls the function that revokes
    admin_key           the cell's admin key
    connect_links       links to the connect page
    connect_confirm     confirms the organization of a key that was handed in
    run_connect         the same, with the cell's account
    connect_view        open links, as `status` shows them
    handover            a key's hand-over to a consumer that a person serves: AWS's calls
    handover_standing   what holds after one: the old key's use and end
    run_handover        the order: checks, role, key, page, record
    customer_key        a customer's own key
    customer_key_check  checks a customer's own key
    pasted_key          what stands around a key; keys of other providers

Tenants
    new_tenant          a new tenant's file
    new_questions       the questions about it
    credential_choice   which credential it had best have
    tenant_file         edits one field of a tenant's file
    access              denies and allows reads of a secret
    session_access      denies and allows a tenant's sessions
    deploy_tenant       deploys a tenant whose file a command changed
    adopt               imports a project and secret
    move                to another cell
    credential          from a key to tokens, or back: the order and the waits
    run_credential      the same, with file, engine and functions
    offboard            ends a tenant
    leave_cell          removes a tenant from a cell, for both of these

Cells
    bootstrap           what a cell needs before its platform
    bootstrap_deletion  when that may be deleted, and what is left

Reports
    status              the state of each key
    fleet_view          what is known of a fleet, ready to be shown
    cell_view           one cell as rows
    tenant_view         one tenant as a row
    tenant_troubles     what is wrong with it
    handover_view       its hand-overs as rows
    trouble_view        troubles as rows
    health_memory       what the health function remembers
    verify              what `verify` says of each step, from AWS's answers
    verify_openai       the same from the functions' answers
    verify_access       who may read one tenant's key
    verify_looks        the calls that it makes
    history             the history of a key
    trail               CloudTrail's events
    sweep               a sweep by command
    orphans             what exists without the others
    trust               readers' roles that trust somebody deleted
    capacity            how much of each limit a cell uses
    models              prices, limits and the end of each model
    estimate            what a tenant's month costs at a load
    usage               what tenants used, and what OpenAI billed
    projection          how many cells a number of tenants needs
    doctor              what `doctor` says of a cell
    doctor_health       what it says of the health function
    doctor_connect      what it says of the connect page
    doctor_connect_looks  the calls that it makes about that
    doctor_trail        what it says of the account's trails
    doctor_trail_looks  the calls that it makes about those
    doctor_account      what it says of the machine, the caller and the account
    doctor_looks        the calls that it makes
    shell_variables     what `pulumi` itself needs

What a command calls: it loads files, takes locks, opens records and accounts
    run_rotate          a rotation of many keys
    run_revoke          a revocation
    run_revoke_tokens   one of a tenant that gets tokens
    run_revoke_plan     looks at what either would find, and changes nothing
    run_adopt           an adoption
    run_move            both halves of a move
    run_offboard        prepares an off-boarding
    run_sweep           a sweep of cells and tenants
    run_bootstrap       a bootstrap
    run_bootstrap_deletion  its deletion
    run_stacks          one operation on many stacks
    store_keys          stores an admin key or a customer's key
    switch_access       denies or allows a tenant's readers
    run_usage           asks the health functions for usage and costs
    read_reports        reads what reports print, cell by cell
    run_doctor          looks at this machine and at cells
    run_verify          checks everything about one tenant
    stack_states        which stacks have a state

AWS Lambda
    functions_client    calls the cell's functions
"""
