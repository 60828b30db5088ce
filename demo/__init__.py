"""`make demo`: runs the whole product on this machine, one named check after another.

command: the command; play: the order of the checks; scene: cell, files and engine; report: what is printed and saved
Checks: provisioning, access, proving, rotating, sweeping, settling, proposing (a pull request), traces and leaks (keys)
"""
