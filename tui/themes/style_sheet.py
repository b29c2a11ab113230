"""How Textual's own widgets look: by roles only, opaque, without the tints that Textual mixes."""

STYLE_SHEET = """
#opening { height: 1; background: $panel; text-style: bold; }
Screen, ModalScreen { color: $text; }
OptionList, OptionList:focus, Input, Input:focus { background-tint: transparent; }
Input > .input--placeholder, Input > .input--suggestion { color: $muted; }
OptionList > .option-list--option-disabled { color: $muted; }
OptionList > .option-list--separator { color: $border; }
Button, Button:hover, Button:focus, Button:disabled {
    text-opacity: 1; background-tint: transparent; tint: transparent; }
Button:disabled { color: $muted; }
Screen Toast { display: none; }
Toast { background: $panel; color: $text; }
"""
