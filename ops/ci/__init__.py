"""What each CI job runs: one script a job, the same on GitHub, on GitLab and on a laptop (docs/pipelines.md).

Jobs     check, comment, plan, deploy, drift, operate
Shared   command: runs `myflux-keys` as a cell's pipeline; identity: the job's AWS session; github: GitHub's API;
         report: the files from check to comment; summary: the job's page; failure: errors and exit codes
"""
