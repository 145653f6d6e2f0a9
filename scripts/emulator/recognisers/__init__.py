"""Recognisers that answer for the models, and the tone-coded recordings that one of them reads.

Never here: HTTP, or what an API refuses.
"""
