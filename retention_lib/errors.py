"""What can go wrong for a user, each as sentences with an exit code (CONTRACT, section 2)."""

from __future__ import annotations


class RetentionError(Exception):
    """A failure that the user can mend.

    Parameters
    ----------
    *sentences
        One plain sentence per cause: the place, what was found, the remedy.

    Attributes
    ----------
    sentences : tuple of str
    exit_code : int
        What the command ends with.
    """

    exit_code = 1

    def __init__(self, *sentences: str) -> None:
        self.sentences: tuple[str, ...] = sentences
        super().__init__("\n".join(sentences))


class UsageError(RetentionError):
    """The command was called in a way that can't work."""

    exit_code = 2


class ClientFileError(UsageError):
    """The client file can't be read or says something that isn't allowed."""


class DataError(RetentionError):
    """The client's data can't be used."""

    exit_code = 3


class ChapterError(RetentionError):
    """A chapter's notebook stopped."""

    exit_code = 1


def brief(error: BaseException, longest: int = 300) -> str:
    """An error that nobody foresaw, in one line: its kind, and the first line of what it says."""
    said = next((line for line in str(error).splitlines() if line.strip()), "")
    return (f"{type(error).__name__}: {said.strip()}" if said else type(error).__name__)[:longest]
