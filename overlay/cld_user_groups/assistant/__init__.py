"""A server for assistants: it looks at an account and makes plans, and never writes to it.

`server` alone imports the SDK of the Model Context Protocol. `docs/assistant.md` describes it.
"""
