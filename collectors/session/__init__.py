"""A session as a file: written while it is lived, read again as the same frames. `format` has the contract."""
