"""`myflux-keys check`: what a reviewer needs to know about a change before it is merged.

Order
    check            one review from start to end
    remark           one finding
    file_line        a line of a file

Base
    base_commit      the commit to compare with
    stacks           which stacks the change concerns
    base_and_change  both sides

Program
    rehearsal        runs the program on Pulumi's mocks
    answers          ids and ARNs that AWS would give
    registered       a resource as JSON
    tree_rehearsal   the same for another tree's code, in its own process

Judgement
    judging          the policy pack
    proving          isolation
    preview          the engine on a copy of the state
    previewing       which stacks are previewed

Comparison
    difference       of resources
    tenant_files     which tenants are new, changed or gone
    cost             a month at AWS
    spending         a month at OpenAI
    limits_used      of each cell
    source_lines     from a property to a line of a file

Output
    report_markdown  for the pull request
    report_spending  what tenants may cost, in both
    sarif            for code scanning
    report_json      JSON
"""
