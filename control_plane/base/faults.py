"""What goes wrong between us and a store, in our words: nobody above a store knows
its driver."""


class StoreFault(Exception):
    """The store did not do what it was asked."""


class Away(StoreFault):
    """The store is away, too slow, or takes no writes right now."""


class Elsewhere(Away):
    """It takes no writes: another server may be the primary now."""


class Full(Away):
    """Its disk is full: it reads, and writes what needs no more room."""


class Silent(Elsewhere):
    """It said nothing in time. Only where there are others one of them may be meant."""


class Collided(StoreFault):
    """Two transactions stood in each other's way; the same again may work."""


class Rejected(StoreFault):
    """A row breaks a rule of its table."""


class Taken(Rejected):
    """Something that must be unique is there already."""


class Missing(Rejected):
    """It refers to something that is not there, or is itself still referred to."""
