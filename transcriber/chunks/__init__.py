"""A recording to chunks: pieces that one call of the API takes.

Belongs here: where to cut, cutting while the recording is read, and what is done with a single chunk (its loudness, its
halves, a slice of it). Never here: what was said in it.
"""
