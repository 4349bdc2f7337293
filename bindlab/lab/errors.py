"""What the lab raises when the system, not the caller, stands in the way."""

from bindlab.printable import printable_lines


class LabError(OSError):
    """A network could not be made, or one of its hosts is gone; the message names the piece.

    ``errno`` is the kernel's own where there was one, else ``None``. A network that is
    described wrongly is a ``ValueError`` or ``TypeError`` instead, before anything is made.
    """

    def __str__(self) -> str:
        return printable_lines(self.strerror or super().__str__())
