"""The pack's rules: pure functions over the resources of a stack.

Imports nothing of ours, and Pulumi in `engine` alone: the pack runs from its own folder, where nothing else is found,
and a review asks the same rules without an engine.
"""
