"""Every object is made here, from the settings; ``app`` runs them."""
