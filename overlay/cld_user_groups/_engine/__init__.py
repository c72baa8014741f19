"""The engine behind every call: options, request, retry policy, pipeline, and the I/O."""
