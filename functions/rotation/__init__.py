"""The rotation function: mints a tenant's key, proves it, stores it, makes it current, and expires the old one.

handler  one step a call
steps    the four steps
tenant   whose secret it is
version  what a version holds
memory   kept between steps
making   look, mint, prove, store
mint     the minting call
proof    a call with the key
keys     which keys end, and when
holders  which keys the secret holds
"""
