"""The emulated Generative APIs; `emulator.generative.apis` assembles them.

Never here: the function, or how speech is recognised.
"""
