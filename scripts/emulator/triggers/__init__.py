"""The platform's triggers, which call the function without a client: the queue and the schedules.

Never here: the storage that fills the queue, or what the function does with a message.
"""
