"""Memberships from a file: read, plan, guard, apply, undo. The client never imports this.

desired = read_file("groups.yaml")
snapshot = read_account(client, desired)
made = plan(snapshot, desired, date.today(), now=datetime.now(UTC))
print(render_text(made))
"""
