"""Dark, light, high-contrast, and the terminal's own sixteen colours.

Each theme names the tones that cells use beside Textual's own variables. One accent colour; the rest is grey.
"""

from __future__ import annotations

from textual.theme import Theme

DEFAULT = "dark"


def _tones(
    *, dim: str, accent: str, good: str, soon: str, bad: str, cursor: str, quiet: str, brand: str
) -> dict[str, str]:
    return {
        "tone-dim": dim,
        "tone-accent": accent,
        "tone-good": good,
        "tone-soon": soon,
        "tone-bad": bad,
        "cursor": cursor,
        "cursor-quiet": quiet,
        "brand": brand,
    }


THEMES = (
    Theme(
        name="dark",
        primary="#5fa8d3",
        secondary="#8aa4b8",
        accent="#5fa8d3",
        warning="#e0a83e",
        error="#e5695e",
        success="#79b58a",
        foreground="#d6dce2",
        background="#14181d",
        surface="#1a1f26",
        panel="#222932",
        dark=True,
        variables=_tones(
            dim="#7f8b97",
            accent="#5fa8d3",
            good="#79b58a",
            soon="#e0a83e",
            bad="#e5695e",
            cursor="#26435a",
            quiet="#222932",
            brand="#5fa8d3",
        ),
    ),
    Theme(
        name="light",
        primary="#1c5d8c",
        secondary="#4a6274",
        accent="#1c5d8c",
        warning="#8a5a00",
        error="#b3261e",
        success="#1f6b3a",
        foreground="#1d2329",
        background="#fbfaf7",
        surface="#f2f0eb",
        panel="#e6e3dc",
        dark=False,
        variables=_tones(
            dim="#5f6a74",
            accent="#1c5d8c",
            good="#1f6b3a",
            soon="#8a5a00",
            bad="#b3261e",
            cursor="#c9dff0",
            quiet="#e6e3dc",
            brand="#1c5d8c",
        ),
    ),
    Theme(
        name="high-contrast",
        primary="#ffff00",
        secondary="#00ffff",
        accent="#00ffff",
        warning="#ffff00",
        error="#ff6a6a",
        success="#5cff5c",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#1c1c1c",
        dark=True,
        text_alpha=1.0,
        variables=_tones(
            dim="#d0d0d0",
            accent="#00ffff",
            good="#5cff5c",
            soon="#ffff00",
            bad="#ff6a6a",
            cursor="#0000c8",
            quiet="#303030",
            brand="#ffff00",
        ),
    ),
    Theme(
        name="ansi",
        ansi=True,
        primary="ansi_blue",
        secondary="ansi_cyan",
        accent="ansi_cyan",
        warning="ansi_yellow",
        error="ansi_red",
        success="ansi_green",
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        dark=True,
        variables=_tones(
            dim="ansi_default",
            accent="ansi_cyan",
            good="ansi_green",
            soon="ansi_yellow",
            bad="ansi_red",
            cursor="ansi_default",
            quiet="ansi_default",
            brand="ansi_cyan",
        )
        | {
            "ansi-background": "ansi_default",
            "ansi-foreground": "ansi_default",
            "block-cursor-foreground": "ansi_default",
            "block-cursor-background": "ansi_default",
            "block-cursor-text-style": "bold reverse",
            "input-cursor-background": "ansi_default",
            "input-cursor-foreground": "ansi_default",
            "input-cursor-text-style": "reverse",
            "input-selection-background": "ansi_bright_blue",
            "input-selection-foreground": "ansi_black",
            "screen-selection-background": "ansi_bright_blue",
            "screen-selection-foreground": "ansi_black",
            "border": "ansi_blue",
            "border-blurred": "ansi_default",
        },
    ),
)
"""All themes, the default first."""
