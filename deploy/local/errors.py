"""What stops the local environment, in words for the terminal."""


class LocalError(Exception):
    """One or two plain sentences: what is wrong, and what to do."""


def sentence(error: OSError) -> str:
    return f"{error.filename or 'The system'}: {error.strerror}."
