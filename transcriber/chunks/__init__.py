"""A recording to chunks: pieces that one call of the API takes.

Belongs here: where to cut, cutting while the recording is read, and operations on a single chunk (its loudness, its
halves, a slice of it). Never here: the words in it.
"""
