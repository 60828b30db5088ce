"""Which stacks, in which order, through Pulumi's Automation API. Knows no component."""
