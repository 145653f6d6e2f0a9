"""What is done for each kind of request: a client's, a queued job, uploads, a sweep.

Belongs here: the order of steps, and what follows from each outcome. Never here: how a step works.
"""
