"""Object Storage and Queues on this machine.

Never here: triggers, or what is in the objects.
"""
