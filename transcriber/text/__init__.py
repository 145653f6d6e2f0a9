"""Characters alone: words, joining, repetition, alignment with speech, subtitles, remarks of models.

Imports nothing of ours but `transcriber.spans`. Never here: audio, requests, the network.
"""
