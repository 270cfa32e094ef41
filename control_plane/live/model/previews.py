"""Who may see the picture of a session."""

from dataclasses import dataclass

from control_plane.base.tokens import ViewerToken
from control_plane.live.model.rights import Policy, needs_token
from control_plane.live.model.sessions import EndReason

#: What ended so is not shown any more.
REMOVED: frozenset[str] = frozenset({"kicked", "banned"})


@dataclass(frozen=True, slots=True)
class Subject:
    """What decides. ``gone``: its host was banned, or deleted the account."""

    path: str
    policy: Policy
    token_epoch: int
    end_reason: EndReason | None
    gone: bool = False


def is_everybodys(subject: Subject, *, tokens_by_default: bool) -> bool:
    return _is_there(subject) and not needs_token(
        subject.policy, by_default=tokens_by_default
    )


def may_see(subject: Subject, token: ViewerToken, epoch: int) -> bool:
    """Whoever may watch it, or might until it ended. A channel's next broadcast has
    the same path; its tokens are of another epoch if its policy is another. ``epoch``:
    that this viewer's token needs at least."""
    return (
        _is_there(subject)
        and token.path == subject.path
        and token.epoch == max(subject.token_epoch, epoch)
    )


def _is_there(subject: Subject) -> bool:
    return not subject.gone and subject.end_reason not in REMOVED
