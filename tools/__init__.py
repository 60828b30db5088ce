"""Checks and builds for this repository; nothing here is deployed.

actionlint       Runs actionlint over the workflows
browser          A Chromium or Chrome for the tests of pages: found on the machine, or installed once
browser_sources  Three ways to get a Chromium that is not on the machine
engine           Pulumi's engine for this repository: found on PATH, or installed once into a cache outside it
engine_sources   Two ways to get a Pulumi engine that is not on the machine
engine_step      Runs one long command: shows its progress, limits its time and keeps the end of its output
git_content      What git holds, would commit, or would push, as texts with names
go_program       Go programs that the examples need, built once from pinned modules into the cache
key_guard        Refuses anything shaped like a key in the repository
"""
