"""The screen and the command line."""

import os

# Read once, when Textual is imported. The kitty keyboard protocol stays on in a terminal whose SSH connection drops.
os.environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")
