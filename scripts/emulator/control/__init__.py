"""The endpoints under `/_emulator/`, their client, and the object that they control: triggers, faults and the log.

Never here: how a trigger or a fault works, or the page.
"""
