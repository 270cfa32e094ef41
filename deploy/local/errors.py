"""What stops the local environment, in words for the terminal."""


class LocalError(Exception):
    """One or two plain sentences: what is wrong, and what to do."""
