"""The real service in a simulated world: virtual time, nodes, apps, receivers and
faults, all of it decided by one seed. See docs/simulation.md."""
