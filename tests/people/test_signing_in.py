"""Who comes while the account is being deleted."""

import asyncio

from control_plane.base.database import Pool
from control_plane.people.model.users import NewUser
from control_plane.people.service.accounts import Accounts, Identity
from control_plane.people.store import users
from tests.people.conftest import Join
from tests.support.locks import held_up


async def test_nothing_leads_to_an_account_that_is_deleted_meanwhile(
    accounts: Accounts, join: Join, pool: Pool
) -> None:
    ann = await join("ann")
    both = [Identity(one, "ann", verified=True) for one in ("google", "apple")]
    async with pool.transaction() as deletion:
        await users.anonymise(deletion, ann.id)
        coming = asyncio.create_task(accounts.sign_in(both, NewUser(username="ann")))
        await held_up(pool, coming)
    user = (await coming).user
    assert user.id != ann.id
    assert [(await accounts.known(one)).user.id for one in both] == [user.id] * 2
