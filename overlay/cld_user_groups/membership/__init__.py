"""Memberships from a file: read, plan, guard, apply, undo. Importing the client never imports this."""
