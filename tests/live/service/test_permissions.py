"""What auth remembers of a path, while that changes again and again."""

import asyncpg

from control_plane.base.database import Pool
from control_plane.live.service.permissions import Permissions
from tests.support.locks import WAITING
from tests.support.stack import until

OFTEN = 20
#: Somebody is banned, and the first look at that has an accident in Postgres.
FAILS_ONCE = """
    CREATE SEQUENCE looks;
    CREATE FUNCTION works() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        IF nextval('looks') = 1 THEN
            RAISE 'an accident' USING ERRCODE = 'internal_error';
        END IF;
        RETURN true;
    END $$;
    ALTER TABLE bans RENAME TO all_bans;
    CREATE VIEW bans AS SELECT * FROM all_bans WHERE works();
    GRANT SELECT ON bans TO PUBLIC;
    INSERT INTO all_bans (network, reason, actor) VALUES ('192.0.2.0/24', 'spam', '');
"""


async def test_a_path_that_changes_all_the_time_is_read_once_at_a_time(
    pool: Pool, database_url: str
) -> None:
    """Its host may see to that, and all paths are read by the same connections."""
    by_hand = await asyncpg.connect(database_url)
    holding = await asyncpg.connect(database_url)

    async def waiting() -> int:
        return int(await by_hand.fetchval(WAITING))

    async def both_wait() -> bool:
        return await waiting() >= 2

    permissions = Permissions(pool, database_url)
    async with permissions.running():
        await until(lambda: _fresh(permissions))
        async with holding.transaction():
            await holding.execute("LOCK TABLE viewer_denials")
            for path in ["live/1"] * OFTEN + ["live/2"]:
                await by_hand.execute("SELECT pg_notify('permissions', $1)", path)
            await until(both_wait)
            assert await waiting() == 2
    await holding.close()
    await by_hand.close()


async def test_bans_are_read_again_whatever_went_wrong(
    pool: Pool, owner: Pool, database_url: str
) -> None:
    permissions = Permissions(pool, database_url)

    async def banned() -> bool:
        return permissions.bans.has_address("192.0.2.7", 0.0)

    async with permissions.running():
        await until(lambda: _fresh(permissions))
        await owner.execute(FAILS_ONCE)
        await until(banned)


async def _fresh(permissions: Permissions) -> bool:
    return permissions.fresh
