"""A session as a file: written while it runs, read again as the same frames. `format` has the contract."""
