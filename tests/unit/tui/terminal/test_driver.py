"""What the driver hands to the thread that writes."""

from __future__ import annotations

from tui.terminal.driver import TerminalDriver


class Writer:
    """Stands for the writer's thread."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def is_alive(self) -> bool:
        return True

    def write(self, data: str) -> None:
        self.written.append(data)


def test_a_picture_and_the_question_after_it_wake_the_writer_once() -> None:
    driver, writer = TerminalDriver.__new__(TerminalDriver), Writer()
    vars(driver).update(_gathered=None, _writer_thread=writer)
    with driver.one_write():
        driver.write("picture")
        driver.write("question")
        assert writer.written == []
    driver.write("key")
    assert writer.written == ["picturequestion", "key"]
