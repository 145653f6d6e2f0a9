"""The emulated Generative APIs and their faults; `emulator.generative.apis` assembles them.

Never here: speech recognition, or anything about the function.
"""
