"""Rules off: random commands with `app/policy` switched off, against what the database lets through by itself."""
