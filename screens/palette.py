"""The command palette: every action of the screen in front, by name, those that do not apply with the reason."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from screens.actions import Action
from screens.main import MainScreen


class ActionsProvider(Provider):
    """Derived from the actions' one declaration."""

    async def discover(self) -> Hits:
        if isinstance(screen := self.screen, MainScreen):
            for action in screen.every_action():
                yield DiscoveryHit(
                    _name(screen, action), partial(screen.action_perform, action.id), help=_words(screen, action)
                )

    async def search(self, query: str) -> Hits:
        if isinstance(screen := self.screen, MainScreen):
            matcher = self.matcher(query)
            for action in screen.every_action():
                name = _name(screen, action)
                score = max(matcher.match(name), matcher.match(action.help))
                if score > 0:
                    yield Hit(
                        score,
                        matcher.highlight(name),
                        partial(screen.action_perform, action.id),
                        help=_words(screen, action),
                    )


def _name(screen: MainScreen, action: Action) -> str:
    return f"{screen.label_of(action).rstrip('…')}  ({screen.key_of(action)})"


def _words(screen: MainScreen, action: Action) -> str:
    verdict = action.available(screen)
    return action.help if verdict.allowed else f"not now: {verdict.why()}"
