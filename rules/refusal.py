"""The one way a rule says no."""

from __future__ import annotations


class Refused(Exception):
    """A rule refuses; `wording` turns the code and its facts into a sentence.

    `code` names the sentence (``wording.labels``), `field` the form field it belongs to
    (None: the whole form), `facts` fill the sentence's placeholders.
    """

    def __init__(self, code: str, field: str | None = None, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.facts = facts

    def at(self, field: str) -> Refused:
        """The same refusal, told at `field`."""
        return Refused(self.code, field, **self.facts)

    def __str__(self) -> str:
        return f"{self.code} field={self.field} {self.facts}"
