"""What each CI job runs: one script a job, the same on GitHub, on GitLab and on a laptop (docs/pipelines.md).

Jobs
    check     reviews a pull request
    comment   writes the review as a comment
    plan      which cells, and since which commit
    deploy    what a merge changed
    drift     where AWS differs from the files
    operate   rotates a key, or ends a tenant

Shared
    command   runs `myflux-keys` as a cell's pipeline
    identity  the job's AWS session
    github    GitHub's API
    report    the files from check to comment
    summary   the job's page
    failure   errors and exit codes
"""
