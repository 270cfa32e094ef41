"""Who signs people in: Firebase, Google, Apple."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    name: str
    issuers: tuple[str, ...]
    audiences: tuple[str, ...]  # of our own apps
    keys_url: str


@dataclass(frozen=True, slots=True)
class PublishedKeys:
    """A provider's public keys, as JSON Web Keys, and how long they are good for."""

    keys: tuple[dict[str, object], ...]
    max_age: float  # seconds


@dataclass(frozen=True, slots=True)
class Claims:
    """What a provider says about who is signing in; "" for what it does not say."""

    provider: str
    subject: str
    email: str = ""
    unproven_email: str = ""  # it came with a password, say
    phone: str = ""
    #: Providers and ids with which the same person has signed in at Firebase.
    linked: frozenset[tuple[str, str]] = frozenset()


def firebase(project: str, keys_url: str) -> Provider:
    issuer = f"https://securetoken.google.com/{project}"
    return Provider("firebase", (issuer,), (project,), keys_url)


def google(client_ids: tuple[str, ...], keys_url: str) -> Provider:
    issuers = ("https://accounts.google.com", "accounts.google.com")
    return Provider("google", issuers, client_ids, keys_url)


def apple(client_ids: tuple[str, ...], keys_url: str) -> Provider:
    return Provider("apple", ("https://appleid.apple.com",), client_ids, keys_url)
