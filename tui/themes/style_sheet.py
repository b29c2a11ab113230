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
Toast { background: $panel; color: $text; }
CommandPalette { background: transparent; }
CommandPalette > Vertical { background: $panel; }
CommandPalette #--input, CommandPalette #--input.--list-visible { border: hkey $focus; background: $panel; }
CommandPalette CommandList, CommandPalette CommandList:focus {
    background: $panel; border-bottom: hkey $focus; border-top: blank; color: $text; }
CommandPalette > .command-palette--help-text { color: $muted; text-style: not bold; }
CommandPalette > .command-palette--highlight { text-style: bold underline; }
"""
