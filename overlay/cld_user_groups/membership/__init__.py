"""Memberships from a file: read, plan, guard, apply, undo. The client never imports this."""
