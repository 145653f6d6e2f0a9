"""Bytes to audio: which container and codec they are, their samples, and how loud those are.

Belongs here: containers, frames, decoding, resampling, loudness. Never here: where a recording is cut.
"""
