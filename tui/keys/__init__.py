"""Every key of every screen, in one row each: the source of bindings, footers, help, palette, `[keys]` and docs."""
