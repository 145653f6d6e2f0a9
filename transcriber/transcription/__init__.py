"""Chunks to a whole transcript.

Belongs here: calling the API for each chunk in parallel, checking the answers against the sound, timing the words,
joining the results. Never here: HTTP answers, formats, storage.
"""
