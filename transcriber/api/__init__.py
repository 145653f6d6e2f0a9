"""One call of the Generative APIs: a chunk in, its transcript or an error of ours out.

Belongs here: the client, its transport, request bodies, both backends, which models exist. Never here: whether a
transcript is complete, or what happens to a chunk after its call.
"""
