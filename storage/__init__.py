"""Storage: the shared database, this console's replica of it, the logs, and the way between them.

The lowest floor: nothing here imports `app`, `screens` or `widgets`, and nothing here knows Textual.
"""
