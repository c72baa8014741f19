"""The operations, a file for each resource: sans-IO, each written once.

The first argument of a function is the account. `make generate` makes the methods of the resources
from them: sync, async, and for raw responses.
"""
