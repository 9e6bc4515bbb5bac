"""A run folder in, what other people see of it out: pages, cards, pictures, repositories on the Hub."""
