"""Who may sign in, and for how long."""

from pydantic import Field

from control_plane.config.kinds import Listed
from control_plane.config.service import ServiceSettings


class SignInSettings(ServiceSettings):
    """Sign-in."""

    token_days: int = Field(90, ge=1, le=3650)
    """How long a sign-in lasts."""
    accept_provider_uid: bool | None = None
    """Whether a provider's uid alone signs in. Today's iOS build sends its Firebase uid
    for ever, which is no secret: whoever learns it is that user. None: in development
    only."""
    firebase_project: str = ""
    """Whose ID tokens are taken; none: nobody's of Firebase."""
    google_client_ids: Listed = ""
    """Of our apps with Google, between blanks; none: nobody's of Google."""
    apple_client_ids: Listed = ""
    """Of our apps with Apple, between blanks; none: nobody's of Apple."""
    firebase_keys_url: str = (
        "https://www.googleapis.com/service_accounts/v1/jwk/"
        "securetoken@system.gserviceaccount.com"
    )
    """Where Firebase's public keys are."""
    google_keys_url: str = "https://www.googleapis.com/oauth2/v3/certs"
    """Where Google's are."""
    apple_keys_url: str = "https://appleid.apple.com/auth/keys"
    """Where Apple's are."""

    @property
    def provider_uid_accepted(self) -> bool:
        if self.accept_provider_uid is None:
            return self.development
        return self.accept_provider_uid
