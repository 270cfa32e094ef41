"""The apps' own configuration, and the phones they run on."""

from aiohttp import web

from control_plane.people.service.profiles import Profiles
from control_plane.web.dispatch import Call, Endpoint
from control_plane.web.envelope import answer
from control_plane.web.snapshots import Json, when

NEVER = "1000000"


class SettingsApi:
    def __init__(self, profiles: Profiles, coin_worth: str) -> None:
        """``coin_worth``: what one coin is worth, as the apps show it: "0.01"."""
        self._profiles = profiles
        self._settings = {
            "coin_worth": coin_worth,
            # Android reads it as a number when it starts, and crashes on a word.
            "show_advert_after": NEVER,
            "add_type": "none",
            "referral_coin": "0",
            "foodtok_comission": "0",
            "marked_price": "0",
        }

    def endpoints(self) -> dict[str, Endpoint]:
        return {
            "showSettings": Endpoint(self.show_settings, "optional"),
            "registerDevice": Endpoint(
                self.register_device, "optional", limit="sign_in"
            ),
        }

    async def show_settings(self, _call: Call) -> web.Response:
        """Of the app, not of a user; every value is text."""
        lines: list[Json] = [
            {
                "Setting": {
                    "id": str(number),
                    "type": kind,
                    "value": value,
                    "created": "",
                }
            }
            for number, (kind, value) in enumerate(self._settings.items(), 1)
        ]
        return answer(lines)

    async def register_device(self, call: Call) -> web.Response:
        key = call.body.required("key", longest=200)
        device = await self._profiles.register_device(key)
        shape: Json = {
            "id": device.id,
            "key": device.key,
            "created": when(device.created_at),
        }
        return answer({"Device": shape})
