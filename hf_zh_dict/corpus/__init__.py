"""Documents of any source in, a dataset out whose train, validation and test share no headword."""
