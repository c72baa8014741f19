"""A server for assistants: it looks at an account and proposes plans, and never writes to it."""
