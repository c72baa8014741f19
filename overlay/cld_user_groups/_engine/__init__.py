"""How a call is made: options, request, retry policy, pipeline, and the I/O."""
