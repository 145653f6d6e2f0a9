"""A backlog of recordings, drained by many instances on a bad day, and what came of it."""
