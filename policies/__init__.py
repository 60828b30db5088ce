"""The policy pack: `pulumi preview --policy-pack policies`.

__main__     the pack, as the engine starts it
guardrails/  its rules
"""
