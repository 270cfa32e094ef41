"""Why a request is not carried out. The text is shown to the user as it is."""


class Refusal(Exception):
    """It cannot be done."""

    code = 201

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or type(self).__doc__)

    @property
    def sentence(self) -> str:
        return str(self)


class BadInput(Refusal):
    """Something in the request cannot be read."""

    code = 400


class WrongApiKey(Refusal):
    """Access Restricted"""

    code = 202


class NoToken(Refusal):
    """Please sign in first."""

    code = 401


class SignedOut(Refusal):
    """Your sign-in is no longer valid. Please sign in again."""

    code = 501


class TooMany(Refusal):
    """Too many requests. Please try again in a moment."""

    code = 429


class Unavailable(Refusal):
    """The service cannot do this right now. Please try again in a moment."""


class Empty(Refusal):
    """EMPTY: NO RECORD IN THE DATABASE"""
