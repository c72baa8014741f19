"""Classify the changes of openapi.yaml and of the packages by what they mean for users.

The rules list what is known to be harmless: whatever no rule claims is breaking. No package of
PyPI both looks into schemas and classifies, and what npm and Go have needs more than Python.
"""
