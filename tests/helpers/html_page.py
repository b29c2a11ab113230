"""An HTML page as a parser that is not vmtop's reads it."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = frozenset({"meta", "br", "hr", "img", "link", "input", "base", "embed"})


class Parsed(HTMLParser):
    """The elements, texts, scripts and style sheets of a page, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        """Names of elements with their attributes."""
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.others: list[str] = []
        """Comments, declarations and instructions."""
        self.open: list[str] = []
        """Elements that have not ended."""

    @property
    def text(self) -> str:
        """All that is shown."""
        return "".join(self.texts)

    @property
    def skeleton(self) -> list[tuple[str, list[str]]]:
        """Names of elements with the names of their attributes: what a text must not change."""
        return [(name, sorted(attributes)) for name, attributes in self.tags]

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of a name."""
        return [attributes for name, attributes in self.tags if name == tag]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute of {tag} is there twice"
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"{tag} ends, and nothing has begun"
        assert self.open.pop() == tag, f"{tag} ends out of order"

    def handle_data(self, data: str) -> None:
        inside = self.open[-1] if self.open else ""
        {"script": self.scripts, "style": self.styles}.get(inside, self.texts).append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_decl(self, decl: str) -> None:
        self.others.append(decl)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)


def parsed(document: str) -> Parsed:
    """Read a page; one whose elements do not end in order is a failure."""
    page = Parsed()
    page.feed(document)
    page.close()
    assert page.open == [], "elements without an end"
    return page
