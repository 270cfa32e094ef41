"""What the edges catch when a store is away; they do not see the stores."""

from control_plane.store.database import AWAY

__all__ = ["AWAY"]
