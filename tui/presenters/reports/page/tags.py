"""Elements of the page. Whatever text is in them is escaped when they are written: nothing is put together by hand."""

from __future__ import annotations

from xml.etree.ElementTree import Element, tostring


def tag(name: str, /, *children: Element | str, **attributes: str | float | None) -> Element:
    """Make an element.

    Args:
        name: Its name.
        children: Elements and texts, in order.
        attributes: `class_` is written as `class`, `data_v` as `data-v`; one that is `None` is left out.
    """
    made = Element(
        name,
        {key.rstrip("_").replace("_", "-"): _written(value) for key, value in attributes.items() if value is not None},
    )
    for child in children:
        if isinstance(child, Element):
            made.append(child)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + child
        else:
            made.text = (made.text or "") + child
    return made


def html(*elements: Element) -> str:
    """Return elements as HTML. The text of `script` and `style` is written as it is: it must be the page's own."""
    return "".join(tostring(element, encoding="unicode", method="html") for element in elements)


def opened(element: Element) -> str:
    """Return the start tag of an element without children, for one whose content is written piece by piece."""
    return html(element).removesuffix(f"</{element.tag}>")


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
