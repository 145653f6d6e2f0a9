"""The senders of requests besides clients: the queue's trigger and the schedules.

Never here: the function, or the storage that a queue belongs to.
"""
