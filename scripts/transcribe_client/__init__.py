"""The command `scripts/transcribe`: sends recordings to a function, deployed or local, and collects the transcripts."""
