"""The one way onto and off the bus.

Publishing with acknowledgement and retries, one end per task, leases on requests, an ordered read
of the log, and the provisioning of stream and consumers. Delivery is at least once; what happens
exactly once is the recorded outcome (docs/decisions/0002-one-finished-subject.md).
"""
