"""What each CI job runs: one script a job, the same on GitHub, on GitLab and on a laptop.

Owns what a workflow would otherwise hold as shell: which cell, whose credentials, what to say. Leaves out everything
that a `myflux-keys` command does; the scripts call those as commands.
"""
