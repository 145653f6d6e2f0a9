"""Where audio comes from: bytes that are read in order, again if need be, in bounded memory.

Belongs here: one module for each kind of source. Never here: what the bytes mean.
"""
