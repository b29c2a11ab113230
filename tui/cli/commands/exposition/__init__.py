"""Commands that expose what is measured to other programs."""
