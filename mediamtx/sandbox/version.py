"""In what the versions that the sandbox node can act as differ."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Version:
    name: str
    #: One question and one id for each viewer, instead of a question a request.
    hls_sessions: bool
    #: An encoder is asked about before it sends media, and hears why it may not.
    auth_before_media: bool
    #: User agents stand in the question and in the lists.
    user_agents: bool
    #: ``token`` is filled from a password and from a URL's query, too.
    token_from_anywhere: bool
    #: MTX_QUERY is escaped.
    escaped_query: bool


VERSIONS = {
    "v1.20.1": Version("v1.20.1", True, True, True, True, True),
    "v1.17.1": Version("v1.17.1", False, False, False, False, False),
}
