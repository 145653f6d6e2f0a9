"""Object Storage and Queues on this machine: moto, signature checks, and objects kept for the next start.

Never here: triggers, or the meaning of an object's content.
"""
