"""The admin rotation function: replaces the cell's OpenAI admin key, and deletes the old one a day later.

handler  one step, or the daily tidying
guard    whether it may rotate
steps    the four steps
mint     the minting call
proof    two calls with the key
tidy     deletes old keys daily
endings  which keys end
"""
