"""Classify the changes of openapi.yaml and of generated/ by what they mean for users.

Looked at before this was written: oasdiff, the field's best, is a Go program, and no package of
PyPI or npm ships it. npm's openapi-diff and openapi-changes need Node, which this must not. On
PyPI, api-diff-sentinel does not look into schemas, openapispecdiff does not classify, and
kryptorious-apiguard is the front of a paid product. So the rules stand here, as a list of what is
known to be harmless: whatever no rule claims is breaking.
"""
