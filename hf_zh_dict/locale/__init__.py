"""The catalogues of translated messages, and what keeps them up to date."""
