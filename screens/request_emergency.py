"""The dialog in which a super declares an emergency: which kind of harm, and what two hours would make irreparable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from app.policy.emergency import CATEGORIES
from app.policy.text import REASON_MAX
from storage.models import EmergencyCategory
from widgets.dialog import CANCEL, Dialog
from widgets.dialog import Choice as Button
from widgets.text import safe
from widgets.text_entry import TextEntry
from widgets.type_ahead import Choice, TypeAhead

LABEL = "What two hours would make irreparable; tenant and both legal addresses read it"


Said = tuple[EmergencyCategory, str]


class EmergencyDialog(Dialog[Said]):
    """Answers category and reason; None when left. `target` names request and tenant, `facts` are label and value, from
    outside like all of it; `said` is what was answered before, and did not do."""

    choices = (CANCEL, Button("do", "Declare", "ctrl+s", danger=True))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "choose('do')", "Declare", show=False, id="emergency.do")
    ]
    DEFAULT_CSS = """
    EmergencyDialog {
        .fact { height: auto; }
        .fact-name { width: 10; color: $tone-dim; }
        .fact-value { width: 1fr; height: auto; }
        .label { height: auto; color: $tone-dim; margin-top: 1; }
        TypeAhead { background: $panel; }
        #emergency-reason { height: 3; background: $panel; }
    }
    """

    def __init__(self, target: str, facts: Sequence[tuple[str, str]], said: Said | None = None) -> None:
        super().__init__(f"Declare an emergency for {target}?", danger=True)
        self._facts = tuple(facts)
        self._said = said

    def body(self) -> ComposeResult:
        for name, value in self._facts:
            with Horizontal(classes="fact"):
                yield Static(safe(name), classes="fact-name", markup=False)
                yield Static(safe(value), classes="fact-value", markup=False)
        yield Static("Which harm", classes="label", markup=False)
        yield TypeAhead("data loss, security, safety, outage, legal", id="emergency-category")
        yield Static(LABEL, classes="label", markup=False)
        yield TextEntry("", id="emergency-reason")

    def on_mount(self) -> None:
        super().on_mount()
        kinds = tuple(Choice(one.value, one.value.replace("_", " "), words) for one, words in CATEGORIES.items())
        kind, reason = self._said or (None, "")
        self.query_one(TypeAhead).set_choices(kinds, kind.value if kind else None)
        if reason:
            self.query_one("#emergency-reason", TextEntry).prefill(reason)

    async def chosen(self, choice: str) -> None:
        if choice != "do":
            self.dismiss(None)
            return
        kind = self.query_one(TypeAhead).chosen
        reason = self.query_one("#emergency-reason", TextEntry).text.strip()
        if kind is None:
            self.problem("choose which harm it is")
        elif not reason:
            self.problem("say what two hours would make irreparable")
        elif len(reason) > REASON_MAX:
            self.problem(f"at most {REASON_MAX:,} characters; these are {len(reason):,}")
        else:
            self.dismiss((EmergencyCategory(kind), reason))
