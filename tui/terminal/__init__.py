"""Everything below Textual's public interface: cells, painting, keys, signals, consoles."""
