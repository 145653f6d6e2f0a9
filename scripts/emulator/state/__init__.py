"""What the platform remembers of requests, which faults are ordered of it, and its state as one snapshot.

Never here: asking the function, or answering anybody.
"""
