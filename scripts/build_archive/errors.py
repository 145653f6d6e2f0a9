"""What a build may end with in place of an archive."""


class BuildError(Exception):
    """There is no archive; the message says why, in a sentence."""
