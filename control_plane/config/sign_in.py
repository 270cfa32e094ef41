"""Who may sign in, and for how long."""

from pydantic import Field

from control_plane.config.kinds import Listed
from control_plane.config.service import ServiceSettings


class SignInSettings(ServiceSettings):
    token_days: int = Field(90, ge=1, le=3650)
    # Today's iOS build sends its Firebase uid for ever, which is no secret:
    # whoever learns it is that user. None: on in development only.
    accept_provider_uid: bool | None = None
    # Providers whose ID tokens are verified: a Firebase project, and the client ids
    # of our apps with Google and Apple.
    firebase_project: str = ""
    google_client_ids: Listed = ""
    apple_client_ids: Listed = ""
    firebase_keys_url: str = (
        "https://www.googleapis.com/service_accounts/v1/jwk/"
        "securetoken@system.gserviceaccount.com"
    )
    google_keys_url: str = "https://www.googleapis.com/oauth2/v3/certs"
    apple_keys_url: str = "https://appleid.apple.com/auth/keys"

    @property
    def provider_uid_accepted(self) -> bool:
        if self.accept_provider_uid is None:
            return self.development
        return self.accept_provider_uid
