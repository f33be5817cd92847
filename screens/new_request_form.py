"""The form in which access is asked for (REQ-101, REQ-103): every field, and what was typed as one frozen value.

It knows nothing of rules: the screen judges what is typed and gives each field its hint to show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Checkbox, Input, Static, TextArea

from app.policy.requests import RequestForm
from screens.request_words import ALTERNATIVE_WORDS
from storage.models import Alternative, Mode
from widgets.entry import LineEntry, Tick
from widgets.text_entry import TextEntry
from widgets.type_ahead import Choice, TypeAhead

DEFAULT_MINUTES = 30


class FormField(Horizontal):
    """A label, a field, and below it a hint that takes no line while there is nothing to say. What is good says so
    beside the label."""

    DEFAULT_CSS = """
    FormField {
        height: auto;
        & > .label { width: 10; color: $text-muted; }
        & > Vertical { height: auto; width: 1fr; padding-right: 1; }
        & .hint { height: auto; display: none; color: $text-muted; }
        & .hint.-shown { display: block; }
        & .hint.-bad { color: $text-warning; }
    }
    """

    def __init__(self, label: str, name: str) -> None:
        super().__init__(Static(label, classes="label", markup=False), id=f"field-{name}")
        self._label = label

    def hint(self, words: Content | str, tone: str = "") -> None:
        """Show `words` below the field; `tone` is "", "good" or "bad"."""
        self.query_one(".label", Static).update(f"{self._label:<8}{'✓' if tone == 'good' else ''}")
        shown = self.query_one(".hint", Static)
        content = Content(words) if isinstance(words, str) else words
        shown.update(content)
        shown.set_class(bool(content.plain), "-shown")
        shown.set_class(tone == "bad", "-bad")


class AccessForm(VerticalScroll, can_focus=False):
    """All the fields, scrolled to whichever has the focus."""

    DEFAULT_CSS = """
    AccessForm {
        padding: 1 0 0 1;
        scrollbar-size-vertical: 1;
        & Input, & TextArea, & TypeAhead { width: 1fr; }
        & Input.digits { width: 9; }
        & TextArea { height: 4; }
        & .choices { layout: grid; grid-size: 3; grid-columns: auto; grid-rows: 1; grid-gutter: 0 3; height: 2; }
        & .after { width: auto; margin-left: 2; color: $text-muted; }
        & .numbers { height: 1; }
    }
    """

    @dataclass
    class Changed(Message):
        """Something was typed or chosen."""

        form: AccessForm

    ORDER: ClassVar[tuple[str, ...]] = (
        "tenant",
        "target",
        "ticket",
        "reason",
        "tried",
        "why-not",
        "scope",
        "records",
        "mode",
        "minutes",
        "urgent",
    )

    def __init__(self) -> None:
        super().__init__(id="access-form")
        self.again_of: str | None = None

    def compose(self) -> ComposeResult:
        with FormField("Tenant", "tenant"), Vertical():
            yield TypeAhead("type a part of its name", id="tenant")
            yield Static(classes="hint")
        with FormField("View as", "target"), Vertical():
            yield TypeAhead("whose view do you need?", id="target")
            yield Static(classes="hint")
        with FormField("Ticket", "ticket"), Vertical():
            yield LineEntry(placeholder="T-48271 or INC-1023", id="ticket")
            yield Static(classes="hint")
        with FormField("Reason", "reason"), Vertical():
            yield TextEntry(placeholder="what goes wrong, on what, and why it takes live data", id="reason")
            yield Static(classes="hint")
        with FormField("Tried", "tried"), Vertical():
            with Horizontal(classes="choices"):
                for way, words in ALTERNATIVE_WORDS.items():
                    yield Tick(words, id=f"tried-{way.value}")
            yield Static(classes="hint")
        with FormField("Why not", "why-not"), Vertical():
            yield LineEntry(placeholder="why those did not do", id="why-not")
            yield Static(classes="hint")
        with FormField("Scope", "scope"), Vertical():
            yield LineEntry(placeholder="the records, screens or systems you will touch", id="scope")
            yield Static(classes="hint")
        with FormField("Records", "records"), Vertical():
            with Horizontal(classes="numbers"):
                yield LineEntry(placeholder="such as 2", id="records", digits=True)
                yield Static("about how many you will see", classes="after", markup=False)
            yield Static(classes="hint")
        with FormField("Mode", "mode"), Vertical():
            yield Tick("full: may change data (else read-only)", id="mode-full")
            yield Static(classes="hint")
        with FormField("Minutes", "minutes"), Vertical():
            with Horizontal(classes="numbers"):
                yield LineEntry(str(DEFAULT_MINUTES), id="minutes", digits=True)
                yield Static(id="minutes-after", classes="after", markup=False)
            yield Static(classes="hint")
        with FormField("Urgent", "urgent"), Vertical():
            yield Tick("harm grows while this waits", id="urgent")
            yield Static(classes="hint")

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Checkbox.Changed)
    @on(TypeAhead.Changed)
    def _something_changed(self) -> None:
        self.post_message(self.Changed(self))

    @on(Input.Submitted)
    def _field_done(self, event: Input.Submitted) -> None:
        """Enter goes on to the next field, as in every form."""
        event.stop()
        self.screen.focus_next()

    def field(self, name: str) -> FormField:
        """A field by its name in ORDER."""
        return self.query_one(f"#field-{name}", FormField)

    def offer_tenants(self, choices: tuple[Choice, ...], chosen: str | None = None) -> None:
        self.query_one("#tenant", TypeAhead).set_choices(choices, chosen)

    def offer_targets(self, choices: tuple[Choice, ...], chosen: str | None = None) -> None:
        self.query_one("#target", TypeAhead).set_choices(choices, chosen)

    def values(self) -> RequestForm:
        """What stands in the form now, complete or not."""
        full = self.query_one("#mode-full", Tick).value
        return RequestForm(
            tenant_id=self.query_one("#tenant", TypeAhead).chosen or "",
            target_id=self.query_one("#target", TypeAhead).chosen or "",
            ticket=self.query_one("#ticket", LineEntry).value.strip(),
            reason=" ".join(self.query_one("#reason", TextEntry).text.split()),
            scope=self.query_one("#scope", LineEntry).value.strip(),
            records=self.query_one("#records", LineEntry).number,
            mode=Mode.FULL if full else Mode.READ_ONLY,
            minutes=self.query_one("#minutes", LineEntry).number,
            urgent=self.query_one("#urgent", Tick).value,
            tried=tuple(way for way in Alternative if self.query_one(f"#tried-{way.value}", Tick).value),
            why_not=self.query_one("#why-not", LineEntry).value.strip(),
            again_of=self.again_of,
        )

    def prefill(self, form: RequestForm) -> None:
        """Everything but tenant and target, whose choices the screen offers."""
        self.again_of = form.again_of
        self.query_one("#ticket", LineEntry).prefill(form.ticket)
        self.query_one("#reason", TextEntry).prefill(form.reason)
        self.query_one("#scope", LineEntry).prefill(form.scope)
        self.query_one("#records", LineEntry).prefill(str(form.records or ""))
        self.query_one("#minutes", LineEntry).prefill(str(form.minutes))
        self.query_one("#why-not", LineEntry).prefill(form.why_not)
        self.query_one("#urgent", Tick).value = form.urgent
        self.query_one("#mode-full", Tick).value = form.mode is Mode.FULL
        for way in Alternative:
            self.query_one(f"#tried-{way.value}", Tick).value = way in form.tried

    def limit_minutes(self, maximum: int | None) -> None:
        """Say the tenant's maximum beside the minutes; None while no tenant is chosen."""
        self.query_one("#minutes-after", Static).update(f"of at most {maximum}" if maximum is not None else "")
        over = maximum is not None and self.values().minutes > maximum
        self.field("minutes").hint(f"the session will end after {maximum} min" if over else "", "bad" if over else "")

    def first_empty(self) -> str | None:
        """The first field, by its name in ORDER, in which nothing is given that must be."""
        values = self.values()
        needed = (
            ("tenant", values.tenant_id),
            ("target", values.target_id),
            ("ticket", values.ticket),
            ("reason", values.reason),
            ("tried", values.tried),
            ("why-not", values.why_not),
            ("scope", values.scope),
            ("records", values.records),
        )
        return next((name for name, given in needed if not given), None)

    def focus_field(self, name: str) -> None:
        """Focus a field by its name in ORDER."""
        field = self.field(name)
        for candidate in field.query("Input, TextArea, Tick"):
            if candidate.focusable:
                candidate.focus()
                return

    @property
    def touched(self) -> bool:
        """Whether anything was typed that would be a pity to lose."""
        form = self.values()
        typed = (form.ticket, form.reason, form.scope, form.why_not, form.tried, form.records)
        names = any(self.query_one(f"#{name}", TypeAhead).text for name in ("tenant", "target"))
        return any(typed) or names
