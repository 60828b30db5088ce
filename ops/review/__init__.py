"""`myflux-keys check`: what a reviewer needs to know about a change before it is merged.

Order       check: one review from start to end; remark: one finding; file_line: a line of a file
Base        base: the commit to compare with; stacks: which stacks the change concerns; base_and_change: both sides
Program     rehearsal: runs the program on Pulumi's mocks; answers: ids and ARNs that AWS would give; registered: a
            resource as JSON; tree_rehearsal and __main__: the same for another tree's code, in its own process
Judgement   judging: the policy pack; proving: isolation; preview, previewing: the engine on a copy of the state
Comparison  difference: resources; cost; limits_used; source_lines: from a property to a line of a file
Output      report_markdown, sarif, facts (JSON)
"""
