"""The platform's own endpoints, and what they control: triggers, schedules, faults, the log.

Never here: the function, or the page that draws it.
"""
