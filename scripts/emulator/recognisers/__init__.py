"""The recognisers behind the models, and the recordings of tones that one of them reads.

Never here: HTTP, or the rules of an API.
"""
