"""A transcript as a file: one format a module, one row in the table of `transcriber.outputs.formats`.

Never here: HTTP, or anything that changes a word.
"""
