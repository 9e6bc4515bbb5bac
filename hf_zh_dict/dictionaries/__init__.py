"""A table of a dictionary in; entries, documents and what is known of them out."""
