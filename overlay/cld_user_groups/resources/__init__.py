"""The resources of the clients: generated from _operations/ by `make generate`."""
