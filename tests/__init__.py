"""Named, because packages of others bring a `tests` too."""
