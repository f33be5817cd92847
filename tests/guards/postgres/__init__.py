"""Attacks on the PostgreSQL form, and what keeps the promises there."""
